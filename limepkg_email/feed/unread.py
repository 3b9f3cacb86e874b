"""What has not been read: which objects to highlight, and how a conversation becomes read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from limepkg_email.config import Configuration
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.host import Objects
from limepkg_email.query import And, Condition, Equals, In, Query
from limepkg_email.services import Services


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
) -> None:
    """Mark messages of a conversation that the user sees, all of them for `None`.

    The conversation itself counts as unread until `settle_unread` has looked at all its messages:
    the acting user may not see each of them. Raises `NotFound` for a conversation out of sight and
    `Forbidden` for one that the user may not change.
    """
    objects.get("conversation", conversation)
    # Locks the conversation, so that a mail that arrives meanwhile comes before or after all this.
    objects.update("conversation", conversation, {"unread": True})
    chosen: tuple[Condition, ...] = () if messages is None else (In("id", list(messages)),)
    here = Equals("conversation", conversation)
    changed = And((here, Equals("unread", read), *chosen))
    objects.update_where("conversationmessage", changed, {"unread": not read})


def settle_unread(system: Services, conversations: Iterable[int]) -> bool:
    """Let conversations tell whether any of their messages is unread; whether one is.

    `system` acts as the system user, who sees them all. Call it after `mark_read` is committed. If
    the process ends in between, the conversation shows as unread and can be read once more.
    """
    unread = False
    for each in sorted(conversations):
        with system.application.unit_of_work() as work:
            unread = _settle(work.objects, each) or unread
    return unread


def _settle(objects: Objects, conversation: int) -> bool:
    try:
        objects.update("conversation", conversation, {"unread": False})  # and it is locked
    except NotFound:  # merged or deleted meanwhile
        return False
    unread = And((Equals("conversation", conversation), Equals("unread", True)))
    left = objects.count("conversationmessage", unread) > 0
    if left:
        objects.update("conversation", conversation, {"unread": True})
    return left


def _relation(config: Configuration, limetype: str) -> str:
    if limetype == "conversation":
        return "id"
    for parent in config.conversation_parents:
        if parent.limetype == limetype:
            return parent.property
    sentence = f"No conversation can hang on a {limetype}."
    raise InvalidInput(sentence, errors={"limetype": [sentence]})
