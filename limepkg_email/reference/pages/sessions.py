"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from limepkg_email.reference.pages.visit import Site, render
from limepkg_email.reference.sign_in import require_token, sign_in, sign_out


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the pages of sessions."""

    @pages.get("/")
    def start() -> Response:
        """Go to the first application."""
        return redirect(url_for("crm.home", application=next(iter(site.host.applications()))))

    @pages.get("/<application>/")
    def home(application: str) -> Response:
        """Go to the tickets."""
        site.host.application(application)
        return redirect(url_for("crm.tickets", application=application))

    @pages.get("/<application>/sign-in")
    def sign_in_page(application: str) -> str:
        """Ask who it is."""
        site.host.application(application)
        return render("sign_in.html", None, next=request.args.get("next", ""))

    @pages.post("/<application>/sign-in")
    def enter(application: str) -> Response:
        """Begin a session."""
        require_token()
        found = site.host.application(application)
        login, next_ = request.form.get("login", ""), request.form.get("next", "")
        password = request.form.get("password", "")
        if sign_in(application, found.users, login, password) is None:
            values = {"login": login, "next": next_, "wrong": True}
            return make_response(render("sign_in.html", None, **values), 401)
        own = next_.startswith(f"/{application}/") and "\\" not in next_
        return redirect(next_ if own else url_for("crm.tickets", application=application))

    @pages.post("/<application>/sign-out")
    def leave(application: str) -> Response:
        """End the session."""
        require_token()
        sign_out(application)
        return redirect(url_for("crm.sign_in_page", application=application))
