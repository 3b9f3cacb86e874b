"""The CRM's pages, rendered on the server; they need no script."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response
from markupsafe import Markup, escape

from limepkg_email.errors import EmailIntegrationError
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.mail import Mail
from limepkg_email.reference.pages import faults, files, people, sessions, tickets, writing
from limepkg_email.reference.pages.visit import Site
from limepkg_email.reference.sign_in import csrf_token

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


def create_pages(host: ReferenceHost, mail: Mail | None) -> Blueprint:
    """Make the blueprint of all pages."""
    pages = Blueprint(
        "crm",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static/crm",
    )
    site = Site(host, mail)
    for part in (sessions, tickets, writing, people, files):
        part.add_to(pages, site)
    pages.register_error_handler(EmailIntegrationError, faults.explain)
    pages.after_request(_protect)
    pages.add_app_template_filter(moment)
    pages.add_app_template_global(csrf_token)
    return pages


def moment(value: datetime | None) -> Markup:
    """Show an instant briefly; the whole of it is in the element's attributes."""
    if value is None:
        return Markup("")
    exact = value.isoformat(timespec="seconds")
    shown = f"{value.day} {value:%b %Y, %H:%M}"
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, escape(shown))


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
