"""The list of tickets, and one ticket with its conversation."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from limepkg_email.host import LimeObject
from limepkg_email.query import And, Condition, Contains, Equals, Not, Order, Query
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import TICKET
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
from limepkg_email.reference.pages.writing import empty_form, ticket_page
from limepkg_email.reference.sign_in import require_token


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the pages of tickets."""

    @pages.get("/<application>/tickets")
    def tickets(application: str) -> str:
        """List the tickets, the newest first."""
        visited = site.visit(application)
        where, page = _asked(), asked_page()
        with visited.unit_of_work() as work:
            total = work.objects.count(TICKET, where)
            order = (Order("created", descending=True), Order("id", descending=True))
            rows = work.objects.query(
                Query(TICKET, where, order, PAGE_SIZE, (page - 1) * PAGE_SIZE)
            )
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
            asked={"q": asked_text("q"), "status": asked_text("status")},
        )

    @pages.get(f"/<application>/{TICKET}/<int:id_>/")
    def ticket(application: str, id_: int) -> str:
        """Show one ticket."""
        visited = site.visit(application)
        offset, chosen = asked_number("offset"), asked_number("conversation") or None
        return ticket_page(site, visited, id_, empty_form(chosen), offset)

    @pages.post(f"/<application>/{TICKET}/<int:id_>/status")
    def set_status(application: str, id_: int) -> Response:
        """Change how far the ticket is."""
        require_token()
        with site.visit(application).unit_of_work() as work:
            work.objects.update(TICKET, id_, {"status": request.form.get("status", "")})
        return redirect(url_for("crm.ticket", application=application, id_=id_))

    @pages.post(f"/<application>/{TICKET}/<int:id_>/read")
    def read(application: str, id_: int) -> Response:
        """Mark the ticket's messages as read."""
        require_token()
        visited = site.visit(application)
        mail = site.mail(visited)
        if mail is not None:
            mail.mark_read(visited, id_)
        return redirect(url_for("crm.ticket", application=application, id_=id_))


def statuses(application: ReferenceApplication) -> dict[str, str]:
    """Give what a ticket's status can be, by key."""
    declared = application.limetypes.describe()[TICKET].property("status")
    return {each.key: each.text for each in declared.options} if declared else {}


def _asked() -> Condition:
    text, status = asked_text("q"), asked_text("status")
    found: list[Condition] = []
    if text:
        found.append(Contains("title", text))
    if status == "all":
        pass
    elif status:
        found.append(Equals("status", status))
    else:
        found.append(Not(Equals("status", "closed")))
    return And(tuple(found))


__all__ = ["LimeObject", "add_to", "statuses"]
