"""What administrators did: an entry per action, written in the transaction of the action itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from limepkg_email.db import table
from limepkg_email.models import AuditEntry
from limepkg_email.services import Services

SECRET: Final = "******"  # noqa: S105 - it is what hides them
"""What stands in an entry for a secret that was set: that it changed, never what it is."""

_AUDIT = table(AuditEntry)
_SECRETS: Final = ("secret", "token", "password", "pass", "credential")


@dataclass(frozen=True, slots=True)
class Actor:
    """A user in whose name background work does what is audited."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Audited:
    """One entry as it is read; what its fields mean stands at `models.AuditEntry`."""

    id: int
    at: datetime
    user: int
    user_name: str
    action: str
    subject: str
    subject_id: str
    before: Any
    after: Any


def record(
    connection: Connection,
    services: Services,
    action: str,
    subject: str,
    subject_id: object = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: Actor | None = None,
) -> None:
    """Note that the acting user, or `by`, did something, such as `account.update`.

    Of two mappings only what differs is kept; nothing is written when nothing does. Values must be
    JSON, but for those whose name speaks of a secret, which are replaced by `SECRET`.
    """
    if before is not None and after is not None:
        changed = [name for name in after if before.get(name) != after[name]]
        if not changed:
            return
        before = {name: before.get(name) for name in changed}
        after = {name: after[name] for name in changed}
    user = by or services.application.user
    connection.execute(
        insert(_AUDIT).values(
            at=services.clock(),
            user=user.id,
            user_name=user.name[:256],
            action=action,
            subject=subject,
            subject_id=str(subject_id),
            before=_without_secrets(before),
            after=_without_secrets(after),
        )
    )


def listing(
    services: Services,
    *,
    subject: str | None = None,
    subject_id: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Audited], int]:
    """Give a page of entries, the newest first, and how many there are in all; two statements."""
    chosen = select(*(_AUDIT.c[name] for name in Audited.__slots__))
    if subject is not None:
        chosen = chosen.where(_AUDIT.c.subject == subject)
    if subject_id is not None:
        chosen = chosen.where(_AUDIT.c.subject_id == subject_id)
    page = chosen.order_by(_AUDIT.c.id.desc()).limit(limit).offset(offset)
    with services.application.database.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        return [Audited(**row) for row in connection.execute(page).mappings()], total


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` entries older than the instant; gives how many they were.

    Ids grow with time, so the oldest entries are found by the primary key whatever the size.
    """
    oldest = select(_AUDIT.c.id, _AUDIT.c.at).order_by(_AUDIT.c.id).limit(limit).subquery()
    old = select(oldest.c.id).where(oldest.c.at < before)
    return connection.execute(delete(_AUDIT).where(_AUDIT.c.id.in_(old))).rowcount


def _without_secrets(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _without_secrets(value)
    if any(each in name.lower() for each in _SECRETS):
        return SECRET if value else value
    if isinstance(value, list | tuple):
        return [_shown(name, each) for each in value]
    return value
