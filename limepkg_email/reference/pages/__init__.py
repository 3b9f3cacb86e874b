"""The CRM's pages: rendered on the server, made quicker to use by small scripts of our own."""

from __future__ import annotations

from functools import partial

from flask import Blueprint

from limepkg_email.errors import EmailIntegrationError
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.mail import Mail
from limepkg_email.reference.pages import (
    administration,
    conversations,
    display,
    faults,
    files,
    people,
    sessions,
    theme,
    tickets,
    writing,
)
from limepkg_email.reference.pages.front_end import front_end
from limepkg_email.reference.pages.protection import csp_nonce, protect
from limepkg_email.reference.pages.visit import Site
from limepkg_email.reference.sign_in import csrf_token

_PARTS = (sessions, theme, tickets, writing, people, conversations, administration, files)


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
    for part in _PARTS:
        part.add_to(pages, site)
    pages.register_error_handler(EmailIntegrationError, partial(faults.explain, site))
    pages.after_request(protect)
    for value in (display.moment, display.initials, display.hue):
        pages.add_app_template_filter(value)
    for call in (csrf_token, csp_nonce, theme.chosen_theme, front_end):
        pages.add_app_template_global(call)
    return pages
