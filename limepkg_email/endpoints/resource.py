"""The blueprint of one group of endpoints, with what all of them share already in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, RAISE
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from limepkg_email.endpoints.current import services, take_application
from limepkg_email.endpoints.faults import answer_errors
from limepkg_email.endpoints.permissions import Access, access_of
from limepkg_email.errors import Forbidden

PREFIX = "limepkg_email_"
"""How the names of the package's blueprints begin in a host's app."""


class StrictParser(FlaskParser):
    """Reads arguments and refuses the ones that nobody asked for."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares no ClassVar
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": RAISE,
        "query": RAISE,
        "form": RAISE,
        "files": RAISE,
        "headers": EXCLUDE,
    }


class Resource(Blueprint):  # type: ignore[misc] # flask-smorest is untyped
    """A group of endpoints, each with a declared permission and with either form of its path."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        tag: str,
        description: str,
        documented: bool = True,
    ) -> None:
        super().__init__(PREFIX + name, import_name, description=description)
        self.tag = tag
        self.documented = documented
        self.url_value_preprocessor(take_application)
        self.before_request(_check_access)
        self.after_request(_add_headers)
        answer_errors(self)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a view; raises `TypeError` for one that declares no permission."""
        if view_func is None:
            raise TypeError(f"{rule} has no view")
        access_of(view_func)
        options["tags"] = [self.tag]
        options.setdefault("strict_slashes", False)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def _check_access() -> None:
    access = access_of(current_app.view_functions[request.endpoint or ""])
    if not access.permission:
        return
    _check_content_type(access)
    user = services().application.user
    if not user.can(access.permission):
        raise Forbidden(f"This needs the permission {access.permission}.")


def _check_content_type(access: Access) -> None:
    # A foreign page's form cannot have this type, so a cookie alone is not enough to change things.
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.mimetype == "application/json":
        return
    if not (access.files and request.mimetype == "multipart/form-data"):
        raise UnsupportedMediaType("Send application/json.")


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
