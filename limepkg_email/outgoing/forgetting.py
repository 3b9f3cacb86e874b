"""The texts of mails that are settled are removed from the outbox after a while; the rows stay.

A row is how a mail is not sent twice, how late news of it finds its message, and how many mails an
address got: that needs the ids, the state and the recipient, never the text. The text is kept only
so that a person can send the mail again. Conversations keep what was written, in the CRM.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import CTE, Connection, and_, func, select, update

from limepkg_email.db import table, upsert
from limepkg_email.models import Counter
from limepkg_email.outgoing.transitions import OUTBOX

TEXT_GONE: Final = "What was written is not kept for sending any more; write the message anew."
"""Why a mail whose text was removed cannot be sent again."""
SETTLED: Final = ("sent", "failed", "bounced", "cancelled", "superseded")
"""States in which nothing but a person's wish sends a mail again."""

_COUNTERS = table(Counter)
_DONE_UNTIL: Final = "sent_texts_removed_until"
_OVERLAP: Final = timedelta(days=7)
"""How far behind what is done it is looked again: mail servers date their news themselves."""


def forget_texts(connection: Connection, before: datetime, limit: int) -> int:
    """Remove the texts of up to `limit` mails settled before the instant; gives how many.

    Mails of the week before the last call's instant are looked at, and none that are older: their
    texts are gone. So the number of mails sent so far does not matter.
    """
    since = connection.scalar(select(_COUNTERS.c.value).where(_COUNTERS.c.name == _DONE_UNTIL)) or 0
    start = datetime.fromtimestamp(since, UTC) - (_OVERLAP if since else timedelta(0))
    accounts = _accounts()
    old = and_(OUTBOX.c.state.in_(SETTLED), OUTBOX.c.state_at < before)
    guids = connection.scalars(
        select(OUTBOX.c.guid)
        .join_from(accounts, OUTBOX, OUTBOX.c.account == accounts.c.account)
        .where(old, OUTBOX.c.state_at >= start, OUTBOX.c.payload != "")
        .limit(limit)
    ).all()
    if len(guids) < limit and before.timestamp() > since:
        _note_done(connection, int(before.timestamp()))
    if not guids:
        return 0
    # Asked again, because a person may have sent it again between the two statements.
    gone = update(OUTBOX).where(OUTBOX.c.guid.in_(guids), old).values(payload="")
    connection.execute(gone)
    return len(guids)


def _accounts() -> CTE:
    """Give the accounts in the outbox, those deleted since too, by one step in the index each."""
    first = select(func.min(OUTBOX.c.account).label("account")).cte("accounts", recursive=True)
    other = OUTBOX.alias("other")
    following = select(func.min(other.c.account)).where(other.c.account > first.c.account)
    return first.union_all(select(following.scalar_subquery()).where(first.c.account.is_not(None)))


def _note_done(connection: Connection, until: int) -> None:
    noted = upsert(connection, _COUNTERS).values(name=_DONE_UNTIL, value=until)
    connection.execute(
        noted.on_conflict_do_update(
            index_elements=["name"], set_={"value": noted.excluded["value"]}
        )
    )
