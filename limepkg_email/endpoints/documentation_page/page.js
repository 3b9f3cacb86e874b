// Shows the OpenAPI document. Requests are made as whoever is signed in to the CRM in this browser.
const place = document.getElementById('documentation');

window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tagsSorter: 'alpha',
  validatorUrl: null,
});
