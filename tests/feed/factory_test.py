"""How a message looks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from limepkg_email import Application, hookimpl
from limepkg_email.feed.factory import (
    DefaultFeedItemFactory,
    FeedContext,
    FeedItemFactory,
    faults,
    heading,
    style,
)
from limepkg_email.feed.item import Action, FeedItem, Separator
from limepkg_email.feed.message import (
    AccountView,
    ConversationView,
    MessageFault,
    MessageView,
    Party,
)
from tests.endpoints.crm import Crm

OWN = FeedContext("conversation", 1, "/x")
FOREIGN = FeedContext("helpdesk", 1, "/x")
SUPPORT = AccountView(1, "support@example.com", "Support")


def message(**values: Any) -> MessageView:
    given: dict[str, Any] = {
        "id": 7,
        "conversation": ConversationView(1, "Printer", SUPPORT),
        "subject": "Printer",
        "preview": "It is broken",
        "date": datetime(2026, 3, 1, tzinfo=UTC),
        "source": "email",
        "machine": "no",
        "unread": False,
        "author_name": "Anna Berg",
        "author_address": "anna@example.org",
    }
    return MessageView(**{**given, **values})


def to(name: str = "Bo Ek", state: str = "sent", reason: str = "", role: str = "to") -> Party:
    return Party(name, "bo@example.org", role, state, reason)


@pytest.mark.parametrize(
    ("source", "machine", "expected"),
    [
        ("email", "no", "email"),
        ("email", "bulk", "email"),
        ("email", "autoreply", "automatic"),
        ("email", "bounce", "automatic"),
        ("lime", "no", "reply"),
        ("autoreply", "no", "automatic"),
        ("relay", "no", "automatic"),
    ],
)
def test_the_icon_tells_even_in_other_feeds_what_no_person_wrote(
    crm: Crm, source: str, machine: str, expected: str
) -> None:
    shown = message(source=source, machine=machine)
    (item,) = items(crm, shown, context=FOREIGN)
    assert item.icon == expected


@pytest.mark.parametrize(
    ("source", "machine", "expected"),
    [
        ("email", "no", "emphasized"),
        ("email", "autoreply", "minimal"),
        ("email", "bounce", "minimal"),
        ("email", "bulk", "minimal"),
        ("lime", "no", "standard"),
        ("autoreply", "no", "minimal"),
        ("relay", "no", "minimal"),
        ("system", "no", "minimal"),
        ("", "no", "minimal"),
    ],
)
def test_the_style_tells_who_speaks(source: str, machine: str, expected: str) -> None:
    shown = message(source=source, machine=machine)
    assert style(shown, OWN) == expected
    assert style(shown, FOREIGN) == "thread-message"


@pytest.mark.parametrize("state", ["failed", "bounced"])
@pytest.mark.parametrize("context", [OWN, FOREIGN])
def test_a_message_that_did_not_arrive_is_an_error_everywhere(
    state: str, context: FeedContext
) -> None:
    shown = message(source="lime", parties=(to(), to("Cleo", state, "550 no such user")))
    assert style(shown, context) == "error-message"
    assert faults(shown) == ["Cleo: 550 no such user"]


def test_one_reason_is_said_once() -> None:
    shown = message(
        source="lime",
        parties=(to("Cleo", "failed", "550 no such user"),),
        faults=(MessageFault("550 no such user", "", "cleo@x"), MessageFault("Too large")),
    )
    assert faults(shown) == ["Cleo: 550 no such user", "Too large"]


def test_a_state_without_a_reason_still_says_what_happened() -> None:
    assert faults(message(parties=(to("Cleo", "bounced"),))) == ["Cleo: The message bounced."]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "Anna Berg wrote to Support"),
        ({"parties": (to(role="cc", state="received"),)}, "Anna Berg wrote to Support, Bo Ek"),
        (
            # Cleo and Dan got it from us, and Anna did not write to them.
            {"parties": (to(state="received"), to("Cleo"), to("Dan", "failed"))},
            "Anna Berg wrote to Support, Bo Ek",
        ),
        ({"author_name": ""}, "anna@example.org wrote to Support"),
        ({"author_name": "", "author_address": ""}, "Somebody wrote to Support"),
        ({"conversation": ConversationView(1, "", None)}, "Anna Berg wrote to us"),
        (
            {"source": "lime", "parties": (to(), to("Cleo", "queued"), to("", "bounced"))},
            "Anna Berg wrote to Bo Ek, Cleo (queued), bo@example.org (bounced)"
            " from support@example.com",
        ),
        ({"source": "lime"}, "Anna Berg wrote from support@example.com"),
        (
            {"source": "autoreply", "author_name": "Support", "parties": (to(),)},
            "Support answered automatically to Bo Ek from support@example.com",
        ),
    ],
)
def test_the_heading_says_who_wrote_to_whom(values: dict[str, Any], expected: str) -> None:
    assert heading(message(**values)) == expected


def items(crm: Crm, *messages: MessageView, context: FeedContext = OWN) -> list[FeedItem]:
    factory = crm.integration.feed_item_factory(crm.application)
    return factory.items(crm.application, messages, context)


def actions(given: tuple[Action | Separator, ...]) -> list[str]:
    return [each.id for each in given if isinstance(each, Action)]


def test_what_was_not_delivered_can_be_sent_again(crm: Crm) -> None:
    [failed, fine] = items(crm, message(parties=(to(state="failed"),)), message())
    assert actions(failed.promoted_actions) == ["resend", "reply"]
    assert actions(fine.promoted_actions) == ["reply"]
    assert failed.has_error
    assert not fine.has_error


def test_what_waits_for_its_time_says_so_and_can_be_taken_back(crm: Crm) -> None:
    nine = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    parties = (to(state="queued"), to("Cleo", "failed", "550 no"))
    [waiting, both] = items(
        crm,
        message(source="lime", parties=parties[:1], send_at=nine),
        message(source="lime", parties=parties, send_at=nine),
    )
    assert waiting.helper_text == "To be sent 2026-03-02 08:00 UTC."
    assert not waiting.has_error
    assert waiting.ui == "standard"
    assert actions(waiting.promoted_actions) == ["cancel", "edit", "reply"]
    assert actions(both.promoted_actions) == ["cancel", "edit", "resend", "reply"]
    assert both.helper_text == "Cleo: 550 no\nTo be sent 2026-03-02 08:00 UTC."
    assert both.has_error


def test_a_read_message_can_become_unread(crm: Crm) -> None:
    [read, unread] = items(crm, message(), message(unread=True))
    assert "mark-unread" in actions(read.unpromoted_actions)
    assert "mark-read" in actions(unread.unpromoted_actions)


class Shouting:
    """Wraps another factory."""

    def __init__(self, inner: FeedItemFactory) -> None:
        self._inner = inner

    def items(
        self, application: Application, messages: Sequence[MessageView], context: FeedContext
    ) -> list[FeedItem]:
        found = self._inner.items(application, messages, context)
        return [replace(each, heading=each.heading.upper()) for each in found]


class Replacing:
    @hookimpl
    def feed_item_factory(self, application: Application) -> FeedItemFactory:
        return Terse()


class Terse(DefaultFeedItemFactory):
    def item(
        self, application: Application, message: MessageView, context: FeedContext
    ) -> FeedItem:
        return replace(super().item(application, message, context), heading="a mail")


class Wrapping:
    @hookimpl(wrapper=True)
    def feed_item_factory(self) -> Generator[None, FeedItemFactory, FeedItemFactory]:
        inner = yield
        return Shouting(inner)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([], "Anna wrote to Support"),
        ([Replacing()], "a mail"),
        ([Wrapping()], "ANNA WROTE TO SUPPORT"),
        ([Wrapping(), Replacing()], "A MAIL"),
        ([Replacing(), Wrapping()], "A MAIL"),
    ],
)
def test_an_extension_replaces_or_wraps_the_factory(
    make_crm: Callable[..., Crm], extensions: list[object], expected: str
) -> None:
    crm = make_crm(extensions=extensions)
    conversation = crm.conversation(messages=1)
    feed = crm.person().get("/feed/", limetype="conversation", id=conversation).json
    assert [each["heading"] for each in feed["items"]] == [expected]
