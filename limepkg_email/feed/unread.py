"""What has not been read: which objects to highlight, and how a conversation becomes read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from limepkg_email.config import Configuration
from limepkg_email.errors import InvalidInput
from limepkg_email.host import Objects
from limepkg_email.query import And, Condition, Equals, In, Query


def unread_conversations(
    config: Configuration, objects: Objects, limetype: str, ids: Sequence[int]
) -> dict[int, int]:
    """Give how many unread conversations hang on each of the objects; none is left out.

    One query however many objects are asked for. Raises `InvalidInput` for a limetype that
    conversations cannot hang on.
    """
    relation = _relation(config, limetype)
    where = And((In(relation, list(ids)), Equals("unread", True)))
    found = objects.query(Query("conversation", where, properties=(relation,)))
    counted = Counter(each.id if relation == "id" else each[relation] for each in found)
    return {id: counted[id] for id in ids}


def mark_read(
    objects: Objects, conversation: int, messages: Sequence[int] | None, *, read: bool
) -> bool:
    """Mark messages of a conversation, all of them for `None`; tells whether any stays unread.

    Raises `NotFound` for a conversation that the acting user may not see.
    """
    objects.get("conversation", conversation)
    # Locks the conversation, so that a mail that arrives meanwhile comes before or after all this.
    objects.update("conversation", conversation, {"unread": not read})
    of_conversation = Equals("conversation", conversation)
    chosen: tuple[Condition, ...] = () if messages is None else (In("id", list(messages)),)
    changed = And((of_conversation, Equals("unread", read), *chosen))
    objects.update_where("conversationmessage", changed, {"unread": not read})
    unread = And((of_conversation, Equals("unread", True)))
    left = objects.count("conversationmessage", unread) > 0
    if left is read:
        objects.update("conversation", conversation, {"unread": left})
    return left


def _relation(config: Configuration, limetype: str) -> str:
    if limetype == "conversation":
        return "id"
    for parent in config.conversation_parents:
        if parent.limetype == limetype:
            return parent.property
    sentence = f"No conversation can hang on a {limetype}."
    raise InvalidInput(sentence, errors={"limetype": [sentence]})
