"""People to whom somebody who writes a message may want to send it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.addresses import display_name, is_valid, normalise
from limepkg_email.config import Configuration, FollowerParent
from limepkg_email.conversations.locking import transaction
from limepkg_email.errors import InvalidInput
from limepkg_email.hooks import ParentReference
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, Condition, Contains, Equals, In, Or, Order, Query
from limepkg_email.services import Services

MOST_WORDS = 5
"""Words of a search that count; each makes the statements longer."""

MOST_CONVERSATIONS = 20
"""Conversations of a parent whose followers are proposed, the latest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody with an address: a follower, an object of the CRM, or both.

    `follower` is 0 for who does not follow the conversation; `limetype` is empty and `id` is `None`
    for who is no object that can follow.
    """

    email: str
    name: str
    follower: int = 0
    limetype: str = ""
    id: int | None = None


def find_people(
    services: Services,
    text: str,
    *,
    conversation: int = 0,
    parent: ParentReference | None = None,
    limit: int,
) -> list[Found]:
    """Give who fits the text, each address once: followers first, then objects that can follow.

    Every word must be in the name or in the address. Without a text they are the followers of the
    conversation, or of the latest ones on the parent and whom that itself points to. Addresses of
    our own accounts are left out. The number of statements depends on the configuration alone.
    Raises `NotFound` for a conversation or parent out of sight.
    """
    words, config = text.split()[:MOST_WORDS], services.config
    pointers = _pointers(services, parent) if parent and not words else {}
    with transaction(services) as (objects, connection):
        left_out = set(read_accounts(connection).own_addresses)
        among = _conversations(config, objects, conversation, parent)
        rows = _followers(config, objects, among, words, limit)
        found = [_follower(config, each, conversation) for each in rows]
        if words:
            for kind in config.follower_parents:
                fits = _fits((*kind.names, kind.address), words)
                found.extend(_objects(objects, kind, fits, limit))
        elif parent is not None:
            found.extend(_related(objects, parent, pointers))
    if pointers:
        # Who works on a ticket is seldom who a mail about it is for.
        left_out |= {normalise(each.email) for each in services.application.people()}
    return _each_once(found, left_out)[:limit]


def _followers(
    config: Configuration, objects: Objects, among: Query | None, words: Sequence[str], limit: int
) -> Iterator[LimeObject]:
    """Give the followers of the conversations that a query describes, as far as they fit."""
    if among is None:
        return
    conversations = [each.id for each in objects.query(among)]
    links = tuple(each.property for each in config.follower_parents)
    query = Query(
        "follower",
        And((In("conversation", conversations), _fits(("name", "email"), words))),
        (Order("id"),),
        limit,
        properties=("name", "email", *links),
    )
    yield from objects.query(query)


def _conversations(
    config: Configuration, objects: Objects, conversation: int, parent: ParentReference | None
) -> Query | None:
    """Describe whose followers are proposed; raises for what the user may not see."""
    if conversation:
        objects.get("conversation", conversation)
        return Query("conversation", Equals("id", conversation), properties=())
    if parent is None:
        return None
    kinds = {each.limetype: each for each in config.conversation_parents}
    if parent.limetype not in kinds:
        sentence = f"A {parent.limetype} has no conversations."
        raise InvalidInput(sentence, errors={"limetype": [sentence]})
    return Query(
        "conversation",
        Equals(kinds[parent.limetype].property, parent.id),
        (Order("lastmessagedate", descending=True),),
        MOST_CONVERSATIONS,
        properties=(),
    )


def _pointers(services: Services, parent: ParentReference) -> dict[str, FollowerParent]:
    """Give the relations of a limetype that lead to those who can follow."""
    kinds = {each.limetype: each for each in services.config.follower_parents}
    limetype = services.application.limetypes.describe().get(parent.limetype)
    return {
        each.name: kinds[each.related]
        for each in (limetype.properties if limetype else ())
        if each.type == "belongsto" and each.related in kinds
    }


def _related(
    objects: Objects, parent: ParentReference, pointers: Mapping[str, FollowerParent]
) -> Iterator[Found]:
    seen = objects.get(parent.limetype, parent.id)
    for name, kind in pointers.items():
        if isinstance(id := seen[name], int):
            yield from _objects(objects, kind, Equals("id", id), 1)


def _follower(config: Configuration, row: LimeObject, conversation: int) -> Found:
    """Describe a follower; one of another conversation does not follow this one yet."""
    follower = row.id if conversation else 0
    found = Found(str(row["email"] or ""), str(row["name"] or ""), follower)
    for each in config.follower_parents:
        id = row[each.property]
        if isinstance(id, int):
            return replace(found, limetype=each.limetype, id=id)
    return found


def _objects(
    objects: Objects, kind: FollowerParent, where: Condition, limit: int
) -> Iterator[Found]:
    names = (*kind.names, kind.address)
    for row in objects.query(Query(kind.limetype, where, (Order("id"),), limit, properties=names)):
        name = " ".join(str(row[each]) for each in kind.names if row[each])
        yield Found(str(row[kind.address] or ""), name, 0, kind.limetype, row.id)


def _fits(properties: Sequence[str], words: Sequence[str]) -> Condition:
    return And(tuple(Or(tuple(Contains(name, each) for name in properties)) for each in words))


def _each_once(found: Iterable[Found], left_out: Collection[str]) -> list[Found]:
    first: dict[str, Found] = {}
    for each in found:
        email = normalise(each.email)
        if is_valid(email) and email not in left_out and email not in first:
            first[email] = replace(each, email=email, name=display_name(each.name))
    return list(first.values())
