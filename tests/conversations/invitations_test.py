"""Nobody gets mail of a conversation before a mail of ours has brought them into it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from limepkg_email.conversations.followers import add_follower, set_active
from limepkg_email.conversations.merge import merge
from limepkg_email.conversations.move import move
from limepkg_email.conversations.opening import opening
from limepkg_email.db import table
from limepkg_email.errors import InvalidInput
from limepkg_email.host import LimeObject
from limepkg_email.incoming.pipeline import RELAY_MESSAGE
from limepkg_email.models import Job
from limepkg_email.outgoing.compose import Recipient, Submitted
from limepkg_email.outgoing.relay import relay
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.scheduled import cancel, cancel_message
from limepkg_email.outgoing.situation import Occasion
from limepkg_email.outgoing.transitions import OUTBOX, Report, apply
from limepkg_email.query import And, Equals
from tests.conversations.correspondence import Correspondence
from tests.installation import NOW
from tests.statements import counted

ANNA, BO, TWO = "anna@example.org", "bo@example.org", "two@example.org"
START = "<start@example.org>"
TOMORROW = NOW + timedelta(days=1)
TEN_SECONDS = timedelta(seconds=10)


@pytest.fixture
def conversation(mail: Correspondence) -> int:
    """A conversation that Anna began, with Bo in copy."""
    return mail.first(START, cc=(BO,)).conversation


def invite(mail: Correspondence, conversation: int, *who: str, **draft: object) -> Submitted:
    given = {"undo": TEN_SECONDS, **draft}
    named = tuple(Recipient(each) for each in who or (TWO,))
    return mail.send(conversation, recipients=named, **given)


def follower(mail: Correspondence, conversation: int, email: str = TWO) -> LimeObject:
    where = And((Equals("conversation", conversation), Equals("email", email)))
    return mail.crm.one("follower", where)


def mail_to(mail: Correspondence, made: Submitted, email: str = TWO) -> int:
    """The message follower that shows what becomes of the mail to an address."""
    with mail.services.application.database.connect() as connection:
        these = OUTBOX.c.messagefollower.in_(made.messagefollowers)
        query = select(OUTBOX.c.messagefollower).where(these, OUTBOX.c.recipient == email)
        return int(connection.scalars(query).first() or 0)


def fares(mail: Correspondence, made: Submitted, state: str = "sent", email: str = TWO) -> None:
    """The news of a mail, as the engine brings it."""
    current = mail.crm.one("messagefollower", Equals("id", mail_to(mail, made, email)))
    where = OUTBOX.c.message_id == current["messageid"]
    assert apply(mail.services, where, Report(state=state, date=mail.services.clock()))


def sent_on(mail: Correspondence, sender: str = ANNA, **values: object) -> list[str]:
    """Who gets what somebody writes."""
    imported = mail.answer(START, sender, **values)
    jobs = table(Job)
    with mail.services.application.database.connect() as connection:
        found = select(jobs.c.payload).where(jobs.c.task == RELAY_MESSAGE)
        payloads = [json.loads(each) for each in connection.scalars(found)]
    for each in map(Occasion.of_payload, payloads):
        if each.conversationmessage == imported.conversationmessage:
            relay(mail.services, each)
    return relayed(mail, imported.conversationmessage)


def relayed(mail: Correspondence, message: int) -> list[str]:
    shown = mail.crm.all("messagefollower", Equals("conversationmessage", message))
    with mail.services.application.database.connect() as connection:
        of_message = OUTBOX.c.messagefollower.in_([each.id for each in shown])
        query = select(OUTBOX.c.recipient).where(of_message, OUTBOX.c.kind == "relay")
        return sorted(connection.scalars(query))


@pytest.mark.parametrize(
    "how", [{"undo": TEN_SECONDS}, {"send_at": TOMORROW}, {"undo": timedelta()}]
)
def test_who_is_new_gets_what_others_write_once_a_mail_of_ours_has_left(
    mail: Correspondence, conversation: int, how: dict[str, object]
) -> None:
    made = invite(mail, conversation, **how)
    assert sent_on(mail) == [BO]
    fares(mail, made)
    assert sent_on(mail) == [BO, TWO]


def test_who_was_only_in_a_message_that_was_undone_does_not_follow(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation)
    cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation)["active"] is False
    assert [follower(mail, conversation, each)["active"] for each in (ANNA, BO)] == [True, True]
    assert sent_on(mail) == [BO]
    assert sent_on(mail, BO) == [ANNA]
    # Nor do they get the next message to everybody.
    assert len(mail.send(conversation).messagefollowers) == 2


@pytest.mark.parametrize("named", [True, False], ids=["by address", "as follower"])
def test_a_message_that_was_undone_and_is_sent_again_reaches_the_same_people(
    mail: Correspondence, conversation: int, named: bool
) -> None:
    cancel_message(mail.services, invite(mail, conversation).conversationmessage)
    two = follower(mail, conversation).id
    again = (
        invite(mail, conversation)
        if named
        else mail.send(conversation, followers=(two,), undo=TEN_SECONDS)
    )
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO]
    fares(mail, again)
    assert sent_on(mail) == [BO, TWO]


def test_who_is_new_in_two_messages_follows_until_both_are_undone(
    mail: Correspondence, conversation: int
) -> None:
    one, other = invite(mail, conversation), invite(mail, conversation)
    cancel_message(mail.services, one.conversationmessage)
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO]
    cancel_message(mail.services, other.conversationmessage)
    assert follower(mail, conversation)["active"] is False


def test_who_is_new_in_two_messages_stays_when_one_left_and_one_was_undone(
    mail: Correspondence, conversation: int
) -> None:
    one, other = (
        invite(mail, conversation),
        invite(mail, conversation, send_at=TOMORROW, undo=timedelta()),
    )
    fares(mail, one)
    cancel_message(mail.services, other.conversationmessage)
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO, TWO]


def test_of_several_mails_only_the_one_taken_back_invites_nobody(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation, TWO, "three@example.org")
    cancel(mail.services, mail_to(mail, made))
    assert follower(mail, conversation)["active"] is False
    assert follower(mail, conversation, "three@example.org")["active"] is True
    fares(mail, made, email="three@example.org")
    assert sent_on(mail) == [BO, "three@example.org"]


def test_who_could_not_be_reached_gets_nothing_until_a_mail_leaves(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation, undo=timedelta())
    fares(mail, made, "failed")
    assert sent_on(mail) == [BO]
    assert follower(mail, conversation)["active"] is True
    resend(mail.services, mail_to(mail, made))
    assert sent_on(mail) == [BO]
    fares(mail, made)
    assert sent_on(mail) == [BO, TWO]


def test_a_cancelled_mail_that_is_sent_again_invites(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation)
    cancel_message(mail.services, made.conversationmessage)
    resend(mail.services, mail_to(mail, made))
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO]
    fares(mail, made)
    assert sent_on(mail) == [BO, TWO]


def test_a_cancelled_mail_that_left_all_the_same_has_invited(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation)
    cancel_message(mail.services, made.conversationmessage)
    fares(mail, made)
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO, TWO]


def writes(mail: Correspondence, conversation: int) -> None:
    mail.answer(START, TWO)


def is_in_copy(mail: Correspondence, conversation: int) -> None:
    mail.answer(START, ANNA, cc=(TWO,))


def is_switched_on(mail: Correspondence, conversation: int) -> None:
    set_active(mail.services, follower(mail, conversation).id, active=True)


def is_added(mail: Correspondence, conversation: int) -> None:
    add_follower(mail.services, conversation, TWO)


@pytest.mark.parametrize("meanwhile", [writes, is_in_copy, is_switched_on, is_added])
@pytest.mark.parametrize("first", ["invited", "undone"])
def test_who_takes_part_otherwise_meanwhile_stays(
    mail: Correspondence,
    conversation: int,
    meanwhile: Callable[[Correspondence, int], None],
    first: str,
) -> None:
    made = invite(mail, conversation)
    if first == "undone":
        cancel_message(mail.services, made.conversationmessage)
    meanwhile(mail, conversation)
    if first == "invited":
        cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation)["active"] is True
    assert sent_on(mail) == [BO, TWO]


def test_who_was_added_by_hand_before_needs_no_mail(
    mail: Correspondence, conversation: int
) -> None:
    add_follower(mail.services, conversation, TWO)
    made = invite(mail, conversation)
    assert sent_on(mail) == [BO, TWO]
    cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation)["active"] is True


def test_who_had_left_and_is_asked_in_again_comes_back_with_the_mail(
    mail: Correspondence, conversation: int
) -> None:
    set_active(mail.services, follower(mail, conversation, BO).id, active=False)
    made = invite(mail, conversation, BO)
    assert follower(mail, conversation, BO)["active"] is True
    assert sent_on(mail) == []
    cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation, BO)["active"] is False
    fares(mail, invite(mail, conversation, BO), email=BO)
    assert sent_on(mail) == [BO]


def test_who_is_switched_off_stays_off_whatever_becomes_of_the_mail(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation)
    two = follower(mail, conversation).id
    set_active(mail.services, two, active=False)
    cancel_message(mail.services, made.conversationmessage)
    fares(mail, made)
    assert follower(mail, conversation)["active"] is False
    assert sent_on(mail) == [BO]
    with pytest.raises(InvalidInput):
        mail.send(conversation, followers=(two,))


def test_a_message_to_everybody_leaves_those_out_whose_first_mail_waits_for_its_time(
    mail: Correspondence, conversation: int
) -> None:
    made = invite(mail, conversation, send_at=TOMORROW, undo=timedelta())
    shown = {each.email: each.active for each in opening(mail.services, conversation).followers}
    assert shown == {ANNA: True, BO: True, TWO: False}
    assert not mail_to(mail, mail.send(conversation))
    two = follower(mail, conversation).id
    assert mail_to(mail, mail.send(conversation, followers=(two,), undo=TEN_SECONDS))
    mail.crm.clock.advance(timedelta(days=2).total_seconds())
    assert mail_to(mail, mail.send(conversation))
    fares(mail, made)
    assert opening(mail.services, conversation).followers[-1].active


def test_a_message_to_everybody_reaches_those_whose_first_mail_is_on_its_way(
    mail: Correspondence, conversation: int
) -> None:
    invite(mail, conversation, undo=timedelta())
    assert mail_to(mail, mail.send(conversation))


@pytest.mark.parametrize("way", ["merged", "moved"])
def test_who_follows_there_already_does_so_whatever_becomes_of_mails_from_elsewhere(
    mail: Correspondence, conversation: int, way: str
) -> None:
    add_follower(mail.services, conversation, TWO)
    other = mail.first("<other@example.org>").conversation
    made = invite(mail, other)
    if way == "merged":
        merge(mail.services, other, conversation)
    else:
        move(mail.services, made.conversationmessage, conversation)
    assert sent_on(mail) == [BO, TWO]
    cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation)["active"] is True
    mail.consistent()


@pytest.mark.parametrize("way", ["merged", "moved"])
def test_an_invitation_goes_along_to_another_conversation(
    mail: Correspondence, conversation: int, way: str
) -> None:
    other = mail.first("<other@example.org>").conversation
    made = invite(mail, other)
    if way == "merged":
        merge(mail.services, other, conversation)
    else:
        move(mail.services, made.conversationmessage, conversation)
    assert sent_on(mail) == [BO]
    cancel_message(mail.services, made.conversationmessage)
    assert follower(mail, conversation)["active"] is False


def test_mail_that_arrives_while_somebody_is_invited_and_cancelled_never_reaches_them(
    mail: Correspondence, conversation: int
) -> None:
    together = Barrier(2, timeout=60)

    def agent() -> None:
        for _ in range(4):
            together.wait()
            made = invite(mail, conversation)
            cancel_message(mail.services, made.conversationmessage)

    def customer() -> list[str]:
        found: list[str] = []
        for _ in range(4):
            together.wait()
            found += sent_on(mail)
        return found

    with ThreadPoolExecutor(2) as pool:
        writing, arriving = pool.submit(agent), pool.submit(customer)
        writing.result()
        assert set(arriving.result()) == {BO}
    assert follower(mail, conversation)["active"] is False


@pytest.mark.parametrize("people", [2, 40])
def test_withdrawing_costs_the_same_for_any_number(
    mail: Correspondence, conversation: int, people: int
) -> None:
    made = invite(mail, conversation, *(f"p{each}@example.org" for each in range(people)))
    with counted(mail.services.application.database) as seen:
        cancel_message(mail.services, made.conversationmessage)
    assert len(seen) <= 13, seen
