"""The CRM's own pages for what went wrong."""

from __future__ import annotations

from flask import Response, make_response, redirect, request, url_for
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from limepkg_email.errors import EmailIntegrationError, Unauthorized
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.pages.kept import give_back, holds_text
from limepkg_email.reference.pages.visit import Site, render
from limepkg_email.reference.sign_in import FormTooOld

_BARE = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"


def explain(site: Site, error: EmailIntegrationError) -> AnyResponse:
    """Answer a page's error with a page; whoever is not signed in may do that first."""
    if isinstance(error, (Unauthorized, FormTooOld)) and holds_text():
        return give_back(_visitor(site), error)
    if isinstance(error, Unauthorized):
        known = request.path.lstrip("/").partition("/")[0]
        back = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("crm.sign_in_page", application=known, next=back or None))
    title = type(error).__doc__ or ""
    visitor = _visitor(site)
    page = render("fault.html", visitor, status=error.status, title=title, message=error.message)
    response = make_response(page, error.status)
    if error.retryable:
        response.headers["Retry-After"] = "10"
    return response


def _visitor(site: Site) -> ReferenceApplication | None:
    """Give the application with its user, for the page around the error, as far as that works."""
    try:
        return site.host.current_application()
    except EmailIntegrationError:
        return None


def unexpected(error: HTTPException) -> Response:
    """Answer anything else; the page depends on nothing that could be broken too."""
    response = make_response(
        "<!doctype html>\n"
        f'<html lang="en"><meta charset="utf-8"><title>{escape(error.name)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/crm/crm.css">\n'
        f'<main class="lonely"><h1>{escape(error.name)}</h1>\n'
        f"<p>{escape(error.description or '')}</p>\n"
        '<p><a class="button" href="/">To the start page</a></p></main>\n</html>\n',
        error.code or 500,
    )
    response.headers["Content-Security-Policy"] = _BARE
    response.headers["X-Content-Type-Options"] = "nosniff"
    if error.code == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response
