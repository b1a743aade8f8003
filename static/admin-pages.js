/* The edition page: order stories by drag or by button, count characters. Adding a story:
   offer the sections of its newsletter. */
"use strict";

const adminItems = () => [...document.querySelectorAll(".admin-list > .admin-item")];

// Positions are what the form sends; they follow the order on the page.
function adminRenumber() {
  adminItems().forEach((item, index) => {
    const position = item.querySelector('.admin-position input:not([type="hidden"])');
    if (position) position.value = index + 1;
  });
  document.querySelector(".admin-list")?.dispatchEvent(new Event("input", { bubbles: true }));
}

function adminMove(button) {
  const item = button.closest(".admin-item");
  const other =
    button.dataset.move === "-1" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === "-1") other.before(item);
  else other.after(item);
  adminRenumber();
  button.focus();
  const place = adminItems().indexOf(item) + 1;
  document.getElementById("admin-announce").textContent =
    `Now number ${place} of ${adminItems().length}.`;
}

function adminCount(field) {
  const shown = Number(field.dataset.count);
  const hint = document.createElement("p");
  hint.className = "admin-hint";
  field.after(hint);
  const write = () => {
    const length = [...field.value].length;
    hint.textContent = `${length} characters; phones show about ${shown}, at most ${field.dataset.limit}.`;
    hint.classList.toggle("admin-long", length > shown);
  };
  field.addEventListener("input", write);
  write();
}

// A proposal fills its field. Without this script it saves the form as well.
function adminFill(button) {
  const field = button.form.elements[button.dataset.fill];
  field.value = button.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

// select2 makes its search field when jQuery says that the page is ready, and gives it no label.
window.django?.jQuery?.(() =>
  document
    .querySelectorAll(".select2-search__field")
    .forEach((field) => field.setAttribute("aria-label", "Find a story"))
);

// A select with sections of several newsletters offers those of the chosen one.
function adminLimitSections(select) {
  const newsletter = select.form.elements[select.dataset.sectionsOf];
  const groups = [...select.querySelectorAll("optgroup")];
  const limit = () => {
    const name = newsletter.selectedOptions[0]?.label;
    groups.forEach((group) => group.remove());
    select.append(...groups.filter((group) => !newsletter.value || group.label === name));
    if (select.selectedIndex < 0) select.value = "";
  };
  newsletter.addEventListener("change", limit);
  if (groups.length) limit();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-sections-of]").forEach(adminLimitSections);
  document.querySelectorAll("[data-count]").forEach(adminCount);
  document.querySelectorAll("[data-fill]").forEach((button) =>
    button.addEventListener("click", (event) => {
      event.preventDefault();
      adminFill(button);
    })
  );
  document.querySelectorAll("[data-move]").forEach((button) =>
    button.addEventListener("click", () => adminMove(button))
  );
  document.querySelectorAll(".admin-remove input").forEach((box) =>
    box.addEventListener("change", () =>
      box.closest(".admin-item").classList.toggle("admin-removed", box.checked)
    )
  );
});

// The progress element is replaced every few seconds. A second element stays, and a screen reader
// announces its text when that has changed.
document.addEventListener("DOMContentLoaded", () => {
  if (!document.getElementById("admin-progress")) return;
  const announcer = document.createElement("p");
  announcer.className = "admin-hidden";
  announcer.setAttribute("role", "status");
  document.querySelector(".admin-panel").append(announcer);
  document.body.addEventListener("htmx:afterSettle", () => {
    const text = document.getElementById("admin-progress")?.dataset.announce ?? "";
    if (announcer.textContent !== text) announcer.textContent = text;
  });
});

// An import's columns are rendered again after each choice. They stay open if they were open.
document.addEventListener("htmx:configRequest", (event) => {
  const columns = document.querySelector(".admin-columns");
  if (columns) event.detail.parameters.choosing = columns.open ? "1" : "";
});
