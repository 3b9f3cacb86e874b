"""A new conversation is answered automatically: once per follower, and never a flood."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.db import table
from limepkg_email.incoming.pipeline import AUTO_REPLY, import_message
from limepkg_email.models import Template
from limepkg_email.outgoing.autoreply import auto_reply, is_nobody
from limepkg_email.outgoing.situation import Occasion
from limepkg_email.templates.service import TemplateInput, create_template
from tests.incoming.arriving import arriving

from .conftest import NOW, Office, Post, install, make_office
from .relay_test import remove, text_of

ANNA, BO = "anna@example.org", "bo@example.org"
BUDGET = 20
MOST = 5
"""Automatic replies that one address gets, unless told otherwise."""


@pytest.fixture
def answering(office: Office) -> Office:
    choose(office)
    return office


def choose(office: Office, **values: object) -> None:
    """Let the account answer automatically."""
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(**{"autoreply_template": 77, **values}))


def arrive(office: Office, **values: Any) -> None:
    import_message(office.system, "support", arriving(**values))


def occasions(office: Office) -> list[Occasion]:
    jobs = [each for each in office.jobs() if each.task == AUTO_REPLY]
    return [Occasion.of_payload(json.loads(each.payload)) for each in jobs]


def answered(office: Office) -> int:
    return sum(auto_reply(office.system, each) for each in occasions(office))


def recipients(office: Office) -> list[str]:
    return sorted(each.recipient for each in office.outbox())


def test_every_follower_of_a_new_conversation_is_answered(answering: Office) -> None:
    arrive(answering, cc=(BO,))
    assert answered(answering) == 2
    assert recipients(answering) == [ANNA, BO]
    assert {each.kind for each in answering.outbox()} == {"autoreply"}


def test_the_answer_is_a_message_of_its_own(answering: Office) -> None:
    arrive(answering, date=NOW + timedelta(minutes=3))
    answered(answering)
    mail, answer = answering.all("conversationmessage")
    assert (answer["source"], answer["machine"], answer["unread"]) == ("autoreply", "no", False)
    assert answer["date"] == mail["date"]
    assert (answer["authorname"], answer["authoraddress"]) == ("Support", "support@example.com")
    assert answer["conversation"] == mail["conversation"]
    assert answer["subject"] == "We have received: Booking"
    assert "received your mail" in str(answer["preview"])
    (recipient,) = answering.all("messagefollower", conversationmessage=answer.id)
    assert (recipient["role"], recipient["state"]) == ("to", "queued")
    (conversation,) = answering.all("conversation")
    assert conversation["unread"] is True
    assert conversation["lastmessagedate"] == mail["date"]


def test_without_a_template_nothing_is_answered(office: Office) -> None:
    arrive(office)
    assert occasions(office) == []


@pytest.mark.parametrize("changes", [{"autoreply_template": None}, {"enabled": False}])
def test_an_account_can_be_switched_off(answering: Office, changes: dict[str, object]) -> None:
    arrive(answering)
    choose(answering, **changes)
    assert answered(answering) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"headers": {"auto-submitted": "auto-generated"}},
        {"headers": {"precedence": "bulk"}},
        {"headers": {"list-unsubscribe": "<mailto:off@example.org>"}},
        {"headers": {"return-path": "<>"}},
        {"headers": {"x-auto-response-suppress": "OOF, AutoReply"}},
        {"headers": {"x-auto-response-suppress": "All"}},
        {"sender": "help@example.com"},
        {"date": NOW - timedelta(days=300)},
    ],
)
def test_who_must_not_be_answered_is_not(answering: Office, values: dict[str, Any]) -> None:
    arrive(answering, cc=(BO,), **values)
    assert occasions(answering) == []


def test_a_reply_is_not_answered(answering: Office) -> None:
    arrive(answering, message_id="<a@example.org>")
    arrive(answering, in_reply_to="<a@example.org>")
    assert len(occasions(answering)) == 1


def test_nobody_is_not_answered(answering: Office) -> None:
    arrive(answering, sender="no-reply@shop.example", cc=(BO,))
    assert answered(answering) == 0
    # A form that asks for answers to the customer.
    arrive(answering, sender="noreply@shop.example", reply_to=(ANNA,))
    assert answered(answering) == 1
    assert recipients(answering) == [ANNA]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("noreply@example.org", True),
        ("do-not-reply@example.org", True),
        ("inte-svara@example.se", True),
        ("mailer-daemon@example.org", True),
        ("postmaster@example.org", True),
        ("bounces+anna=example.org@news.example", True),
        ("news-request@example.org", True),
        ("owner-news@example.org", True),
        ("anna@example.org", False),
        ("nora@example.org", False),
        ("root.cellar@example.org", False),
        ("ines@example.org", False),
    ],
)
def test_addresses_behind_which_nobody_reads(address: str, expected: bool) -> None:
    assert is_nobody(address) is expected


def test_who_left_or_came_later_is_not_answered(answering: Office) -> None:
    arrive(answering, cc=(BO,))
    (conversation,) = answering.all("conversation")
    (bo,) = [each for each in answering.all("follower") if each["email"] == BO]
    answering.change("follower", bo.id, active=False)
    answering.follower(conversation.id, "later@example.org")
    assert answered(answering) == 1
    assert recipients(answering) == [ANNA]


def test_doing_it_again_sends_nothing_twice(answering: Office) -> None:
    arrive(answering, cc=(BO,))
    assert [answered(answering), answered(answering)] == [2, 0]
    assert len(answering.all("conversationmessage")) == 2
    remove(answering, "messagefollower", state="queued")
    assert answered(answering) == 0


def test_a_repeated_import_sends_nothing_twice(answering: Office) -> None:
    mail = arriving()
    for _ in range(2):
        import_message(answering.system, "support", mail)
        answered(answering)
    assert recipients(answering) == [ANNA]


def test_a_crash_before_the_commit_leaves_nothing(
    answering: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(answering)
    before = answering.counts()
    with monkeypatch.context() as patch:
        patch.setattr("limepkg_email.outgoing.automatic.enter_outgoing", _crash)
        with pytest.raises(SystemError):
            answered(answering)
    assert answering.counts() == before
    assert answered(answering) == 1


def _crash(*_: object) -> None:
    raise SystemError("power cut")


def test_an_address_gets_a_few_answers_and_no_more(answering: Office) -> None:
    for number in range(MOST + 2):
        arrive(answering, subject=f"Mail {number}", cc=(BO,) if number == MOST else ())
    assert answered(answering) == MOST + 1
    assert recipients(answering) == [ANNA] * MOST + [BO]
    answering.clock.advance(timedelta(hours=2))
    arrive(answering, subject="Later")
    assert auto_reply(answering.system, occasions(answering)[-1]) == 1


def test_the_limit_holds_for_workers_at_once(answering: Office) -> None:
    for number in range(2 * MOST):
        arrive(answering, subject=f"Mail {number}")
    found, together = occasions(answering), Barrier(2 * MOST, timeout=30)

    def run(occasion: Occasion) -> int:
        together.wait()
        return auto_reply(answering.system, occasion)

    with ThreadPoolExecutor(2 * MOST) as pool:
        assert sum(pool.map(run, found)) == MOST
    assert recipients(answering) == [ANNA] * MOST


@pytest.mark.parametrize("others", [0, 9])
def test_it_costs_the_same_for_one_and_for_many(answering: Office, others: int) -> None:
    arrive(answering, cc=tuple(f"user{number}@example.org" for number in range(others)))
    (occasion,) = occasions(answering)
    with answering.statements() as statements:
        assert auto_reply(answering.system, occasion) == others + 1
    told = [each for each in statements if not each.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert len(told) <= BUDGET, "\n".join(told)


def test_the_mail_that_arrives(post: Post) -> None:
    office = post.office
    body = "<p>Hej {{ recipient.name }}, {{ parent.title }} via {{ user.name }}</p>"
    template = create_template(
        office.system, TemplateInput("Svar", "autoreply", "sv", "Tack: {{ message.subject }}", body)
    )
    choose(office, autoreply_template=template.id)
    arrive(office, message_id="<start@example.org>", cc=(BO,))
    answered(office)
    post.submit()
    (mail,) = post.delivered(ANNA)
    assert mail["Subject"] == "Tack: Booking"
    assert text_of(mail).strip() == "Hej Anna Andersson, Booking via Support"
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Support", "support@example.com")
    assert [each.addr_spec for each in mail["To"].addresses] == [ANNA]
    assert mail["In-Reply-To"] == mail["References"] == "<start@example.org>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["X-Limepkg-Email"].startswith("5f0c.")
    assert len(post.delivered(BO)) == 1


def test_a_template_that_fails_gives_way_to_the_built_in_one(office: Office) -> None:
    body = "<p>{{ message.body | length / 0 }}</p>{{ message.nothing }}"
    with office.application.database.begin() as connection:
        row = {"name": "x", "language": "en", "purpose": "autoreply", "body": body}
        connection.execute(table(Template).insert().values(id=77, changed_at=NOW, **row))
    choose(office)
    arrive(office)
    assert answered(office) == 1
    (payload,) = office.payloads()
    assert "received your mail" in payload["text"]


def test_objects_of_another_database_that_were_lost_are_made_again(tmp_path: Path) -> None:
    host = install(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path, f"sqlite:///{tmp_path / 'p'}")
    office = make_office(host.application("crm"))
    choose(office)
    arrive(office)
    assert answered(office) == 1
    remove(office, "messagefollower", state="queued")
    remove(office, "conversationmessage", source="autoreply")
    assert [answered(office), answered(office)] == [1, 0]
    (recipient,) = office.all("messagefollower", state="queued")
    assert [each.messagefollower for each in office.outbox()] == [recipient.id]
    host.close()
