"""The list of tickets, and what is changed on one without writing a mail."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from limepkg_email.query import And, Condition, Contains, Equals, Not, Order, Query
from limepkg_email.reference.mail import TICKET
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

_NEWEST_FIRST = (Order("created", descending=True), Order("id", descending=True))
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
        form = Form(conversation=asked_number("conversation") or None)
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


def _list(site: Site, application: str) -> str:
    visited = site.visit(application)
    asked = {"q": asked_text("q"), "status": asked_text("status")}
    where, page = _condition(**asked), asked_page()
    with visited.unit_of_work() as work:
        total = work.objects.count(TICKET, where)
        part = Query(TICKET, where, _NEWEST_FIRST, PAGE_SIZE, (page - 1) * PAGE_SIZE)
        rows = work.objects.query(part)
        people = names_of(work.objects, "person", [each["person"] for each in rows])
    mail = site.mail(visited)
    return render(
        "tickets.html",
        visited,
        tickets=rows,
        people=people,
        mail=mail.overview(visited, [each.id for each in rows]) if mail else {},
        statuses=statuses(visited),
        paging=Paging(page, total),
        asked=asked,
    )


def _condition(q: str, status: str) -> Condition:
    found: list[Condition] = [Contains("title", q)] if q else []
    if not status:
        found.append(Not(Equals("status", _CLOSED)))
    elif status != _ALL:
        found.append(Equals("status", status))
    return And(tuple(found))
