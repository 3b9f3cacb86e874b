"""What there is when something is to be sent automatically: mail, conversation and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import AccountBook, read_accounts
from limepkg_email.addresses import display_name, normalise
from limepkg_email.errors import Conflict, NotFound
from limepkg_email.host import LimeObject, Objects, UnitOfWork
from limepkg_email.outgoing.recipients import Target
from limepkg_email.query import And, Equals, Order, Query
from limepkg_email.services import Services
from limepkg_email.templates.context import ParentValues

_COMMIT_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The imported mail on account of which something is sent; it travels in the job.

    `engine_id` tells whether a message of that number is the one that was meant. `also` are those
    addresses of the mail that did not become followers.
    """

    account: str
    conversation: int
    conversationmessage: int
    engine_id: str
    at: datetime
    also: tuple[str, ...] = ()

    def as_payload(self) -> dict[str, object]:
        """Give the occasion as JSON can carry it."""
        values = {name: getattr(self, name) for name in Occasion.__slots__}
        return {**values, "at": self.at.isoformat(), "also": list(self.also)}

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Occasion:
        """Read the occasion from the payload of a job."""
        at = datetime.fromisoformat(payload["at"])
        return cls(**{**payload, "at": at, "also": tuple(payload["also"])})


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is when the job runs; `roles` are the mail's, by the follower's id."""

    occasion: Occasion
    installation: str
    accounts: AccountBook
    conversation: LimeObject
    message: LimeObject
    followers: tuple[Target, ...]
    roles: Mapping[int, str]
    parent: ParentValues | None

    @property
    def author(self) -> str:
        """Who wrote the mail: a name, or the address."""
        name = display_name(str(self.message["authorname"] or ""))
        return name or str(self.message["authoraddress"] or "")


def read_situation(
    services: Services,
    work: UnitOfWork,
    connection: Connection,
    occasion: Occasion,
    installation: str,
) -> Situation | None:
    """Read what is there now, in six statements; `None` if the message is gone.

    Raises a retryable `Conflict` where the message may not be committed yet.
    """
    message = _message(services, work, occasion)
    if message is None or not isinstance(message["conversation"], int):
        return None
    try:
        conversation = work.objects.get("conversation", message["conversation"])
    except NotFound:
        return None
    return Situation(
        occasion,
        installation,
        read_accounts(connection),
        conversation,
        message,
        _active_followers(work.objects, conversation.id),
        _roles(work.objects, message.id),
        _parent(services, work.objects, conversation),
    )


def _message(services: Services, work: UnitOfWork, occasion: Occasion) -> LimeObject | None:
    try:
        found = work.objects.get("conversationmessage", occasion.conversationmessage)
        if found["emailengineid"] == occasion.engine_id:
            return found
    except NotFound:
        pass
    if work.connection is None and services.clock() - occasion.at < _COMMIT_WINDOW:
        # Where objects live in another database, they are committed a moment later.
        early = Conflict("The imported message is not there yet.")
        early.retryable = True
        raise early
    return None


def _parent(services: Services, objects: Objects, conversation: LimeObject) -> ParentValues | None:
    for kind in services.config.conversation_parents:
        found = conversation[kind.property]
        if isinstance(found, int):
            where = Equals("id", found)
            rows = objects.query(Query(kind.limetype, where, properties=(kind.title,)))
            url = services.application.object_url(kind.limetype, found)
            titles = [str(row[kind.title] or "") for row in rows]
            return ParentValues(found, titles[0], kind.limetype, url) if titles else None
    return None


def _active_followers(objects: Objects, conversation: int) -> tuple[Target, ...]:
    where = And((Equals("conversation", conversation), Equals("active", True)))
    rows = objects.query(
        Query("follower", where, order_by=(Order("id"),), properties=("email", "name"))
    )
    found: dict[str, Target] = {}
    for row in rows:
        email = normalise(str(row["email"] or ""))
        found.setdefault(email, Target(email, display_name(str(row["name"] or "")), row.id))
    found.pop("", None)
    return tuple(found.values())


def _roles(objects: Objects, message: int) -> Mapping[int, str]:
    rows = objects.query(
        Query(
            "messagefollower",
            Equals("conversationmessage", message),
            order_by=(Order("id", descending=True),),
            properties=("follower", "role"),
        )
    )
    return {row["follower"]: str(row["role"]) for row in rows if isinstance(row["follower"], int)}
