/**
 * Show the whole form in its iframe: tell the page around it how high the form is, and make the
 * form smaller after a mistake if the page does not listen (static/embed-frames.js does).
 */
(() => {
  "use strict";

  if (parent === window) return;
  // embed-frame.css has a rule for each of these classes.
  const ALL = ["tight", "no-text", "no-button", "no-title"];
  const page = document.documentElement;

  function heightOf(box) {
    const { paddingBottom, borderBottomWidth } = getComputedStyle(box);
    const content = box.lastElementChild.getBoundingClientRect().bottom - box.getBoundingClientRect().top;
    return Math.ceil(content + parseFloat(paddingBottom) + parseFloat(borderBottomWidth));
  }

  function fit() {
    const root = document.querySelector("daybreak-form")?.shadowRoot;
    const box = root?.querySelector(".box");
    if (!box) return;
    page.classList.remove(...ALL);
    // The height is no secret, and which page is around us may be one.
    parent.postMessage({ daybreak: "height", height: heightOf(box) }, "*");
    const mistake = box.querySelector(".problem")?.textContent;
    // With a choice of addresses, "Sign up" would only ask the same question again.
    const choice = box.querySelector(".choices button:not(.quiet)");
    for (const name of ALL) {
      if (heightOf(box) <= innerHeight) break;
      if (name === "tight" || (name === "no-button" ? choice : mistake)) page.classList.add(name);
    }
    if (mistake) root.activeElement?.scrollIntoView({ block: "nearest" });
  }

  const changes = new MutationObserver(fit);
  const arrival = new MutationObserver(arrive);

  function arrive() {
    const root = document.querySelector("daybreak-form")?.shadowRoot;
    if (!root) return;
    arrival.disconnect();
    changes.observe(root, { childList: true, subtree: true });
    fit();
  }

  arrival.observe(document.body, { childList: true, subtree: true });
  arrive();
  addEventListener("resize", fit);
  addEventListener("message", ({ source, data }) => source === parent && data?.daybreak === "measure" && fit());
})();
