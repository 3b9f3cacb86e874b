"""The accounts as administrators see them, and those from which a user may send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, String, and_, cast, func, or_, select
from sqlalchemy.sql.selectable import ScalarSelect

from limepkg_email.accounts.access import ASSIGNED, users_of
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.standing import FAILING, Standing, standing
from limepkg_email.db import table
from limepkg_email.errors import NotFound
from limepkg_email.models import AccountReport, Disposition, Outbox, Receipt
from limepkg_email.services import Services

DISABLED = "disabled"
"""What one asks for instead of a state, to get the accounts that are disabled."""

_ALIKE = {"connecting": ("connecting", "init"), "disconnected": ("disconnected", "unset")}
"""States that mean the same to people."""

_RECEIPTS, _OUTBOX, _REPORTS = table(Receipt), table(Outbox), table(AccountReport)


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account with its settings, how it fares, and the last success of each step.

    `last_seen` is when the last mail was looked at whatever became of it, `last_recovery` when a
    recovery last got to its end; `recovery_error` says what kept the last one from it. The rest
    stands at `models.Account`.
    """

    id: int
    engine_account: str
    email: str
    name: str
    aliases: list[str]
    type: str
    oauth_app: str
    enabled: bool
    state: str
    state_at: datetime | None
    standing: Standing
    users: list[int]
    parent_limetype: str
    time_zone: str
    language: str
    message_template: int | None
    autoreply_template: int | None
    relay_template: int | None
    relay: bool
    create_persons: bool
    import_unread: bool
    activated_at: datetime
    signature: str
    last_seen: datetime | None
    last_imported: datetime | None
    last_sent: datetime | None
    last_recovery: datetime | None
    recovery_error: str


@dataclass(frozen=True, slots=True)
class SendingAccount:
    """An account from which the acting user may send."""

    id: int
    engine_account: str
    email: str
    name: str
    signature: str
    message_template: int | None
    language: str
    time_zone: str


def list_accounts(
    services: Services, *, query: str = "", state: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[AccountEntry], int]:
    """Give a page of accounts by name, and how many there are in all; three statements.

    `query` looks in id, address, name and aliases. `state` is one of EmailEngine's, or `DISABLED`;
    a state in which mail comes gives enabled accounts only.
    """
    where = _where(query, state)
    by_name = (func.lower(ACCOUNTS.c.name), ACCOUNTS.c.email, ACCOUNTS.c.id)
    page = _entries().where(where).order_by(*by_name).limit(limit).offset(offset)
    with services.application.database.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(ACCOUNTS).where(where)) or 0
        return _read(connection, page), total


def read_entry(connection: Connection, account: int) -> AccountEntry:
    """Give the account with this id of ours; raises `NotFound`. Two statements."""
    found = _read(connection, _entries().where(ACCOUNTS.c.id == account))
    if not found:
        raise NotFound(f"There is no account {account}.")
    return found[0]


def sending_accounts(services: Services) -> list[SendingAccount]:
    """Give the enabled accounts from which the acting user may send, by name; one statement."""
    user = services.application.user
    mine = and_(ASSIGNED.c.account == ACCOUNTS.c.id, ASSIGNED.c.user == user.id)
    columns = [ACCOUNTS.c[name] for name in SendingAccount.__slots__]
    chosen = (
        select(*columns, ASSIGNED.c.user.label("assigned"))
        .join_from(ACCOUNTS, ASSIGNED, mine, isouter=True)
        .where(ACCOUNTS.c.enabled)
        .order_by(func.lower(ACCOUNTS.c.name), ACCOUNTS.c.email, ACCOUNTS.c.id)
    )
    with services.application.database.connect() as connection:
        rows = connection.execute(chosen).all()
    return [
        SendingAccount(*row[:-1])
        for row in rows
        if row.assigned is not None or user.can(f"email.send_as:{row.engine_account}")
    ]


def _where(query: str, state: str) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if state == DISABLED:
        conditions.append(ACCOUNTS.c.enabled.is_(False))
    elif state:
        conditions.append(ACCOUNTS.c.state.in_(_ALIKE.get(state, (state,))))
        if state not in FAILING:
            # One that is disabled is found as that, however well the engine reaches its mailbox.
            conditions.append(ACCOUNTS.c.enabled)
    if query:
        texts = (ACCOUNTS.c.engine_account, ACCOUNTS.c.email, ACCOUNTS.c.name)
        looked_in = [*texts, cast(ACCOUNTS.c.aliases, String)]
        conditions.append(or_(*(each.icontains(query, autoescape=True) for each in looked_in)))
    return and_(True, *conditions)


def _entries() -> Select[Any]:
    """Select accounts with their last successes, each found by one step in an index."""
    of_receipt, of_outbox = _RECEIPTS.c, _OUTBOX.c
    account = ACCOUNTS.c.engine_account
    seen = of_receipt.account == account
    imported = and_(seen, of_receipt.disposition == Disposition.IMPORTED.value)
    sent = and_(of_outbox.account == account, of_outbox.state == "sent")
    return select(
        ACCOUNTS,
        _last(of_receipt.seen_at, seen, of_receipt.seen_at, of_receipt.id).label("last_seen"),
        _last(of_receipt.seen_at, imported, of_receipt.seen_at, of_receipt.id).label(
            "last_imported"
        ),
        _last(of_outbox.state_at, sent, of_outbox.state_at).label("last_sent"),
        _of_last_report("finished_at", _REPORTS.c.error == "").label("last_recovery"),
        _of_last_report("error").label("recovery_error"),
    )


def _last(
    column: ColumnElement[Any], where: ColumnElement[bool], *order: ColumnElement[Any]
) -> ScalarSelect[Any]:
    newest_first = [each.desc() for each in order]
    found = select(column).where(where).order_by(*newest_first).limit(1)
    return found.correlate(ACCOUNTS).scalar_subquery()


def _of_last_report(column: str, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    of_account = and_(_REPORTS.c.account == ACCOUNTS.c.engine_account, *where)
    return _last(_REPORTS.c[column], of_account, _REPORTS.c.id)


def _read(connection: Connection, chosen: Select[Any]) -> list[AccountEntry]:
    rows = connection.execute(chosen).all()
    users = users_of(connection, [row.id for row in rows])
    return [_entry(row, users[row.id]) for row in rows]


_PLAIN: Iterable[str] = [
    name for name in AccountEntry.__slots__ if name not in ("standing", "users", "recovery_error")
]


def _entry(row: Row[Any], users: list[int]) -> AccountEntry:
    return AccountEntry(
        **{name: getattr(row, name) for name in _PLAIN},
        users=users,
        recovery_error=row.recovery_error or "",
        standing=standing(
            enabled=row.enabled,
            state=row.state,
            last_error=row.last_error,
            kind=row.type,
        ),
    )
