"""The answer to paths below the prefix that do not exist."""

from __future__ import annotations

from typing import NoReturn

from werkzeug.exceptions import MethodNotAllowed

from limepkg_email.endpoints.methods import METHODS, allowed_methods
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound

unknown = Resource("unknown", __name__, tag="", description="", documented=False)


@unknown.route("/", methods=METHODS)
@unknown.route("/<path:rest>", methods=METHODS)
@public("There is nothing here to be protected.")
def nowhere(rest: str = "") -> NoReturn:
    """Answer, in the package's own shape, that a path or a method does not exist."""
    allowed = allowed_methods()
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound(f"There is no endpoint /{rest}.")
