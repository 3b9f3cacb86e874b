"""Deleting accounts, in the engine first and here last; conversations stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Row, delete

from limepkg_email import audit
from limepkg_email.accounts.access import assign
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.outcomes import AccountOutcome, each_of, rows_of
from limepkg_email.audit import Actor
from limepkg_email.services import Services

UNSENT: Final = "The e-mail account was deleted before the mail was known to have left."
"""The reason of mails that waited when their account was deleted."""


def remove(
    services: Services,
    accounts: Sequence[int],
    give_up: Callable[[Services, str, str], object],
    *,
    by: Actor | None = None,
) -> list[AccountOutcome]:
    """Delete the accounts; says for each whether it was deleted, and if not, why.

    `give_up(services, engine_account, reason)` shows what the account still had to send as failed.
    An account that the engine does not have is deleted here all the same, so that doing it again
    completes what was interrupted. `by` is who wants it, if not the acting user. Raises the
    engine's error when it is away before anything was deleted.
    """
    rows = rows_of(services, accounts)

    def one(account: int) -> AccountOutcome:
        row = rows.get(account)
        if row is None:
            return AccountOutcome(account, "unchanged", f"There is no account {account}.")
        services.engine.delete_account(row.engine_account)
        # Only now: before, the engine could have sent what is called failed.
        give_up(services, row.engine_account, UNSENT)
        _forget(services, row, by)
        return AccountOutcome(account, "deleted")

    return each_of(accounts, one)


def _forget(services: Services, row: Row[Any], by: Actor | None) -> None:
    with services.application.database.begin() as connection:
        assign(connection, row.id, ())
        gone = connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == row.id)).rowcount
        if gone:
            before = {"email": row.email, "engine_account": row.engine_account}
            audit.record(
                connection, services, "account.delete", "account", row.id, before=before, by=by
            )
