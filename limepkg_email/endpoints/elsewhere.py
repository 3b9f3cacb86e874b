"""The OpenAPI document, and the answer to paths below the prefix that do not exist."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import MapAdapter

from limepkg_email.endpoints.current import document
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

blueprint = Resource(
    "documentation", __name__, tag="Documentation", description="The description of this API."
)
unknown = Resource("unknown", __name__, tag="", description="", documented=False)


@blueprint.route("/openapi.json")
@public("It describes published source code and holds no data.")
def openapi() -> Any:
    """Give this document."""
    return jsonify(document())


@unknown.route("/", methods=METHODS)
@unknown.route("/<path:rest>", methods=METHODS)
@public("There is nothing here to be protected.")
def nowhere(rest: str = "") -> NoReturn:
    """Answer, in the package's own shape, that a path or a method does not exist."""
    adapter = current_app.create_url_adapter(request)
    allowed = [method for method in METHODS if adapter and _exists(adapter, method)]
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound(f"There is no endpoint /{rest}.")


def _exists(adapter: MapAdapter, method: str) -> bool:
    try:
        endpoint, _ = adapter.match(method=method)
    except HTTPException:
        return False
    return not str(endpoint).startswith(unknown.name)
