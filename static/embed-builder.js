/* The snippet builder: copy the code; everything else is htmx. */
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = document.getElementById(button.dataset.copy);
  const status = document.getElementById("copied");
  try {
    await navigator.clipboard.writeText(code.value);
    status.textContent = "Copied.";
  } catch {
    // Only pages over https may write to the clipboard.
    code.select();
    status.textContent = "Press Ctrl+C (⌘C on a Mac) to copy.";
  }
});
