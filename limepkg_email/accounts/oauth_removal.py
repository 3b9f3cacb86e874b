"""Deleting an OAuth2 application with the accounts that sign in through it.

EmailEngine would leave the accounts behind, unable to sign in. So they go first, one by one, in
EmailEngine and then here, and the application last: whatever stops it, once more goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select

from limepkg_email import audit
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.oauth_apps import OAUTH_APPS, SUBJECT, OAuthAppEntry, read
from limepkg_email.accounts.removal import UNSENT
from limepkg_email.accounts.standing import ORPHAN
from limepkg_email.db import table
from limepkg_email.engine.types import EngineAccount
from limepkg_email.errors import EngineAuth, EngineBusy, EngineError, EngineUnavailable
from limepkg_email.models import AccountUser
from limepkg_email.services import Services

_ACCOUNT_USERS = table(AccountUser)
GiveUp = Callable[[Services, str, str], object]

_OUTAGES = (EngineUnavailable, EngineBusy, EngineAuth)


class Outcome(StrEnum):
    """What became of an account that was to go."""

    KEPT = "kept"
    DELETED = "deleted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Going:
    """An account that goes with an application.

    `id` is ours, `None` for an account that only EmailEngine has. `reason` says why it failed.
    """

    id: int | None
    engine_account: str
    email: str
    name: str
    outcome: Outcome = Outcome.KEPT
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a deletion did, or would do.

    `deleted` says that the application itself is gone, `reason` why it is not. `left` counts
    accounts that came meanwhile and are now without application in EmailEngine.
    """

    app: OAuthAppEntry
    accounts: tuple[Going, ...]
    deleted: bool = False
    reason: str = ""
    left: int = 0


def plan_removal(services: Services, id: int) -> Removal:
    """Tell which accounts would go with the application; raises `NotFound`."""
    app = read(services, id)
    return Removal(app, tuple(_going(services, app)))


def remove(services: Services, id: int, give_up: GiveUp) -> Removal:
    """Delete the accounts of the application and then the application itself.

    `give_up(services, engine_account, reason)` shows what an account still had to send as failed.
    An account that EmailEngine refuses to delete keeps the application. When EmailEngine is away
    from the beginning its error is raised; when it goes away on the way the rest is kept. Raises
    `NotFound`.
    """
    planned = plan_removal(services, id)
    done: list[Going] = []
    for each in planned.accounts:
        # One that was tried and is kept tells of an outage: the others are not tried.
        outage = bool(done) and done[-1].outcome is Outcome.KEPT
        done.append(each if outage else _remove_account(services, each, give_up, first=not done))
    removal = replace(planned, accounts=tuple(done))
    if all(each.outcome is Outcome.DELETED for each in done):
        return _remove_app(services, removal)
    return replace(removal, reason="Not all of its accounts could be deleted; try it again.")


def _going(services: Services, app: OAuthAppEntry) -> Iterator[Going]:
    """Find the accounts; where ours and EmailEngine differ, EmailEngine is right."""
    columns = (ACCOUNTS.c[name] for name in ("id", "engine_account", "email", "name", "oauth_app"))
    with services.application.database.connect() as connection:
        ours = connection.execute(select(*columns).order_by(ACCOUNTS.c.id)).all()
    there = {each.account: each for each in services.engine.accounts()}
    for row in ours:
        if _uses(app, row, there.pop(row.engine_account, None)):
            yield Going(row.id, row.engine_account, row.email, row.name)
    for each in there.values():
        if each.app == app.engine_app:
            yield Going(None, each.account, each.email, each.name)


def _uses(app: OAuthAppEntry, ours: Any, there: EngineAccount | None) -> bool:
    if there is not None and there.app:
        return there.app == app.engine_app
    lost = there is None or there.type == ORPHAN
    return lost and bool(ours.oauth_app == app.engine_app)


def _remove_account(services: Services, account: Going, give_up: GiveUp, *, first: bool) -> Going:
    try:
        services.engine.delete_account(account.engine_account)
    except EngineError as error:
        outage = isinstance(error, _OUTAGES)
        if first and outage:
            raise
        outcome = Outcome.KEPT if outage else Outcome.FAILED
        return replace(account, outcome=outcome, reason=error.message)
    # Only now: before, the engine could have sent what is called failed.
    give_up(services, account.engine_account, UNSENT)
    if account.id is not None:
        _forget(services, account, account.id)
    return replace(account, outcome=Outcome.DELETED)


def _forget(services: Services, account: Going, id: int) -> None:
    shown = {"engine_account": account.engine_account, "email": account.email}
    with services.application.database.begin() as connection:
        connection.execute(delete(_ACCOUNT_USERS).where(_ACCOUNT_USERS.c.account == id))
        gone = connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == id)).rowcount
        if gone:
            audit.record(connection, services, "account.delete", "account", id, before=shown)


def _remove_app(services: Services, removal: Removal) -> Removal:
    app = removal.app
    try:
        left = services.engine.oauth2.delete(app.engine_app)
    except EngineError as error:
        if not removal.accounts:
            raise
        return replace(removal, reason=error.message)
    with services.application.database.begin() as connection:
        if connection.execute(delete(OAUTH_APPS).where(OAUTH_APPS.c.id == app.id)).rowcount:
            shown = {"name": app.name, "provider": app.provider, "client_id": app.client_id}
            audit.record(connection, services, "oauth_app.delete", SUBJECT, app.id, before=shown)
    return replace(removal, deleted=True, left=left)
