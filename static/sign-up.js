/**
 * Solve the challenge of a sign-up form before it is sent; loaded only where there is one.
 *
 * Work begins with the first touch of the form, so that it is mostly done when the button is
 * pressed.
 */

const form = document.querySelector("form[data-solver]");
const challenge = JSON.parse(document.getElementById("challenge").textContent);
let solution;

function begin() {
  solution ??= import(form.dataset.solver).then(({ solve }) => solve(challenge));
  return solution;
}

form.addEventListener("focusin", begin, { once: true });
form.addEventListener("submit", async (event) => {
  if (form.elements.solution.value) return;
  event.preventDefault();
  const working = form.querySelector("[data-working]");
  working.hidden = false;
  form.setAttribute("aria-busy", "true");
  try {
    form.elements.solution.value = await begin();
  } catch {
    solution = undefined;
  }
  working.hidden = true;
  form.removeAttribute("aria-busy");
  // Without a solution (no https) the server has the last word.
  form.elements.solution.value ||= "none";
  // In a task of its own: where the solution was ready, this submission is still under way here, and
  // the browser would drop another without a word.
  setTimeout(() => form.requestSubmit(event.submitter));
});
