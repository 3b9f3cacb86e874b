"""Which of the listed mails have a receipt: one statement for a page, however long it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import Disposition

MOST_TRIES: Final = 6
"""How often the recovery tries a failed mail, after the try at which it failed first."""
_MOST_DUE: Final = 500
_COLUMNS = tuple(
    RECEIPTS.c[name] for name in ("id", "mail_key", "disposition", "attempts", "seen_at")
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the recovery has to know of a receipt; `seen_at` of a failed one is its last try."""

    id: int
    mail_key: str
    disposition: str
    attempts: int
    seen_at: datetime

    @property
    def failed(self) -> bool:
        """Tell whether the mail waits to be imported after all."""
        return self.disposition == Disposition.FAILED

    @property
    def imported(self) -> bool:
        """Tell whether the mail is in the CRM."""
        return self.disposition in (Disposition.IMPORTED, Disposition.SECOND_SIGHTING)

    @property
    def exhausted(self) -> bool:
        """Tell whether only a person may try the mail again."""
        return self.attempts > MOST_TRIES

    def may_be_tried(self, now: datetime, interval: timedelta) -> bool:
        """Tell whether the next try is due: the first at once, the others ever later."""
        tries = self.attempts - 1
        return tries == 0 or now >= self.seen_at + interval * 2 ** (tries - 1)


def known(connection: Connection, account: str, keys: Collection[str]) -> dict[str, Known]:
    """Give the receipts of the mails that have one, by the mails' keys."""
    if not keys:
        return {}
    chosen = select(*_COLUMNS).where(
        RECEIPTS.c.account == account, RECEIPTS.c.mail_key.in_(list(keys))
    )
    return {row.mail_key: Known(*row) for row in connection.execute(chosen)}


def still_failed(connection: Connection, account: str, since: datetime) -> list[Known]:
    """Give receipts of failed mails that were tried since then and may be tried again."""
    chosen = select(*_COLUMNS).where(
        RECEIPTS.c.account == account,
        RECEIPTS.c.disposition == Disposition.FAILED.value,
        RECEIPTS.c.seen_at >= since,
        RECEIPTS.c.attempts <= MOST_TRIES,
    )
    ordered = chosen.order_by(RECEIPTS.c.seen_at, RECEIPTS.c.id).limit(_MOST_DUE)
    return [Known(*row) for row in connection.execute(ordered)]
