"""An account's state as the engine gives it when it is asked: events of it can be lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.connecting import CLOCKS_APART, told
from limepkg_email.accounts.events import note_change
from limepkg_email.accounts.standing import CONNECTED, FAILING, MISSING
from limepkg_email.engine.types import EngineAccount
from limepkg_email.errors import EngineError, EngineNotFound
from limepkg_email.services import Services

_REFUSED: Final = "AUTHENTICATIONFAILED"
_COLUMNS = ("email", "engine_account", "enabled", "state", "state_at", "type")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said of an account, `None` if it does not know it, when asked at `at`."""

    at: datetime
    known: EngineAccount | None

    @property
    def connecting(self) -> bool:
        """Tell whether the engine connects to the mailbox at this moment, and has not failed."""
        known = self.known
        return known is not None and not (known.last_error or known.state in FAILING | CONNECTED)


def ask(services: Services, engine_account: str) -> Answer | None:
    """Ask the engine how it fares with an account, in one request; `None` when it is away."""
    at = services.clock()
    try:
        return Answer(at, services.engine.account(engine_account))
    except EngineNotFound:
        return Answer(at, None)
    except EngineError:
        return None


def take_over(connection: Connection, services: Services, account: int, answer: Answer) -> None:
    """Take the account's state over from the answer, unless an event has told of a later one.

    In the transaction at hand; two statements, and one more to note in the log that an account
    begins to fail or works again.
    """
    of_account = ACCOUNTS.c.id == account
    chosen = select(*(ACCOUNTS.c[each] for each in _COLUMNS)).where(of_account).with_for_update()
    row = connection.execute(chosen).one_or_none()
    if row is None or (row.state_at is not None and row.state_at > answer.at):
        return
    values = _values(row, answer)
    connection.execute(update(ACCOUNTS).where(of_account).values(values))
    if row.enabled:
        note_change(connection, services, row, values)


def _values(row: Row[Any], answer: Answer) -> Mapping[str, Any]:
    read_at = answer.at - CLOCKS_APART
    # Events from before the known state stay old news.
    state_at = read_at if row.state_at is None else max(read_at, row.state_at)
    if answer.known is None:
        return {"state": MISSING, "last_error": "", "state_at": state_at}
    return {**told(_settled(answer.known, row.state), answer.at), "state_at": state_at}


def _settled(known: EngineAccount, before: str) -> EngineAccount:
    """Give the account in the state between whose tries to connect it is, if they fail.

    With a wrong password the engine says in turns that it is refused and that it is connecting.
    """
    if known.state in FAILING | CONNECTED or not known.last_error:
        return known
    refused = known.last_error_code == _REFUSED
    failing = "authenticationError" if refused else "connectError"
    return replace(known, state=before if before in FAILING - {MISSING} else failing)
