"""What the request at hand is about: the integration, the application of its URL, its services."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import current_app, g, request, url_for

from limepkg_email.endpoints.fields import GREATEST_ID
from limepkg_email.errors import NotFound
from limepkg_email.services import Services

if TYPE_CHECKING:
    from limepkg_email.plugin import EmailIntegration

NOWHERE = "limepkg_email_unknown"
"""The blueprint that answers to paths which do not exist."""

EXTENSION = "limepkg_email"
"""The key in `app.extensions` under which the `Mounted` integration stands."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Mounted:
    """What a Flask app keeps of the package: the integration and how to get its API's document."""

    integration: EmailIntegration
    document: Callable[[str], dict[str, Any]]


def integration() -> EmailIntegration:
    """Give the integration that is mounted in this Flask app."""
    mounted: Mounted = current_app.extensions[EXTENSION]
    return mounted.integration


def document() -> dict[str, Any]:
    """Give the OpenAPI document of the endpoints of the request's application."""
    mounted: Mounted = current_app.extensions[EXTENSION]
    return mounted.document(base_url())


def take_application(_: str | None, values: dict[str, Any] | None) -> None:
    """Take the application off the URL's values, so that no view has it as an argument.

    Raises `NotFound` for a number that no object can have.
    """
    values = {} if values is None else values
    g.limepkg_email_application = values.pop("application", "")
    if any(isinstance(each, int) and each > GREATEST_ID for each in values.values()):
        raise NotFound


def identifier() -> str:
    """Give the identifier of the application that the URL names."""
    found: str = g.limepkg_email_application
    return found


def base_url() -> str:
    """Give the path below which the endpoints of the request's application are."""
    return url_for("limepkg_email_health.health", application=identifier()).removesuffix("/health")


def services() -> Services:
    """Give the services with the acting user; raises `Unauthorized` when nobody is signed in."""
    if "limepkg_email_services" not in g:
        found = integration().request_services()
        if found.application.identifier != identifier():
            raise NotFound
        g.limepkg_email_services = found
    kept: Services = g.limepkg_email_services
    return kept


def request_id() -> str:
    """Give the id of the request in the log: the caller's if it is a sane one, or ours."""
    if "limepkg_email_request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.limepkg_email_request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    kept: str = g.limepkg_email_request_id
    return kept
