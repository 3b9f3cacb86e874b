"""Receipts: the account of every mail, one per account and mail, with exactly one disposition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Executable, and_, bindparam, or_, select, update

from limepkg_email.db import table, upsert_of
from limepkg_email.errors import Conflict
from limepkg_email.incoming import trace as traces
from limepkg_email.incoming.trace import Step, Trace
from limepkg_email.models import Disposition, Receipt
from limepkg_email.services import Services

RECEIPTS = table(Receipt)
_RETRYABLE = (Disposition.FAILED,)


@dataclass(frozen=True, slots=True)
class Mail:
    """What identifies a mail and lets a person recognise it."""

    account: str
    mail_key: str
    content_key: str
    engine_id: str
    message_id: str
    subject: str
    sender: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """An earlier receipt of a mail."""

    account: str
    mail_key: str
    disposition: str
    conversation: int | None
    conversationmessage: int | None


@dataclass(frozen=True, slots=True)
class Sightings:
    """What earlier receipts say: this very mail's, and an import of it through another account."""

    own: Sighting | None
    elsewhere: Sighting | None

    @property
    def settled(self) -> bool:
        """Tell whether this account already has a final receipt for the mail."""
        return self.own is not None and self.own.disposition not in _RETRYABLE


_FIND = select(
    RECEIPTS.c.account,
    RECEIPTS.c.mail_key,
    RECEIPTS.c.disposition,
    RECEIPTS.c.conversation,
    RECEIPTS.c.conversationmessage,
).where(
    or_(
        RECEIPTS.c.content_key == bindparam("content_key"),
        and_(
            RECEIPTS.c.account == bindparam("of_account"),
            RECEIPTS.c.mail_key == bindparam("mail_key"),
        ),
    )
)


def sightings(connection: Connection, mail: Mail) -> Sightings:
    """Read what is known of the mail, in one statement."""
    wanted = {
        "content_key": mail.content_key,
        "of_account": mail.account,
        "mail_key": mail.mail_key,
    }
    rows = [Sighting(*row) for row in connection.execute(_FIND, wanted)]
    own = next(
        (row for row in rows if row.account == mail.account and row.mail_key == mail.mail_key), None
    )
    elsewhere = next(
        (row for row in rows if row is not own and row.disposition == Disposition.IMPORTED), None
    )
    return Sightings(own, elsewhere)


def record(
    connection: Connection,
    mail: Mail,
    disposition: Disposition,
    now: datetime,
    *,
    reason: str = "",
    trace: Sequence[Step] = (),
    conversation: int | None = None,
    conversationmessage: int | None = None,
    next_try: datetime | None = None,
) -> None:
    """Write the mail's receipt, or replace one that said `failed`; raises `Conflict` otherwise."""
    values = {
        "account": mail.account,
        "mail_key": mail.mail_key,
        "content_key": mail.content_key,
        "disposition": disposition.value,
        "reason": reason,
        "engine_id": mail.engine_id,
        "message_id": mail.message_id,
        "subject": mail.subject,
        "sender": mail.sender,
        "conversation": conversation,
        "conversationmessage": conversationmessage,
        "trace": list(trace),
        "next_try": next_try,
        "seen_at": now,
    }
    replacing = _replacing(connection.dialect.name)
    changed = connection.execute(replacing, {**values, "attempts": 1}).rowcount
    if not changed:
        raise Conflict(f"The mail {mail.mail_key} of {mail.account} has a receipt already.")


def note_moved(
    services: Services, account: str, mail_key: str, engine_id: str, folder: str
) -> None:
    """Note in the receipt of a failed mail in which folder it lies by now, and under which id."""
    of_mail = and_(
        RECEIPTS.c.account == account,
        RECEIPTS.c.mail_key == mail_key,
        RECEIPTS.c.disposition == Disposition.FAILED.value,
    )
    with services.application.database.begin() as connection:
        found = connection.execute(select(RECEIPTS.c.trace).where(of_mail).with_for_update())
        row = found.one_or_none()
        if row is None:
            return
        trace = Trace(list(row.trace or ()))
        trace.note("parked", f"moved to {folder}", "parked", folder=folder)
        values = {"trace": trace.steps, "engine_id": engine_id[:512]}
        connection.execute(update(RECEIPTS).where(of_mail).values(**values))


def failed_jobs(connection: Connection, mail: Mail) -> list[int]:
    """Give the jobs that failed with the mail, as its receipt names them; one statement."""
    of_mail = and_(RECEIPTS.c.account == mail.account, RECEIPTS.c.mail_key == mail.mail_key)
    return traces.failed_jobs(connection.scalar(select(RECEIPTS.c.trace).where(of_mail)) or ())


def reopen(connection: Connection, mail: Mail) -> None:
    """Let the mail be imported once more, because what its receipt speaks of never came to be."""
    of_mail = and_(RECEIPTS.c.account == mail.account, RECEIPTS.c.mail_key == mail.mail_key)
    connection.execute(update(RECEIPTS).where(of_mail).values(disposition=Disposition.FAILED.value))


@cache
def _replacing(dialect: str) -> Executable:
    statement = upsert_of(dialect, RECEIPTS)
    kept = ("id", "account", "mail_key", "attempts")
    return (
        statement.on_conflict_do_update(
            index_elements=["account", "mail_key"],
            set_={
                **{
                    each.name: statement.excluded[each.name]
                    for each in RECEIPTS.c
                    if each.name not in kept
                },
                "attempts": RECEIPTS.c.attempts + 1,
            },
            where=RECEIPTS.c.disposition == Disposition.FAILED.value,
        )
        .inline()
        .execution_options(preserve_rowcount=True)
    )
