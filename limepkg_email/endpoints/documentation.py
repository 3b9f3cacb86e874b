"""The OpenAPI document, and a page from local files on which it can be read and tried."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Response, jsonify, send_from_directory

from limepkg_email.endpoints.current import base_url, document
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound
from limepkg_email.web_components import STATIC, manifest

PAGE = Path(str(files("limepkg_email.endpoints") / "documentation_page"))
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)
"""Swagger UI writes styles into the page; scripts come from here alone."""

_OWN = {"page.js": "text/javascript", "page.css": "text/css"}
_SWAGGER = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}

blueprint = Resource(
    "documentation", __name__, tag="Documentation", description="The description of this API."
)


@blueprint.route("/openapi.json")
@public("It describes published source code and holds no data.")
def openapi() -> Any:
    """Give this document."""
    return jsonify(document())


@blueprint.route("/documentation/")
@public("It shows the document, which is public; what is tried on it needs the user's permissions.")
@blueprint.doc(responses={"200": {"description": "An HTML page.", "content": {"text/html": {}}}})
def page() -> Response:
    """Show this document on a page on which calls can be tried."""
    text = (PAGE / "page.html").read_text("utf-8").replace("{{base}}", base_url())
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.route("/documentation/<file>")
@public("The files of the page above.")
@blueprint.doc(responses={"200": {"description": "A script or a style sheet."}})
def page_file(file: str) -> Response:
    """Give a file of the page."""
    if file in _OWN:
        return send_from_directory(PAGE, file, mimetype=_OWN[file])
    built = manifest()
    if file not in _SWAGGER or built is None:
        raise NotFound(f"There is no file {file} for this page; is the front end built?")
    folder = STATIC / built.documentation
    return send_from_directory(folder, file, mimetype=_SWAGGER[file], max_age=86_400)
