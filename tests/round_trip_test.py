"""The main job end to end: a customer's mail becomes a ticket, the answer reaches the customer."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from limepkg_email.outgoing.compose import Draft, submit
from tests.stack import Stack, running

SAMPLES = Path(__file__).parents[1] / "limepkg_email" / "reference" / "samples"


@pytest.fixture
def stack(database_url: str, tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path, database_url) as found:
        yield found


def sample(name: str) -> bytes:
    (path,) = SAMPLES.glob(f"{name}*.eml")
    return path.read_bytes()


def test_mail_becomes_ticket_and_answer_reaches_every_follower(stack: Stack) -> None:
    stack.deliver(sample("01"))
    stack.settle()
    installation = stack.installation
    conversation = installation.one("conversation")
    assert installation.one("helpdesk")["title"] == "Booking for two persons"
    assert {each["email"] for each in installation.all("follower")} == {
        "anna@example.org",
        "lisa@example.net",
    }
    (received,) = stack.mailbox("support@example.com")
    assert "\\Seen" in received["flags"]

    submit(
        installation.services,
        Draft(
            account=installation.accounts["support"].id,
            conversation=conversation.id,
            text="Välkomna på fredag!",
        ),
    )
    stack.settle()
    for address in ("anna@example.org", "lisa@example.net"):
        (answer,) = stack.mailbox(address, raw=True)
        mail = message_from_bytes(b64decode(answer["raw"]), policy=default)
        assert mail["To"].addresses[0].addr_spec == address
        assert mail["In-Reply-To"] == "<booking-1@example.org>"
        assert "<booking-1@example.org>" in mail["References"]
        assert mail["Subject"] == "Re: Booking for two persons"
    states = {each["state"] for each in installation.all("messagefollower") if each["role"] == "to"}
    assert states == {"sent"}

    reply = (
        f"From: anna@example.org\r\nTo: support@example.com\r\nSubject: Re: Booking\r\n"
        f"Message-ID: <thanks@example.org>\r\nIn-Reply-To: {mail['Message-ID']}\r\n\r\nThanks!\r\n"
    )
    stack.deliver(reply.encode())
    stack.settle()
    assert len(installation.all("conversation")) == 1
    assert len(installation.all("conversationmessage")) == 3
    assert installation.one("conversation")["unread"] is True


def test_samples_become_what_they_should(stack: Stack) -> None:
    for path in sorted(SAMPLES.glob("*.eml")):
        stack.deliver(path.read_bytes())
        stack.settle(2)
    stack.settle()
    titles = [each["title"] for each in stack.installation.all("helpdesk")]
    assert titles == [
        "Booking for two persons",
        "Felanmälan: skärmen på övervåningen blinkar",
        "請求書についての質問",
        "Five plants for dark rooms",
        "Contact form: opening hours",
        "Fwd: Delivery note",
        "You have won <script>alert(1)</script>",
        "Glömde jag bilagan?",
    ]
    files = stack.installation.all("document")
    assert sorted(str(each["comment"]) for each in files) == [
        'emoji 🚀 and "quotes".json',
        "faktura åäö.pdf",
        "file-1.eml",
        "passwd.csv",
    ]
    assert stack.installation.one("embeddedfile")["contentid"] == "blink@example.org"
