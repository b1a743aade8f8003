// The page is hidden until Alpine runs; by then a browser may have given up on autofocus.
addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});
