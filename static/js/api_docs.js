// Draws the API's documentation from the schema's address, under the strict CSP:
//   [data-api-docs]  holds it; the value is the address of the OpenAPI document
const place = document.querySelector("[data-api-docs]");

if (place && window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.apiDocs,
    deepLinking: true,
    // Its own presets only: no validator badge, which would ask another server.
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
}
