"""Receipts as administrators look through them: pages of a table that may have a million rows.

Every filter but the text has an index that gives the rows in their order. The text is looked for
in a bounded number of the newest receipts that the other filters leave, and from there on by
`before`. Totals are counted up to `MOST_COUNTED` for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, Subquery, func, or_, select, tuple_

from limepkg_email.addresses import is_valid, normalise
from limepkg_email.errors import NotFound
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.incoming.trace import Step

MOST_COUNTED: Final = 10_000
"""Receipts that are counted, and among which a text is looked for, at most."""

_COLUMNS: Final = (
    "id",
    "account",
    "disposition",
    "reason",
    "attempts",
    "next_try",
    "engine_id",
    "mail_key",
    "message_id",
    "subject",
    "sender",
    "conversation",
    "conversationmessage",
    "seen_at",
)


@dataclass(frozen=True, slots=True)
class ReceiptEntry:
    """A receipt as it is read; what its fields mean stands at `models.Receipt`."""

    id: int
    account: str
    disposition: str
    reason: str
    attempts: int
    next_try: datetime | None
    engine_id: str
    mail_key: str
    message_id: str
    subject: str
    sender: str
    conversation: int | None
    conversationmessage: int | None
    seen_at: datetime
    trace: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """Which receipts are wanted: `account` is the engine's id, `before` the id of a receipt.

    `text` is a whole address of a sender, or the beginning of a subject or a sender.
    """

    account: str | None = None
    disposition: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Some receipts, the newest first.

    `total` is exact up to `MOST_COUNTED`, else `total_is_exact` is false. `next` is the `before`
    with which it goes on, `None` at the end.
    """

    items: list[ReceiptEntry]
    total: int
    total_is_exact: bool
    next: int | None


def search(
    connection: Connection,
    wanted: ReceiptFilter,
    *,
    limit: int = 50,
    offset: int = 0,
    traces: bool = False,
) -> ReceiptPage:
    """Give a page of receipts, with their traces if asked for; four statements at most."""
    window = _window(wanted, (*_COLUMNS, "trace") if traces else _COLUMNS)
    total, oldest = _measure(connection, wanted)
    page = _matching(window, wanted.text).limit(limit).offset(offset)
    items = [_entry(row) for row in connection.execute(page).mappings()]
    more = bool(items) and offset + len(items) < total
    return ReceiptPage(items, total, oldest is None, items[-1].id if more else oldest)


def read_receipt(connection: Connection, id: int) -> ReceiptEntry:
    """Give one receipt with its trace; raises `NotFound`."""
    found = read_receipts(connection, [id], traces=True)
    if not found:
        raise NotFound(f"There is no receipt {id}.")
    return found[0]


def read_receipts(
    connection: Connection, ids: Sequence[int], *, traces: bool = False
) -> list[ReceiptEntry]:
    """Give those of the receipts that there are, in one statement."""
    chosen = _select(traces).where(RECEIPTS.c.id.in_(list(ids))).order_by(RECEIPTS.c.id)
    return [_entry(row) for row in connection.execute(chosen).mappings()]


def receipts_of_message(connection: Connection, message: int, limit: int) -> list[ReceiptEntry]:
    """Give the receipts of the mail that became this message, in every account it came to."""
    chosen = _select(traces=True).where(RECEIPTS.c.conversationmessage == message)
    page = chosen.order_by(RECEIPTS.c.id).limit(limit)
    return [_entry(row) for row in connection.execute(page).mappings()]


def _select(traces: bool) -> Select[Any]:
    names = (*_COLUMNS, "trace") if traces else _COLUMNS
    return select(*(RECEIPTS.c[name] for name in names))


def _entry(row: Any) -> ReceiptEntry:
    return ReceiptEntry(**{**row, "trace": tuple(row.get("trace") or ())})


def _chosen(wanted: ReceiptFilter, names: Sequence[str]) -> Select[Any]:
    """Select what an index gives in the order of the list."""
    columns = RECEIPTS.c
    found = select(*(columns[name] for name in names))
    if wanted.account is not None:
        found = found.where(columns.account == wanted.account)
    if wanted.disposition is not None:
        found = found.where(columns.disposition == wanted.disposition)
    if wanted.since is not None:
        found = found.where(columns.seen_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(columns.seen_at < wanted.until)
    if wanted.before is not None:
        other = RECEIPTS.alias("other")
        place = select(other.c.seen_at).where(other.c.id == wanted.before).scalar_subquery()
        found = found.where(tuple_(columns.seen_at, columns.id) < tuple_(place, wanted.before))
    return found.order_by(columns.seen_at.desc(), columns.id.desc())


def _window(wanted: ReceiptFilter, names: Sequence[str]) -> Subquery:
    return _chosen(wanted, names).limit(MOST_COUNTED).subquery("receipts")


def _matching(window: Subquery, text: str) -> Select[Any]:
    columns = window.c
    found = select(window).order_by(columns.seen_at.desc(), columns.id.desc())
    return found.where(_says(columns, text)) if text else found


def _says(columns: Any, text: str) -> Any:
    address = normalise(text)
    if is_valid(address):
        return func.lower(columns.sender) == address
    beginning = text.lower()
    return or_(
        func.lower(columns.subject).startswith(beginning, autoescape=True),
        func.lower(columns.sender).startswith(beginning, autoescape=True),
    )


def _measure(connection: Connection, wanted: ReceiptFilter) -> tuple[int, int | None]:
    """Count what matches, and give the oldest receipt that was looked at if there are older ones.

    Statements of up to `MOST_COUNTED` rows, which indexes give.
    """
    one_more = _chosen(wanted, ("id",)).limit(MOST_COUNTED + 1).subquery("one_more")
    examined = connection.scalar(select(func.count()).select_from(one_more)) or 0
    total, oldest = min(examined, MOST_COUNTED), None
    if wanted.text:
        looked_at = _window(wanted, ("id", "subject", "sender"))
        says = _says(looked_at.c, wanted.text)
        counted = select(func.count()).select_from(looked_at).where(says)
        total = connection.scalar(counted) or 0
    if examined > MOST_COUNTED:
        last = _chosen(wanted, ("id",)).offset(MOST_COUNTED - 1).limit(1)
        oldest = connection.scalar(last)
    return total, oldest
