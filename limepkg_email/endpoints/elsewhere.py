"""The OpenAPI document, and the answer to paths below the prefix that do not exist."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import jsonify
from werkzeug.exceptions import MethodNotAllowed

from limepkg_email.endpoints.current import document
from limepkg_email.endpoints.methods import METHODS, allowed_methods
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound

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
    allowed = allowed_methods()
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound(f"There is no endpoint /{rest}.")
