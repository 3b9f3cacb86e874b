"""Who gets a message: the chosen followers and those who are named, each address once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from limepkg_email.addresses import display_name, is_valid, normalise
from limepkg_email.config import Configuration, FollowerParent
from limepkg_email.conversations.invitations import (
    Invitation,
    invitations,
    is_withdrawn,
    waits_for_its_time,
)
from limepkg_email.follower_parents import find_parents
from limepkg_email.hooks import ParentReference
from limepkg_email.host import LimeObject, Objects
from limepkg_email.outgoing.draft import Draft, Recipient
from limepkg_email.outgoing.problems import Problems
from limepkg_email.query import And, Condition, Equals, In, Or, Query
from limepkg_email.services import Services


@dataclass(frozen=True, slots=True)
class Target:
    """One address that gets a mail of its own.

    `follower` is `None` for somebody who is to become one, as `parent` if they are in the CRM.
    `active` is false for a follower who had left and is asked in again by being named. One who has
    `invitations` follows only by these mails, of which none has left.
    """

    email: str
    name: str
    follower: int | None = None
    active: bool = True
    parent: ParentReference | None = None
    invitations: tuple[Invitation, ...] = ()

    @property
    def is_invited(self) -> bool:
        """Tell whether the mail is to bring them into the conversation."""
        return self.follower is None or not self.active or bool(self.invitations)


def resolve(
    services: Services,
    objects: Objects,
    connection: Connection,
    draft: Draft,
    own: frozenset[str],
    problems: Problems,
) -> tuple[Target, ...]:
    """Find out who gets the message; what is wrong with the choice is noted in `problems`.

    Addresses of our own accounts are left out, because a mail to them would come back in. Unless
    they are chosen, so are followers whose first mail waits for its time.
    """
    named = {
        email: each
        for each in reversed(draft.recipients)  # of two with one address the first counts
        if is_valid(email := normalise(each.email)) and email not in own
    }
    known = _invited(objects, connection, _followers(objects, draft, list(named)))
    targets: dict[str, Target] = {}
    for each in _chosen(draft, known, services.clock(), problems):
        targets.setdefault(each.email, each)
    for email in reversed(named):
        targets.setdefault(email, _named(email, named[email], known))
    found = [each for each in targets.values() if each.email not in own]
    _check_number(found, services.config.max_recipients, problems)
    return tuple(_with_parents(services, objects, found, problems))


def _followers(objects: Objects, draft: Draft, named: Sequence[str]) -> list[Target]:
    if draft.conversation is None:
        return []
    wanted: tuple[Condition, ...] = (
        Equals("active", True),
        In("email", named, ignore_case=True),
        In("id", draft.followers or ()),
    )
    rows = objects.query(
        Query(
            "follower",
            And((Equals("conversation", draft.conversation), Or(wanted))),
            properties=("email", "name", "active"),
        )
    )
    return [_target(row) for row in sorted(rows, key=lambda row: row.id)]


def _target(row: LimeObject) -> Target:
    return Target(
        email=normalise(str(row["email"] or "")),
        name=display_name(str(row["name"] or "")),
        follower=row.id,
        active=bool(row["active"]),
    )


def _invited(objects: Objects, connection: Connection, known: Sequence[Target]) -> list[Target]:
    found = invitations(objects, connection, [each.follower for each in known])
    return [replace(each, invitations=found.get(each.follower or 0, ())) for each in known]


def _chosen(
    draft: Draft, known: Iterable[Target], now: datetime, problems: Problems
) -> list[Target]:
    if draft.followers is None:
        return [
            each
            for each in known
            if each.active and each.email and not waits_for_its_time(each.invitations, now)
        ]
    # Whoever takes a message back and sends it anew means the same people.
    there = [each for each in known if each.active or is_withdrawn(each.invitations)]
    active = {each.follower: each for each in there if each.email}
    if any(each not in active for each in draft.followers) and draft.conversation is not None:
        problems.add(
            "followers",
            "Not all of the chosen followers follow the conversation (any more): choose again.",
        )
    return [active[each] for each in draft.followers if each in active]


def _named(email: str, recipient: Recipient, known: Iterable[Target]) -> Target:
    for each in known:
        if each.email == email:
            return each
    parent = ParentReference(recipient.limetype, recipient.id) if recipient.id is not None else None
    return Target(email, display_name(recipient.name), parent=parent)


def _check_number(found: Sequence[Target], most: int, problems: Problems) -> None:
    if not found:
        problems.add("recipients", "Nobody would get the message: choose a recipient.")
    if len(found) > most:
        problems.add(
            "recipients",
            f"The message has {len(found)} recipients, and {most} is the limit. An administrator"
            " can raise `max_recipients`.",
        )


def _with_parents(
    services: Services, objects: Objects, found: Sequence[Target], problems: Problems
) -> list[Target]:
    """Check the CRM objects that were given for new followers, and look for those that were not."""
    names = _given_parents(services.config, objects, found, problems)
    unlinked = [each.email for each in found if each.follower is None and each.parent is None]
    parents = find_parents(services, objects, unlinked) if unlinked else {}
    return [_linked(each, names, parents) for each in found]


def _linked(
    target: Target,
    names: Mapping[ParentReference, str],
    parents: Mapping[str, ParentReference],
) -> Target:
    if target.follower is not None:
        return target
    if target.parent is None:
        return replace(target, parent=parents.get(target.email))
    return replace(target, name=target.name or names.get(target.parent, ""))


def _given_parents(
    config: Configuration, objects: Objects, found: Iterable[Target], problems: Problems
) -> Mapping[ParentReference, str]:
    """Read the objects that were given, as the acting user sees them; gives their names."""
    known = {each.limetype for each in config.follower_parents}
    given = [each.parent for each in found if each.parent and each.parent.limetype in known]
    names: dict[ParentReference, str] = {}
    for kind in config.follower_parents:
        ids = sorted({each.id for each in given if each.limetype == kind.limetype})
        if ids:
            rows = objects.query(Query(kind.limetype, In("id", ids), properties=kind.names))
            names |= {ParentReference(kind.limetype, row.id): _name(kind, row) for row in rows}
    for each in given:
        if each not in names:
            problems.add("recipients", f"There is no {each.limetype} {each.id}.")
    return names


def _name(kind: FollowerParent, row: LimeObject) -> str:
    return display_name(" ".join(str(row[each] or "") for each in kind.names))
