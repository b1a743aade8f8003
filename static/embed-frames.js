/** Let the iframes of Daybreak's form in this page be as high as what is in them. */
(() => {
  "use strict";

  const script = document.currentScript ?? document.querySelector('script[src*="/embed/frames.js"]');
  const base = new URL(".", script.src);
  const frames = () => [...document.querySelectorAll("iframe")].filter(({ src }) => src.startsWith(base.href));

  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== base.origin || data?.daybreak !== "height") return;
    const frame = frames().find(({ contentWindow }) => contentWindow === source);
    // Its own height stays the least, so that the page does not move without need.
    if (frame) frame.style.minHeight = `${Math.min(data.height, 2000)}px`;
  });

  // Those that were there before this script have already said how high they are.
  for (const { contentWindow } of frames()) contentWindow?.postMessage({ daybreak: "measure" }, "*");
})();
