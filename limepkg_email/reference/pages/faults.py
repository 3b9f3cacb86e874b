"""The CRM's own pages for what went wrong."""

from __future__ import annotations

from flask import Response, make_response, redirect, request, url_for
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from limepkg_email.errors import EmailIntegrationError, Unauthorized
from limepkg_email.reference.pages.visit import render


def explain(error: EmailIntegrationError) -> AnyResponse:
    """Answer a page's error with a page; whoever is not signed in may do that first."""
    if isinstance(error, Unauthorized):
        known = request.path.lstrip("/").partition("/")[0]
        back = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("crm.sign_in_page", application=known, next=back or None))
    title = type(error).__doc__ or ""
    page = render("fault.html", None, status=error.status, title=title, message=error.message)
    response = make_response(page, error.status)
    if error.retryable:
        response.headers["Retry-After"] = "10"
    return response


def unexpected(error: HTTPException) -> Response:
    """Answer anything else; the page depends on nothing that could be broken too."""
    response = make_response(
        "<!doctype html>\n"
        f'<html lang="en"><meta charset="utf-8"><title>{escape(error.name)}</title>\n'
        f"<h1>{escape(error.name)}</h1>\n<p>{escape(error.description or '')}</p>\n</html>\n",
        error.code or 500,
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    if error.code == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response
