"""What the engine tells of an account's connection, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from limepkg_email import event_log
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.standing import CONNECTED, FAILING, MISSING, standing
from limepkg_email.engine.webhook import AccountEvent
from limepkg_email.event_log import Level
from limepkg_email.services import Services
from limepkg_email.text import one_line

_ADDED: Final = "accountAdded"
_STATES: Mapping[str, str] = {
    _ADDED: "init",
    "accountInitialized": "connected",
    "authenticationSuccess": "connected",
    "connectSuccess": "connected",
    "authenticationError": "authenticationError",
    "connectError": "connectError",
    "accountDeleted": MISSING,
}
"""The state in which an event leaves an account."""

_COLUMNS = ("email", "engine_account", "enabled", "state", "state_at", "type")


def note_event(services: Services, event: AccountEvent) -> bool:
    """Take the account's state over from the event; tells whether it was news.

    What happened before the state that is known, and what came twice, changes nothing. When an
    account begins to fail, or works again, administrators find it in the log.
    """
    state = _STATES.get(event.event)
    if state is None:
        return False
    at = event.date or services.clock()
    error = one_line(event.error or event.error_code, 2000) if state in FAILING else ""
    with services.application.database.begin() as connection:
        chosen = select(*(ACCOUNTS.c[each] for each in _COLUMNS))
        of_event = ACCOUNTS.c.engine_account == event.account
        row = connection.execute(chosen.where(of_event).with_for_update()).one_or_none()
        if row is None or not _is_news(row, event.event, at):
            return False
        values = {"state": state, "last_error": error, "state_at": at}
        connection.execute(update(ACCOUNTS).where(of_event).values(values))
        if row.enabled:
            note_change(connection, services, row, values)
    return True


def _is_news(row: Row[Any], name: str, at: datetime) -> bool:
    if row.state_at is not None and at < row.state_at:
        return False
    # It is told when the engine already connects, and may come after what it says of that.
    return name != _ADDED or row.state == MISSING


def note_change(
    connection: Connection, services: Services, row: Row[Any], values: Mapping[str, Any]
) -> None:
    """Note in the log that an account begins to fail or works again.

    `row` is the account before, with `email`, `engine_account`, `state` and `type`; `values`
    are its `state` and `last_error` from now on, and its `type` if that is read anew.
    """
    state, now = values["state"], services.clock()
    level, code, text = Level.INFO, "", ""
    if state in FAILING and state != row.state:
        said = standing(
            enabled=True,
            state=state,
            last_error=values["last_error"],
            kind=values.get("type", row.type),
        )
        level, code = Level.ERROR, "account_failing"
        text = f"{row.email}: {said.cause} {said.advice}"
    elif state in CONNECTED and row.state in FAILING:
        code, text = "account_recovered", f"{row.email}: the mailbox is connected again."
    if code:
        event_log.note(connection, now, level, code, text, account=row.engine_account)
