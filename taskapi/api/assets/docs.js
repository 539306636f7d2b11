"use strict";
// Starts the page at /docs. Its requests go to the origin from which it came, and to no other.
(function () {
  const root = document.currentScript.dataset.root;
  const safe = ["GET", "HEAD", "OPTIONS"];

  function cookie(name) {
    const found = document.cookie.split("; ").find((each) => each.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  // Who is signed in by cookie proves with this header that the request comes from a page of this origin.
  function proved(request) {
    const isOurs = new URL(request.url, location.href).origin === location.origin;
    const token = cookie("csrf_token");
    if (isOurs && token && !safe.includes((request.method || "GET").toUpperCase())) {
      request.headers = Object.assign({}, request.headers, { "X-CSRF-Token": token });
    }
    return request;
  }

  SwaggerUIBundle({
    url: root + "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    requestInterceptor: proved,
    validatorUrl: null,
  });
})();
