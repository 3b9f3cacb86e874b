"""Which of a ticket's conversations is its own: the one that its page and the list are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from limepkg_email.host import Objects
from limepkg_email.query import In, Order, Query
from limepkg_email.reference.mail import ConversationLine


def own_conversations(
    objects: Objects, found: Mapping[int, Sequence[ConversationLine]]
) -> dict[int, ConversationLine]:
    """Give one conversation of each key, from those that it has, the latest of them first.

    It is the latest that somebody outside began. A forward, or whatever else we begin ourselves,
    is beside the matter as long as there is such a one, whoever answers it.
    """
    several = [each.id for lines in found.values() if len(lines) > 1 for each in lines]
    begun = _begun_outside(objects, several) if several else frozenset()
    return {
        key: next((each for each in lines if each.id in begun), lines[0])
        for key, lines in found.items()
    }


def _begun_outside(objects: Objects, conversations: Sequence[int]) -> frozenset[int]:
    of_them = In("conversation", conversations)
    names = ("conversation", "source")
    # From the last to the first, so that the first stays. By id: dates are what senders say.
    newest = (Order("id", descending=True),)
    rows = objects.query(Query("conversationmessage", of_them, newest, properties=names))
    first = {cast(int, each["conversation"]): each["source"] for each in rows}
    return frozenset(id for id, source in first.items() if source == "email")
