"""Extensions that look into the CRM while a mail is imported."""

from __future__ import annotations

from pathlib import Path

from limepkg_email.engine.types import Message
from limepkg_email.hooks import ParentReference, hookimpl
from limepkg_email.host import Objects
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.models import Disposition
from limepkg_email.query import Equals, Query
from tests.incoming.arriving import arriving
from tests.installation import installed


class TicketNumbers:
    """Finds the ticket that the subject names, and the company behind an address."""

    @hookimpl
    def conversation_parent(self, message: Message, objects: Objects) -> ParentReference | None:
        found = objects.query(Query("helpdesk", Equals("title", message.subject)))
        return ParentReference("helpdesk", found[0].id) if found else None

    @hookimpl
    def follower_parent(self, address: str, objects: Objects) -> ParentReference | None:
        found = objects.query(Query("person", Equals("lastname", address)))
        return ParentReference("person", found[0].id) if found else None


def test_a_parent_can_be_looked_for_in_the_crm_while_a_mail_is_imported(
    database_url: str, tmp_path: Path
) -> None:
    with installed(tmp_path, database_url, extensions=[TicketNumbers()]) as installation:
        installation.connect("support", "support@example.com")
        ticket = installation.add("helpdesk", title="Ticket 7")
        person = installation.add("person", firstname="A", lastname="anna@example.org")
        outcome = import_message(installation.services, "support", arriving("Ticket 7"))
        assert outcome.disposition is Disposition.IMPORTED
        assert installation.one("conversation")["helpdesk"] == ticket
        assert installation.one("follower")["person"] == person
