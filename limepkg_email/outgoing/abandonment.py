"""What an account still had to send, shown as failed once the account is gone."""

from __future__ import annotations

from sqlalchemy import and_, select

from limepkg_email.outgoing.transitions import OUTBOX, Report, apply
from limepkg_email.services import Services

CODE = "account_deleted"
"""The code of the error that such a message has."""
_WAITING = ("queued", "delayed")
_PAGE = 200


def give_up(services: Services, engine_account: str, reason: str) -> int:
    """Show every mail of the account that waits as failed, for this reason; gives how many.

    To be called once the engine cannot send them any more. Who wrote them is told.
    """
    waiting = and_(OUTBOX.c.account == engine_account, OUTBOX.c.state.in_(_WAITING))
    page = select(OUTBOX.c.guid).where(waiting).order_by(OUTBOX.c.guid).limit(_PAGE)
    count, last = 0, ""
    while True:
        with services.application.database.connect() as connection:
            guids = list(connection.scalars(page.where(OUTBOX.c.guid > last)))
        for guid in guids:
            report = Report(state="failed", date=services.clock(), reason=reason, code=CODE)
            apply(services, and_(OUTBOX.c.guid == guid, waiting), report)
        if not guids:
            return count
        count, last = count + len(guids), guids[-1]
