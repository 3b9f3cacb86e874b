"""The people of the CRM, and a plain page for any object."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from limepkg_email.errors import NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.limetypes import Property
from limepkg_email.query import And, Condition, Contains, Equals, In, Or, Order, Query
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import TICKET
from limepkg_email.reference.pages.ticket import statuses
from limepkg_email.reference.pages.visit import (
    PAGE_SIZE,
    Paging,
    Site,
    asked_page,
    asked_text,
    full_name,
    names_of,
    render,
)

_BY_NAME = (Order("lastname"), Order("firstname"), Order("id"))
_SEARCHED = ("firstname", "lastname", "email")


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the pages of people and objects."""

    @pages.get("/<application>/people")
    def people(application: str) -> str:
        """List the people by name."""
        visited = site.visit(application)
        text, page = asked_text("q"), asked_page()
        where = Or(tuple(Contains(name, text) for name in _SEARCHED)) if text else And()
        with visited.unit_of_work() as work:
            total = work.objects.count("person", where)
            rows = work.objects.query(
                Query("person", where, _BY_NAME, PAGE_SIZE, (page - 1) * PAGE_SIZE)
            )
            companies = names_of(work.objects, "company", [each["company"] for each in rows])
        return render(
            "people.html",
            visited,
            people=rows,
            companies=companies,
            paging=Paging(page, total),
            asked={"q": text},
        )

    @pages.get("/<application>/<limetype>/<int:id_>/")
    def show_object(application: str, limetype: str, id_: int) -> str:
        """Show what is known of an object, and a person's or company's tickets."""
        visited = site.visit(application)
        declared = visited.limetypes.describe().get(limetype)
        if declared is None:
            raise NotFound(f"There is nothing called {limetype}.")
        mail = site.mail(visited)
        person = limetype == "person"
        # Before the page's own unit of work: one in another would wait for it.
        conversations = mail.of_person(visited, id_, PAGE_SIZE) if mail and person else ()
        with visited.unit_of_work() as work:
            found = work.objects.get(limetype, id_)
            rows = [
                _row(visited, work.objects, each, found[each.name]) for each in declared.properties
            ]
            written_about = [each.ticket for each in conversations if each.ticket is not None]
            related = _tickets(limetype, id_, written_about)
            tickets = work.objects.query(related) if related else []
            titles = names_of(work.objects, TICKET, [each.ticket for each in conversations])
        return render(
            "object.html",
            visited,
            found=found,
            conversations=conversations,
            titles=titles,
            statuses=statuses(visited),
            declared=declared,
            title=_title(found),
            rows=rows,
            tickets=tickets,
        )


def _tickets(limetype: str, id_: int, written_about: Sequence[int]) -> Query | None:
    """Ask for the tickets that point at somebody, and those about which they write."""
    if limetype not in ("person", "company", "coworker"):
        return None
    where: Condition = Or((Equals(limetype, id_), In("id", written_about)))
    return Query(TICKET, where, (Order("id", descending=True),), PAGE_SIZE)


def _title(found: LimeObject) -> str:
    given = [found.values.get(name) for name in ("firstname", "lastname", "email")]
    single = [found.values.get(name) for name in ("name", "title", "subject", "comment")]
    return full_name(given) or next((str(each) for each in single if each), f"No. {found.id}")


def _row(
    application: ReferenceApplication, objects: Objects, declared: Property, value: object
) -> tuple[Property, object, str]:
    """Give the property, what to show for its value, and where that leads."""
    if value is None:
        return declared, "", ""
    if declared.type == "file":
        shown = application.files.describe(str(value)).filename
        return declared, shown, f"/{application.identifier}/file/{value}"
    if declared.type == "belongsto" and declared.related:
        name = names_of(objects, declared.related, [value]).get(value, "")
        return declared, name, f"/{application.identifier}/{declared.related}/{value}/"
    if declared.type == "option":
        texts = {each.key: each.text for each in declared.options}
        return declared, texts.get(str(value), value), ""
    return declared, value, ""
