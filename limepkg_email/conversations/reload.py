"""A message's date moves by a microsecond, so that whoever keeps its state reads it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from limepkg_email.conversations.locking import (
    Changed,
    lock,
    read_conversations,
    settled,
    transaction,
)
from limepkg_email.errors import Conflict, NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, AtLeast, Equals, In, Order, Query
from limepkg_email.services import Services

STEP: Final = timedelta.resolution
"""By how much the date moves: the least that a date can differ."""
_MOST_MOVED = 500


def force_reload(services: Services, message: int) -> datetime:
    """Move the date of a message by `STEP` and give the new one.

    The order of the conversation stays: messages that stand right behind it, within the step, move
    along. The conversation tells the new date of its last message if that is the one that moved.
    Raises `NotFound` for a message that the user may not see, `Forbidden` for one that they may not
    change and `Conflict` for one without a date.
    """
    return settled(lambda: _force_reload(services, message))


def _force_reload(services: Services, message: int) -> datetime:
    with transaction(services) as (objects, _):
        conversation = cast(int, _read(objects, message)["conversation"] or 0)
        conversations = read_conversations(objects, [conversation])
        lock(objects, conversations)
        found = _read(objects, message)
        if found["conversation"] != conversation:
            raise Changed
        date = found["date"]
        if not isinstance(date, datetime):
            raise Conflict(f"The message {message} has no date.")
        behind = _behind(objects, conversation, found, date)
        moved = shifted([(found.id, date), *behind])
        _write(objects, moved)
        _tell_conversation(objects, conversation, dict([(found.id, date), *behind]), moved)
        return moved[message]


def shifted(messages: Sequence[tuple[int, datetime]]) -> dict[int, datetime]:
    """Give the new dates of the first message and of those behind it that have to move along.

    The messages are (id, date) in the order of the feed, which is by date and then by id.
    """
    (first, date), *rest = messages
    moved = {first: date + STEP}
    last = (date + STEP, first)
    for id, behind in rest:
        if (behind, id) > last:
            break
        moved[id] = last[0] if id > last[1] else last[0] + STEP
        last = (moved[id], id)
    return moved


def _read(objects: Objects, message: int) -> LimeObject:
    properties = ("date", "conversation")
    query = Query("conversationmessage", Equals("id", message), properties=properties)
    found = objects.query(query)
    if not found:
        raise NotFound(f"There is no message {message}.")
    return found[0]


def _behind(
    objects: Objects, conversation: int, message: LimeObject, date: datetime
) -> list[tuple[int, datetime]]:
    query = Query(
        "conversationmessage",
        And((Equals("conversation", conversation), AtLeast("date", date))),
        (Order("date"), Order("id")),
        _MOST_MOVED,
        properties=("date",),
    )
    rows = [(each.id, cast(datetime, each["date"])) for each in objects.query(query)]
    return [each for each in rows if (each[1], each[0]) > (date, message.id)]


def _write(objects: Objects, moved: Mapping[int, datetime]) -> None:
    by_date: defaultdict[datetime, list[int]] = defaultdict(list)
    for id, date in moved.items():
        by_date[date].append(id)
    for date, ids in by_date.items():
        objects.update_where("conversationmessage", In("id", ids), {"date": date})


def _tell_conversation(
    objects: Objects,
    conversation: int,
    before: Mapping[int, datetime],
    moved: Mapping[int, datetime],
) -> None:
    last = max(moved, key=lambda id: (moved[id], id))
    # Only where it told this very date: a later message, or one that does not count, stays told of.
    here = And((Equals("id", conversation), Equals("lastmessagedate", before[last])))
    objects.update_where("conversation", here, {"lastmessagedate": moved[last]})
