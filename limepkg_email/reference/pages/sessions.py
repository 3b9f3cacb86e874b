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
        """Begin a session, unless somebody has tried too often."""
        require_token()
        found = site.host.application(application)
        login, next_ = request.form.get("login", ""), request.form.get("next", "")
        attempt = (application, login, request.remote_addr or "")
        wait = site.attempts.begin(attempt)
        if wait:
            return _asked_to_wait(login, next_, wait)
        if sign_in(application, found.users, login, request.form.get("password", "")) is None:
            values = {"login": login, "next": next_, "wrong": True}
            return make_response(render("sign_in.html", None, **values), 401)
        site.attempts.succeeded(attempt)
        own = next_.startswith(f"/{application}/") and "\\" not in next_
        return redirect(next_ if own else url_for("crm.tickets", application=application))

    @pages.post("/<application>/sign-out")
    def leave(application: str) -> Response:
        """End the session."""
        require_token()
        sign_out(application)
        return redirect(url_for("crm.sign_in_page", application=application))


def _asked_to_wait(login: str, next_: str, seconds: int) -> Response:
    minutes = -(-seconds // 60)
    values = {"login": login, "next": next_, "minutes": minutes}
    answer = make_response(render("sign_in.html", None, **values), 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
