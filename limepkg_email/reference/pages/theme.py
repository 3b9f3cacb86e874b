"""Light or dark: what the system says, unless the reader chose one of them."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from limepkg_email.reference.pages.visit import Site
from limepkg_email.reference.sign_in import require_token

COOKIE = "crm_theme"

# What the design system of the web components reads, so that both always agree.
_VALUES = {"light": "force-light", "dark": "force-dark"}
_YEAR = 365 * 24 * 60 * 60


def chosen_theme() -> str:
    """Give the value of the page's `data-theme`; empty when the system decides."""
    return _VALUES.get(request.cookies.get(COOKIE, ""), "")


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the address where a theme is chosen."""

    @pages.post("/<application>/theme")
    def theme(application: str) -> Response:
        """Remember the theme in a cookie; anything else means the system's."""
        require_token()
        site.host.application(application)
        back = request.form.get("back", "")
        own = back.startswith(f"/{application}/") and "\\" not in back
        response = redirect(back if own else url_for("crm.home", application=application))
        chosen = request.form.get("theme", "")
        if chosen in _VALUES:
            path = f"/{application}/"
            response.set_cookie(COOKIE, chosen, max_age=_YEAR, path=path, samesite="Lax")
        else:
            response.delete_cookie(COOKIE, path=f"/{application}/", samesite="Lax")
        return response
