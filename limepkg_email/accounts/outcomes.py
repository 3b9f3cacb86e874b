"""What became of each account that a call named: some can succeed while others fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.errors import EngineAuth, EngineBusy, EngineError, EngineUnavailable
from limepkg_email.services import Services

AWAY = (EngineUnavailable, EngineBusy, EngineAuth)
"""Errors of an engine that is away: it is asked no more."""


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What became of one account: `outcome` is `changed`, `deleted`, `unchanged` or `failed`."""

    id: int
    outcome: str
    reason: str = ""


def rows_of(services: Services, accounts: Sequence[int]) -> dict[int, Row[Any]]:
    """Read the accounts that there are, in one statement."""
    columns = ("id", "engine_account", "email", "enabled")
    chosen = select(*(ACCOUNTS.c[each] for each in columns)).where(
        ACCOUNTS.c.id.in_(list(accounts))
    )
    with services.application.database.connect() as connection:
        return {row.id: row for row in connection.execute(chosen)}


def each_of(accounts: Sequence[int], act: Callable[[int], AccountOutcome]) -> list[AccountOutcome]:
    """Do it to each account, and say how it went.

    An engine that is away is asked no more: its error is raised if nothing has been done before,
    and is the reason of all remaining accounts otherwise.
    """
    done: list[AccountOutcome] = []
    away: EngineError | None = None
    for account in dict.fromkeys(accounts):
        if away is not None:
            done.append(AccountOutcome(account, "failed", away.message))
            continue
        try:
            done.append(act(account))
        except AWAY as error:
            if not any(each.outcome in ("changed", "deleted") for each in done):
                raise
            away = error
            done.append(AccountOutcome(account, "failed", error.message))
        except EngineError as error:
            done.append(AccountOutcome(account, "failed", error.message))
    return done
