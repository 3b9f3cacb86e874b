"""Extensions that look into the CRM while a mail is imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from limepkg_email import event_log
from limepkg_email.engine.types import Message
from limepkg_email.hooks import Imported, ParentReference, hookimpl, without
from limepkg_email.host import Application, Objects
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.models import Disposition
from limepkg_email.plugin import EmailIntegration
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


class Listener:
    """Hears of imported mail, and of the start of a process."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.started = 0

    @hookimpl
    def message_imported(self, imported: Imported) -> None:
        self.heard.append(imported.conversationmessage)

    @hookimpl
    def startup(self) -> None:
        self.started += 1


class Broken:
    """Fails whenever it is told something."""

    @hookimpl
    def message_imported(self, application: Application, imported: Imported) -> None:
        raise RuntimeError(f"no such thing in {application.identifier}")

    @hookimpl
    def startup(self, integration: EmailIntegration) -> None:
        raise RuntimeError("not today")


def test_an_extension_that_fails_keeps_no_other_from_hearing_of_a_mail(
    database_url: str, tmp_path: Path
) -> None:
    first, last = Listener(), Listener()
    with installed(tmp_path, database_url, extensions=[first, Broken(), last]) as installation:
        installation.connect("support", "support@example.com")
        outcome = import_message(installation.services, "support", arriving())
        message = installation.one("conversationmessage").id
        entries, total = event_log.listing(installation.services)
    assert outcome.disposition is Disposition.IMPORTED
    assert (first.heard, last.heard) == ([message], [message])
    assert (total, entries[0].code, entries[0].details["message"]) == (1, "hook_error", message)
    assert "extensions_test.Broken failed" in entries[0].text
    assert "message_imported" in entries[0].text


def test_an_extension_that_is_switched_off_hears_nothing(database_url: str, tmp_path: Path) -> None:
    listener = Listener()
    with installed(tmp_path, database_url, extensions=[listener]) as installation:
        installation.connect("support", "support@example.com")
        hooks = without(installation.integration.plugins, [f"{__name__}.Listener"])
        services = replace(installation.services, hooks=hooks)
        import_message(services, "support", arriving())
    assert listener.heard == []


def test_an_extension_that_fails_to_start_keeps_no_other_from_starting(
    database_url: str, tmp_path: Path
) -> None:
    first, last = Listener(), Listener()
    with installed(tmp_path, database_url, extensions=[first, Broken(), last]) as installation:
        installation.integration.start()
        installation.integration.stop()
    assert (first.started, last.started) == (1, 1)
