// Draws the OpenAPI document that the page names; nothing is asked of another host (no validator, no sample server).
window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: document.body.dataset.document,
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: false,
    validatorUrl: null,
  });
});
