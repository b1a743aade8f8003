/**
 * Solve the challenge of a sign-up form before it is sent; loaded only if there is one.
 *
 * The work begins when the form is first focused, so that most of it is done when the button is
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
  // Without a solution (no https) the server decides.
  form.elements.solution.value ||= "none";
  // Submit in a task of its own: if the solution was ready, this submission is still under way, and
  // the browser would silently drop a second one.
  setTimeout(() => form.requestSubmit(event.submitter));
});
