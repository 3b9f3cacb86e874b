"""The list of tickets, and what is changed on one without writing a mail."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from limepkg_email.host import Objects
from limepkg_email.query import And, Condition, Contains, Equals, In, Not, Or, Query
from limepkg_email.reference.mail import TICKET
from limepkg_email.reference.pages.activity import WINDOW, read_page
from limepkg_email.reference.pages.ticket import Form, show_ticket, statuses
from limepkg_email.reference.pages.visit import (
    PAGE_SIZE,
    Paging,
    Site,
    asked_number,
    asked_page,
    asked_text,
    names_of,
    render,
)
from limepkg_email.reference.sign_in import require_token

_PEOPLE = ("firstname", "lastname", "email")
_MOST_PEOPLE = 500
_CLOSED = "closed"
_ALL = "all"


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the pages of tickets."""

    @pages.get("/<application>/tickets")
    def tickets(application: str) -> str:
        """List the tickets, the newest first."""
        return _list(site, application)

    @pages.get(f"/<application>/{TICKET}/<int:id_>/")
    def ticket(application: str, id_: int) -> str:
        """Show one ticket."""
        form = _asked_form()
        return show_ticket(site, site.visit(application), id_, form, asked_number("offset"))

    @pages.post(f"/<application>/{TICKET}/<int:id_>/status")
    def set_status(application: str, id_: int) -> Response:
        """Change how far the ticket is."""
        require_token()
        with site.visit(application).unit_of_work() as work:
            work.objects.update(TICKET, id_, {"status": request.form.get("status", "")})
        return redirect(url_for("crm.ticket", application=application, id_=id_))

    @pages.post(f"/<application>/{TICKET}/<int:id_>/read")
    def mark_read(application: str, id_: int) -> Response:
        """Mark the ticket's messages as read."""
        require_token()
        visited = site.visit(application)
        mail = site.mail(visited)
        if mail is not None:
            mail.mark_read(visited, id_)
        return redirect(url_for("crm.ticket", application=application, id_=id_))


def _asked_form() -> Form:
    """Give the empty form for the conversation that the address names, or for a new one."""
    if request.args.get("conversation") == "new":
        return Form(conversation=0)
    chosen = asked_number("conversation") or None
    return Form(conversation=chosen, narrowed=chosen is not None)


def _list(site: Site, application: str) -> str:
    visited = site.visit(application)
    asked = {"q": asked_text("q"), "status": asked_text("status")}
    page, mail = asked_page(), site.mail(visited)
    latest = mail.latest(visited, WINDOW) if mail else {}
    followed = mail.with_follower(visited, asked["q"]) if mail and asked["q"] else ()
    with visited.unit_of_work() as work:
        where = _condition(work.objects, followed, **asked)
        total = work.objects.count(TICKET, where)
        rows = read_page(work.objects, where, latest, PAGE_SIZE, (page - 1) * PAGE_SIZE)
        people = names_of(work.objects, "person", [each["person"] for each in rows])
        coworkers = names_of(work.objects, "coworker", [each["coworker"] for each in rows])
    return render(
        "tickets.html",
        visited,
        tickets=rows,
        people=people,
        coworkers=coworkers,
        mail=mail.overview(visited, [each.id for each in rows]) if mail else {},
        statuses=statuses(visited),
        paging=Paging(page, total),
        asked=asked,
    )


def _condition(objects: Objects, followed: Sequence[int], q: str, status: str) -> Condition:
    found: list[Condition] = [Or((_matches(objects, q), In("id", followed)))] if q else []
    if not status:
        found.append(Not(Equals("status", _CLOSED)))
    elif status != _ALL:
        found.append(Equals("status", status))
    return And(tuple(found))


def _matches(objects: Objects, text: str) -> Condition:
    """Search titles, requesters and numbers."""
    words = text.split()
    of_name = And(tuple(Or(tuple(Contains(each, word) for each in _PEOPLE)) for word in words))
    people = objects.query(Query("person", of_name, limit=_MOST_PEOPLE, properties=()))
    found: list[Condition] = [Contains("title", text), In("person", [each.id for each in people])]
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        found.append(Equals("id", int(number)))
    return Or(tuple(found))
