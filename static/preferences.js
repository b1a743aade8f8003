/**
 * Save a part of the page without leaving it.
 *
 * The server answers a form with a whole page, as it does without this script. The part that was
 * sent is taken from that page and replaces the old one. Half-written fields elsewhere on the page
 * stay, unless the form says that more than its own part changes (data-refresh).
 */

const page = document.getElementById("preferences");
const announcer = document.createElement("p");
announcer.className = "visually-hidden";
announcer.setAttribute("role", "status");
page.after(announcer);

page.addEventListener("submit", (event) => {
  const form = event.target;
  const part = form.closest("[data-part]");
  if (!part || "plain" in form.dataset) return;
  event.preventDefault();
  if (part.getAttribute("aria-busy") !== "true") save(form, part, event.submitter);
});

async function save(form, part, button) {
  const fields = new FormData(form);
  if (button?.name) fields.append(button.name, button.value);
  part.setAttribute("aria-busy", "true");
  announcer.textContent = "";
  let answer;
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields) });
    answer = new DOMParser().parseFromString(await response.text(), "text/html");
    answer.url = response.url;
    if (response.status >= 500) throw new Error(response.statusText);
  } catch {
    part.removeAttribute("aria-busy");
    showFailure(button);
    return;
  }
  replacePart(answer, form, part, button);
}

function replacePart(answer, form, part, button) {
  const whole = answer.getElementById("preferences");
  const fresh = answer.getElementById(part.id);
  // The answer is another page if the language changed or the link no longer works.
  if (!whole || answer.documentElement.lang !== document.documentElement.lang) {
    location.assign(answer.url);
    return;
  }
  if ("refresh" in form.dataset || !fresh) page.replaceChildren(...whole.childNodes);
  else part.replaceWith(fresh);
  document.title = answer.title;
  suggestDeviceZone();
  restoreFocus(page.querySelector(`#${CSS.escape(part.id)}`) ?? page, button);
}

/** Leave the focus where the reader was, and say what happened. */
function restoreFocus(part, button) {
  const error = part.querySelector(".error");
  const note = page.querySelector("[data-note]");
  const field =
    part.querySelector("[aria-invalid=true]") ?? error?.closest("fieldset")?.querySelector("input");
  const same = button?.id && document.getElementById(button.id);
  const heading = part.querySelector("h2, h1");
  if (!field && !same) heading.tabIndex = -1;
  (field || same || heading).focus({ preventScroll: true });
  (error ?? note ?? heading).scrollIntoView({ block: "nearest" });
  announcer.textContent = (error ?? note ?? part.querySelector(".state"))?.textContent.trim() ?? "";
}

function showFailure(button) {
  let message = page.querySelector("[data-complaint]");
  message?.remove();
  message = document.createElement("p");
  message.className = "error";
  message.dataset.complaint = "";
  message.setAttribute("role", "alert");
  message.textContent = page.dataset.failed;
  (button?.closest(".actions, .row") ?? button ?? page).before(message);
}

// The form no longer shows what was saved, so the note that it was saved goes.
page.addEventListener("input", (event) => {
  event.target.closest("[data-part]")?.querySelector(".note")?.remove();
});

/** Whether the browser knows both as names of one zone: Asia/Kolkata is Asia/Calcutta. */
function sameZone(name, zone) {
  if (name === zone) return true;
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone === zone;
  } catch {
    return false; // the zone is newer than the browser
  }
}

/** Offer the time zone of the device if mails are sent by another one. */
function suggestDeviceZone() {
  const hint = page.querySelector("[data-device-zone]");
  const select = hint?.parentElement.querySelector("select");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!select || !zone || sameZone(select.value || hint.dataset.deviceZone, zone)) return;
  const known = [...select.options].find(({ value }) => value && sameZone(value, zone));
  const button = hint.querySelector("button");
  button.textContent = button.textContent.replace("{zone}", known?.text ?? zone);
  button.addEventListener("click", () => {
    if (!known) select.add(new Option(zone, zone));
    select.value = known?.value ?? zone;
    hint.hidden = true;
    select.focus();
  });
  hint.hidden = false;
}

suggestDeviceZone();
