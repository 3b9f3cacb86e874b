"""Receipts follow a merge: what they say of a conversation that is gone, they say of its heir."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from limepkg_email.db import table
from limepkg_email.models import Receipt

RECEIPTS = table(Receipt)
_TOGETHER: Final = 10_000  # databases take a bounded number of values in one statement


def receipts_follow(connection: Connection, messages: Sequence[int], gone: int, into: int) -> None:
    """Put one conversation for another in the receipts of messages, and in why they came there.

    `messages` are those of both conversations. Two statements for each 10,000 of them.
    """
    for first in range(0, len(messages), _TOGETHER):
        together = list(messages[first : first + _TOGETHER])
        changed = list(_changed(connection, together, gone, into))
        if changed:
            connection.execute(_CHANGE, changed)


_CHANGE = (
    update(RECEIPTS)
    .where(RECEIPTS.c.id == bindparam("receipt"))
    .values(conversation=bindparam("of"), trace=bindparam("why"))
)


def _changed(
    connection: Connection, messages: Sequence[int], gone: int, into: int
) -> Iterator[dict[str, object]]:
    names = ("id", "conversation", "trace")
    chosen = select(*(RECEIPTS.c[name] for name in names)).where(
        RECEIPTS.c.conversationmessage.in_(messages)
    )
    for row in connection.execute(chosen):
        trace = [_step(each, gone, into) for each in row.trace or ()]
        conversation = into if row.conversation == gone else row.conversation
        if conversation != row.conversation or trace != (row.trace or []):
            yield {"receipt": row.id, "of": conversation, "why": trace}


def _step(step: Mapping[str, Any], gone: int, into: int) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = step.get("facts") or {}
    changed: dict[str, Any] = {}
    if facts.get("conversation") == gone:
        changed["conversation"] = into
    if gone in (facts.get("conversations") or ()):
        named = (into if each == gone else each for each in facts["conversations"])
        changed["conversations"] = list(dict.fromkeys(named))
    return {**step, "facts": {**facts, **changed}} if changed else step
