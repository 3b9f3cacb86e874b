"""Who may send from an account: whom the host lets, and the users to whom it is assigned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.db import table
from limepkg_email.models import AccountUser
from limepkg_email.services import Services

ASSIGNED = table(AccountUser)


def may_send(services: Services, connection: Connection, engine_account: str) -> bool:
    """Tell whether the acting user may send from the account, disabled or not.

    The host's `email.send_as:<account>` is enough; only without it the assignments are read.
    """
    user = services.application.user
    if user.can(f"email.send_as:{engine_account}"):
        return True
    mine = (
        select(ASSIGNED.c.user)
        .join_from(ASSIGNED, ACCOUNTS, ASSIGNED.c.account == ACCOUNTS.c.id)
        .where(ACCOUNTS.c.engine_account == engine_account, ASSIGNED.c.user == user.id)
    )
    return connection.execute(mine).first() is not None


def users_of(connection: Connection, accounts: Collection[int]) -> Mapping[int, list[int]]:
    """Give the users to whom each of the accounts is assigned, in one statement."""
    found: dict[int, list[int]] = {each: [] for each in accounts}
    chosen = select(ASSIGNED.c.account, ASSIGNED.c.user).where(ASSIGNED.c.account.in_(list(found)))
    for account, user in connection.execute(chosen.order_by(ASSIGNED.c.account, ASSIGNED.c.user)):
        found[account].append(user)
    return found


def assign(connection: Connection, account: int, users: Iterable[int]) -> None:
    """Make these users, and no others, the ones to whom the account is assigned."""
    connection.execute(delete(ASSIGNED).where(ASSIGNED.c.account == account))
    rows = [{"account": account, "user": each} for each in sorted(set(users))]
    if rows:
        connection.execute(insert(ASSIGNED), rows)
