"""One ticket on a page: its properties, its conversation and the form for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from limepkg_email.host import LimeObject, Objects
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import TICKET
from limepkg_email.reference.pages.visit import Site, names_of, render

FEED_PAGE = 50
"""Messages by which the page goes back in a long conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A mail in the making, as it stands in the form; `errors` are sentences per field.

    `key` makes a second click on the button send nothing more. Conversation 0 is one that is to
    begin; `narrowed` means that the page shows the chosen conversation only.
    """

    conversation: int | None = None
    narrowed: bool = False
    account: int | None = None
    subject: str = ""
    text: str = ""
    recipients: str = ""
    followers: frozenset[int] | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    message: str = ""
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


def show_ticket(
    site: Site, application: ReferenceApplication, id_: int, form: Form, offset: int = 0
) -> str:
    """Render the page of a ticket; raises `NotFound`."""
    with application.unit_of_work() as work:
        found = work.objects.get(TICKET, id_)
        people = _people(work.objects, found)
    mail = site.mail(application)
    return render(
        "ticket.html",
        application,
        ticket=found,
        people=people,
        statuses=statuses(application),
        feed=mail.feed(application, id_, offset) if mail else None,
        composer=mail.composer(application, id_, form.conversation) if mail else None,
        form=form,
        offset=offset,
        feed_page=FEED_PAGE,
        narrowed=form.narrowed,
        may_write=application.user.access.allows("update", TICKET),
    )


def statuses(application: ReferenceApplication) -> dict[str, str]:
    """Give what a ticket's status can be, by key."""
    declared = application.limetypes.describe()[TICKET].property("status")
    return {each.key: each.text for each in declared.options} if declared else {}


def _people(objects: Objects, ticket: LimeObject) -> dict[str, tuple[str, object, str]]:
    """Give label, id and name of those whom the ticket points at, by limetype."""
    found = {}
    labels = {"person": "Requester", "company": "Company", "coworker": "Responsible"}
    for limetype, label in labels.items():
        names = names_of(objects, limetype, [ticket[limetype]])
        for id_, name in names.items():
            found[limetype] = (label, id_, name)
    return found
