/* The edition page: order stories by drag or by button, and count characters. */
"use strict";

const deskItems = () => [...document.querySelectorAll(".desk-list > .desk-item")];

// Positions are what the form sends; they follow the order on the page.
function deskRenumber() {
  deskItems().forEach((item, index) => {
    const position = item.querySelector('input[name$="-position"]');
    if (position) position.value = index + 1;
  });
  document.querySelector(".desk-list")?.dispatchEvent(new Event("input", { bubbles: true }));
}

function deskMove(button) {
  const item = button.closest(".desk-item");
  const other =
    button.dataset.move === "-1" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === "-1") other.before(item);
  else other.after(item);
  deskRenumber();
  button.focus();
  const place = deskItems().indexOf(item) + 1;
  document.getElementById("desk-announce").textContent =
    `Now number ${place} of ${deskItems().length}.`;
}

function deskCount(field) {
  const shown = Number(field.dataset.count);
  const hint = document.createElement("p");
  hint.className = "desk-hint";
  field.after(hint);
  const write = () => {
    const length = [...field.value].length;
    hint.textContent = `${length} characters; phones show about ${shown}, at most ${field.dataset.limit}.`;
    hint.classList.toggle("desk-long", length > shown);
  };
  field.addEventListener("input", write);
  write();
}

// select2 makes its search field when jQuery says that the page is ready, and gives it no label.
window.django?.jQuery?.(() =>
  document
    .querySelectorAll(".select2-search__field")
    .forEach((field) => field.setAttribute("aria-label", "Find a story"))
);

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-count]").forEach(deskCount);
  document.querySelectorAll("[data-move]").forEach((button) =>
    button.addEventListener("click", () => deskMove(button))
  );
  document.querySelectorAll(".desk-remove input").forEach((box) =>
    box.addEventListener("change", () =>
      box.closest(".desk-item").classList.toggle("desk-gone", box.checked)
    )
  );
});

// The progress element is replaced every few seconds. A second element stays, and a screen reader
// announces its text when that has changed.
document.addEventListener("DOMContentLoaded", () => {
  if (!document.getElementById("desk-progress")) return;
  const told = document.createElement("p");
  told.className = "desk-hidden";
  told.setAttribute("role", "status");
  document.querySelector(".desk-panel").append(told);
  document.body.addEventListener("htmx:afterSettle", () => {
    const words = document.getElementById("desk-progress")?.dataset.say ?? "";
    if (told.textContent !== words) told.textContent = words;
  });
});

// An import's columns are rendered again after each choice. They stay open if they were open.
document.addEventListener("htmx:configRequest", (event) => {
  const columns = document.querySelector(".desk-columns");
  if (columns) event.detail.parameters.choosing = columns.open ? "1" : "";
});
