// Draws the OpenAPI document that the page names; nothing is asked of another host (no validator, no sample server).
window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: document.body.dataset.document,
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "none", // Hundreds of operations: the groups first.
    defaultModelsExpandDepth: -1, // Hundreds of models take a browser half a minute; each stands beside its operation.
    tryItOutEnabled: false,
    validatorUrl: null,
  });
});
