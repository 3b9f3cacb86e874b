"""Every file of a mail can be opened: in its body, or as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from limepkg_email.engine.types import Message
from limepkg_email.incoming.pipeline import import_message
from tests.stack import SUPPORT, Stack, running


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        found.settle()
        found.sandbox.control("POST", "/webhooks/pause")
        yield found


def letter(html: str = "<p>Text</p>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "anna@example.org", SUPPORT, "Files"
    mail["Message-ID"] = "<files@example.org>"
    mail.set_content(html, subtype="html")
    return mail


def arrived(stack: Stack, mail: EmailMessage) -> Message:
    """Let the mail arrive and give the engine's description of it."""
    made = stack.deliver(mail.as_bytes())
    return stack.installation.services.engine.message("support", made["id"])


@pytest.mark.parametrize(
    ("content_type", "kept_as"),
    [
        ("image/png", "embeddedfile"),
        ("image/heic", "document"),
        ("image/svg+xml", "document"),
        ("application/pdf", "document"),
    ],
)
def test_what_a_body_cannot_show_is_a_document_though_it_refers_to_it(
    stack: Stack, content_type: str, kept_as: str
) -> None:
    mail = letter('<p>Look: <img src="cid:c1@x"></p>')
    kind, _, subtype = content_type.partition("/")
    mail.add_related(b"content", maintype=kind, subtype=subtype, cid="<c1@x>", filename="file")
    import_message(stack.installation.services, "support", arrived(stack, mail))
    found = {each: len(stack.installation.all(each)) for each in ("embeddedfile", "document")}
    assert found == {"embeddedfile": 0, "document": 0, kept_as: 1}


def sizes(stack: Stack) -> dict[str, int]:
    describe = stack.installation.services.application.files.describe
    return {
        str(each["comment"]): describe(str(each["document"])).size
        for each in stack.installation.all("document")
    }


def test_a_file_whose_size_the_provider_does_not_tell_is_not_taken_for_empty(
    stack: Stack,
) -> None:
    mail = letter()
    mail.add_attachment(b"content", maintype="text", subtype="csv", filename="full.csv")
    mail.add_attachment(b"", maintype="text", subtype="csv", filename="empty.csv")
    found = arrived(stack, mail)
    untold = tuple(replace(each, encoded_size=0) for each in found.attachments)
    import_message(stack.installation.services, "support", replace(found, attachments=untold))
    assert sizes(stack) == {"full.csv": 7, "empty.csv": 0}


@pytest.mark.parametrize("folder", ["Lime CRM Integration Failed", "INBOX"])
def test_files_of_a_mail_that_was_moved_meanwhile_are_found_again(
    stack: Stack, folder: str
) -> None:
    mail = letter()
    mail.add_attachment(b"content", maintype="text", subtype="csv", filename="list.csv")
    found = arrived(stack, mail)
    engine = stack.installation.services.engine
    engine.create_mailbox("support", "Lime CRM Integration Failed")
    moved = engine.move("support", found.id, "Lime CRM Integration Failed")
    if folder == "INBOX":
        engine.move("support", moved.id, folder)
    import_message(stack.installation.services, "support", found)
    assert sizes(stack) == {"list.csv": 7}


def test_files_of_a_mail_that_was_deleted_are_named_in_the_message(stack: Stack) -> None:
    mail = letter()
    mail.add_attachment(b"content", maintype="text", subtype="csv", filename="list.csv")
    found = arrived(stack, mail)
    stack.installation.services.engine.delete_message("support", found.id, force=True)
    import_message(stack.installation.services, "support", found)
    assert "list.csv" in str(stack.installation.one("conversationmessage")["body"])
