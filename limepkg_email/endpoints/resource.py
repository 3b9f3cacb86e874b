"""The blueprint of one group of endpoints, with what all of them share already in it."""

from __future__ import annotations

from collections.abc import Callable
from json import JSONDecodeError
from typing import Any, TypeVar

from flask import Request, Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, RAISE, Schema
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from limepkg_email.config import Configuration
from limepkg_email.endpoints.current import identifier, integration, services, take_application
from limepkg_email.endpoints.faults import answer_errors
from limepkg_email.endpoints.methods import allowed_methods
from limepkg_email.endpoints.permissions import Access, access_of
from limepkg_email.errors import BadRequest, Forbidden, NotFound
from limepkg_email.outgoing.problems import MAX_FILES_TOGETHER

View = TypeVar("View", bound=Callable[..., Any])

PREFIX = "limepkg_email_"
"""How the names of the package's blueprints begin in a host's app."""

_ROOM_FOR_MESSAGE = 16 * 1024 * 1024
_FORM = "multipart/form-data"
_NO_JSON = "The body is not JSON."


class StrictParser(FlaskParser):
    """Reads arguments and refuses the ones that nobody asked for.

    The location `message` is the JSON of the body, or of the part `message` of a form with files.
    """

    __location_map__ = {**FlaskParser.__location_map__, "message": "load_message"}  # noqa: RUF012

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares no ClassVar
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": RAISE,
        "query": RAISE,
        "form": RAISE,
        "files": RAISE,
        "message": RAISE,
        "headers": EXCLUDE,
    }

    def load_message(self, req: Request, schema: Schema) -> Any:
        """Give the message that the body or a part of it holds."""
        if req.mimetype != _FORM:
            return self.load_json(req, schema)
        try:
            return core.parse_json(req.form.get("message", "{}"))
        except (RecursionError, ValueError):
            raise BadRequest(_NO_JSON) from None

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except JSONDecodeError:
            raise
        except (RecursionError, ValueError):
            # Nested too deep, or a number of thousands of digits: no parser's fault.
            raise BadRequest(_NO_JSON) from None


class Resource(Blueprint):  # type: ignore[misc]
    """A group of endpoints, each with a declared permission and with either form of its path."""

    ARGUMENTS_PARSER = StrictParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {  # noqa: RUF012 - nor does flask-smorest
        **Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "message": "application/json",
    }

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
        self.before_request(_answer_options)
        self.before_request(_check_access)
        self.after_request(_add_headers)
        answer_errors(self)

    # flask-smorest is untyped; these say what its decorators do to a view's type: nothing.

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register the view below under a path."""
        return super().route(rule, **options)  # type: ignore[no-any-return]

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        """Give what the schema reads as the view's first argument."""
        return super().arguments(schema, **options)  # type: ignore[no-any-return]

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Answer with the status and with what the schema makes of the view's result."""
        return super().response(status, schema, **options)  # type: ignore[no-any-return]

    def doc(self, **values: Any) -> Callable[[View], View]:
        """Add to the OpenAPI document what cannot be seen in the code."""
        return super().doc(**values)  # type: ignore[no-any-return]

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


def _answer_options() -> Response | None:
    # Flask would name every method, because of the endpoint that answers to what does not exist.
    if request.method != "OPTIONS":
        return None
    methods = allowed_methods()
    if not methods:
        raise NotFound(f"There is no endpoint {request.path}.")
    heads = ["HEAD"] if "GET" in methods else []
    return Response(headers={"Allow": ", ".join([*methods, *heads, "OPTIONS"])})


def _check_access() -> None:
    access = access_of(current_app.view_functions[request.endpoint or ""])
    if not access.permissions:
        return
    # First of all, because a host may look into a form to see who sent it.
    _limit_size(access, integration().anonymous_services(identifier()).config)
    acting = services()
    if not access.allows(acting.application.user):
        raise Forbidden(f"This needs the permission {access.permission}.")
    if not access.before_setup:
        integration().require_installed(acting)
    _check_content_type(access)


def _check_content_type(access: Access) -> None:
    # A foreign page's form can POST and can have no such type, so a cookie alone is not enough to
    # change things. The other methods a foreign page cannot use without being asked first.
    if request.method in ("GET", "HEAD") or request.mimetype == "application/json":
        return
    if request.method == "DELETE" and not request.content_length:
        return
    if not (access.files and request.mimetype == _FORM):
        raise UnsupportedMediaType(
            f"Send application/json{f' or {_FORM}' if access.files else ''}."
        )


def _limit_size(access: Access, config: Configuration) -> None:
    if not access.files:
        request.max_content_length = access.most_bytes
        return
    files = max(config.max_attachment_size, MAX_FILES_TOGETHER)
    request.max_content_length = files + _ROOM_FOR_MESSAGE
    request.max_form_memory_size = _ROOM_FOR_MESSAGE


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
