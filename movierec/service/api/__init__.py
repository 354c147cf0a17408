"""The HTTP side of the service: routes, schemas, errors, security and the page."""
