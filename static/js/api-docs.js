// The API's documentation, drawn by Swagger UI from our own OpenAPI document. Its links to a call would stand inside
// of buttons, and its list of schemas says again what each call says.
(() => {
  const host = document.getElementById("swagger-ui");
  // What scrolls sideways can be reached by the keyboard.
  const reach = () => {
    for (const one of host.querySelectorAll("pre:not([tabindex])")) one.tabIndex = 0;
  };
  new MutationObserver(reach).observe(host, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: host.dataset.url,
    dom_id: "#swagger-ui",
    deepLinking: false,
    defaultModelsExpandDepth: -1,
    layout: "BaseLayout",
    validatorUrl: null,
  });
})();
