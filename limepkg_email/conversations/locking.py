"""How a change of conversations keeps out of the way of mail that arrives at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from limepkg_email.db import plugin_connection
from limepkg_email.errors import Conflict, NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, Equals, In, Order, Query
from limepkg_email.services import Services

Result = TypeVar("Result")

_TRIES = 8


class Changed(Exception):
    """What was read before the locks were got is not true any more: begin again."""


def settled(act: Callable[[], Result]) -> Result:
    """Do it, and again from the beginning while others change the same conversations.

    Raises `Conflict` when there is no end to it.
    """
    for _ in range(_TRIES):
        try:
            return act()
        except Changed:
            continue
    raise Conflict("The conversation is changing just now: try again in a moment.")


@contextmanager
def transaction(services: Services) -> Iterator[tuple[Objects, Connection]]:
    """Give the acting user's objects and the package's tables, in one transaction."""
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        yield work.objects, connection


def read_conversations(objects: Objects, ids: Iterable[int]) -> dict[int, LimeObject]:
    """Give the conversations, in one statement; raises `NotFound` unless the user sees them all."""
    wanted = sorted(set(ids))
    found = {each.id: each for each in objects.query(Query("conversation", In("id", wanted)))}
    for each in wanted:
        if each not in found:
            raise NotFound(f"There is no conversation {each}.")
    return found


def lock(objects: Objects, conversations: Mapping[int, LimeObject]) -> None:
    """Lock conversations that were read, by a change that changes nothing; ascending.

    Raises `Forbidden` for a user who may not change them.
    """
    for id in sorted(conversations):
        try:
            objects.update("conversation", id, {"account": conversations[id]["account"]})
        except NotFound:
            raise Changed from None


def summarise(objects: Objects, conversation: int) -> None:
    """Let the conversation tell what its messages say: when the last came, and if any is unread."""
    here = Equals("conversation", conversation)
    latest = objects.query(
        Query(
            "conversationmessage",
            here,
            (Order("date", descending=True), Order("id", descending=True)),
            limit=1,
            properties=("date",),
        )
    )
    unread = objects.count("conversationmessage", And((here, Equals("unread", True)))) > 0
    values: dict[str, object] = {"unread": unread}
    if latest and latest[0]["date"] is not None:
        values["lastmessagedate"] = latest[0]["date"]
    objects.update("conversation", conversation, values)
