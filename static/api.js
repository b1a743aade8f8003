// Render the API's pages. This is a file of its own, because the page allows no inline script.
"use strict";
const container = document.getElementById("api");
// Swagger UI goes by this class; the rest of the page goes by the media query.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyScheme);
applyScheme();
SwaggerUIBundle({
  url: container.dataset.openapi,
  domNode: container,
  deepLinking: true,
  // A token that is typed in lasts for this visit and is stored nowhere.
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
