"""Whether a mail came before its account was connected: only later mail is imported.

Its Date does not tell. The sender writes it, with a clock that may be wrong or on purpose, and a
queue can hold a mail for days; EmailEngine passes it on for IMAP accounts. What tells are the
stamps of the servers that received the mail and, where these leave it open, the mailbox itself,
which can be asked whether a mail lay there before a moment. In doubt a mail is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.types import Message
from limepkg_email.errors import EngineNotFound
from limepkg_email.incoming.identity import mail_key

LONGEST_QUEUE: Final = timedelta(days=5)
"""How long a server keeps a mail that it cannot hand on, at most (RFC 5321, 4.5.4.1).

A mail that was received earlier than that before the activation and lies in the mailbox since then
was copied there, with the rest of somebody's old mail.
"""

_STAMPS: Final = ("received", "delivery-date")  # the latter is Exim's
_MOST_STAMPS: Final = 100
_LONGEST_STAMP: Final = 100
_TOLERATED_FUTURE: Final = timedelta(minutes=5)
_ROUNDED: Final = timedelta(seconds=2)  # EmailEngine asks some servers for an age in seconds
_A_SECOND: Final = timedelta(seconds=1)
_A_DAY: Final = timedelta(days=1)

LayThere = Callable[[datetime], bool]
"""Tells whether the mail certainly lay in its folder before a moment; may ask the network."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whether a mail came `earlier` than the activation of its account.

    `sign` is what outweighed or confirmed an older Date: `received` (a server's stamp) or `mailbox`
    (its search); empty where the Date decided. `at` is when a server received it, if known.
    """

    earlier: bool
    sign: str = ""
    at: datetime | None = None


def judge(message: Message, activation: datetime, now: datetime, lay_there: LayThere) -> Arrival:
    """Judge a mail with its headers; only a mail dated before the activation needs a look.

    Raises what `lay_there` raises.
    """
    since = activation.replace(microsecond=0)  # as exact as mails are dated
    if message.date is None or message.date >= since:
        return Arrival(earlier=False)
    stamped = max(
        (each for each in _stamps(message) if each <= now + _TOLERATED_FUTURE), default=None
    )
    if stamped is not None and stamped >= since:
        return Arrival(earlier=False, sign="received", at=stamped)
    if stamped is not None and stamped < since - LONGEST_QUEUE:
        return Arrival(earlier=True, sign="received")
    if not message.uid:
        # Gmail's and Microsoft's interfaces: their mails are dated by the arrival.
        return Arrival(earlier=True)
    if lay_there(since - _ROUNDED):
        return Arrival(earlier=True, sign="mailbox")
    if stamped is not None and _same_day(since, lay_there):
        return Arrival(earlier=True, sign="received")
    return Arrival(earlier=False, sign="mailbox")


def asking(engine: EngineClient, account: str, message: Message) -> LayThere:
    """Give the question to the mailbox; the answer is no for a mail that left its folder.

    Each question is a request and raises what the engine's search raises.
    """
    wanted = mail_key(message)

    def lay_there(moment: datetime) -> bool:
        before = moment.astimezone(UTC).isoformat(timespec="milliseconds")
        terms = {"uid": str(message.uid), "before": before.replace("+00:00", "Z")}
        try:
            found = engine.search(account, message.path, terms, page_size=1).messages
        except EngineNotFound:
            return False
        return any(mail_key(each) == wanted for each in found)

    return lay_there


def _same_day(since: datetime, lay_there: LayThere) -> bool:
    """Tell whether the mailbox searches by the day only, and the mail came on the activation's.

    A mailbox that searches to the second knows a difference between midday and the day's end.
    """
    midnight = since.astimezone(UTC).replace(hour=0, minute=0, second=0) + _A_DAY
    return not lay_there(midnight - _A_SECOND) and lay_there(midnight)


def _stamps(message: Message) -> Iterator[datetime]:
    for name in _STAMPS:
        for header in message.headers.get(name, ())[:_MOST_STAMPS]:
            moment = _moment(header[-4 * _LONGEST_STAMP :].rpartition(";")[2].strip())
            if moment is not None:
                yield moment


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text[:_LONGEST_STAMP])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
