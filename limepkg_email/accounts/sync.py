"""The sync: our tables of OAuth2 applications and accounts made equal to what EmailEngine has.

Nothing is changed in EmailEngine. An account that turns up is added *disabled*: a system that was
restored from production, or shares its engine with another one, must not import anybody's mail
before an administrator says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Table, bindparam, exists, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from limepkg_email import audit, event_log
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.oauth_apps import OAUTH_APPS
from limepkg_email.accounts.sync_plan import (
    Difference,
    Stored,
    SyncPlan,
    compare_accounts,
    compare_apps,
)
from limepkg_email.db import insert_new, table
from limepkg_email.errors import EmailIntegrationError
from limepkg_email.event_log import Level
from limepkg_email.models import AccountReport, Lease, LogEntry, Outbox, Receipt
from limepkg_email.services import Services
from limepkg_email.tasks import leases, runs
from limepkg_email.tasks.runs import RunEntry
from limepkg_email.tasks.worker import reason_of

TASK: Final = "limepkg_email.tasks.tasks.sync_emailengine_to_lime"
"""The name of the sync's task."""
STEPS: Final = 2
"""Steps of a run: comparing, and changing our tables."""
ATTEMPTS: Final = 3
"""Attempts of a run, half a minute in all, before it is given up."""

_LEASE: Final = "sync_emailengine_to_lime"
_LEASE_DURATION: Final = timedelta(hours=1)
_LEASES = table(Lease)
_RECEIPTS = table(Receipt)
_BY_ENGINE_ID: Final = tuple(table(each) for each in (Outbox, AccountReport, LogEntry))
_APP_COLUMNS: Final = (
    "name",
    "provider",
    "base_scopes",
    "client_id",
    "authority",
    "redirect_url",
    "enabled",
    "missing",
)
_ACCOUNT_COLUMNS: Final = ("email", "name", "type", "oauth_app", "state", "last_error")


class SyncFailed(EmailIntegrationError):
    """The sync failed again and again; its message is the last reason."""

    code = "sync_failed"


def start(services: Services) -> RunEntry:
    """Start a sync as a run, or give the one that waits or works already.

    One at a time: the holder of a lease is the run's id.
    """
    now = services.clock()
    with services.application.database.begin() as connection:
        guid = _lease_for(connection, str(uuid4()), now)
        found, _ = runs.listing(connection, guids=[guid])
        if not found:
            user = services.application.user.id
            runs.create(connection, TASK, {}, now, user=user, total=STEPS, guid=guid)
            audit.record(connection, services, "sync.start", "sync", guid)
        run = runs.read(connection, guid)
    services.wake()
    return run


def run(services: Services, guid: str = "", attempts: int = 1) -> None:
    """Do the sync and report its progress to the run with this id, if there is one.

    Raises `SyncFailed` from the third attempt on; before that what went wrong, for another attempt.
    """
    try:
        _run(services, guid)
    except (OperationalError, InterfaceError):
        raise  # the database is away, so nothing can be noted either
    except Exception as error:
        # Somebody waits for it: hours of further attempts would help nobody.
        reason = reason_of(error)
        if attempts >= ATTEMPTS:
            raise SyncFailed(reason) from error
        with services.application.database.begin() as connection:
            runs.put_off(connection, guid, reason)
        raise


def give_up(services: Services, guid: str, reason: str) -> None:
    """Note that the sync with this id failed, so that another one can start."""
    with services.application.database.begin() as connection:
        runs.fail(connection, guid, services.clock(), reason)
        leases.release(connection, _LEASE, guid)


def _run(services: Services, guid: str) -> None:
    database = services.application.database
    with database.begin() as connection:
        runs.begin(connection, guid, services.clock(), total=STEPS)
    planned = plan(services)
    with database.begin() as connection:
        runs.advance(connection, guid, 1)
    with database.begin() as connection:
        _apply(connection, planned, services.clock())
        runs.succeed(connection, guid, services.clock(), planned.shown())
        leases.release(connection, _LEASE, guid)


def plan(services: Services) -> SyncPlan:
    """Compare our tables with EmailEngine and change nothing; two statements.

    Ours are read first: what is made while EmailEngine is asked must not look missing.
    """
    with services.application.database.connect() as connection:
        apps = _stored(connection, OAUTH_APPS, "engine_app", _APP_COLUMNS)
        accounts = _stored(connection, ACCOUNTS, "engine_account", _ACCOUNT_COLUMNS)
    there = {each.account: each for each in services.engine.accounts()}
    return SyncPlan(
        compare_apps(apps, list(services.engine.oauth2.all())),
        compare_accounts(accounts, list(there.values())),
    )


def apply(services: Services, planned: SyncPlan) -> None:
    """Make our tables as the plan says, in one transaction; once more changes nothing.

    A number of statements that does not depend on the number of rows, unless ids are repaired.
    """
    with services.application.database.begin() as connection:
        _apply(connection, planned, services.clock())


def _lease_for(connection: Connection, guid: str, now: datetime) -> str:
    """Take the lease for a new run, or give the id of the open run that has it."""
    held = select(_LEASES.c.holder).where(_LEASES.c.name == _LEASE).with_for_update()
    while not leases.acquire(connection, _LEASE, guid, now, _LEASE_DURATION):
        holder = connection.scalar(held)
        found, _ = runs.listing(connection, guids=[holder or ""])
        if holder and found and not found[0].ended:
            return str(holder)
        # Given up by the sweep: the run has ended, its lease has not.
        leases.release(connection, _LEASE, holder or "")
    return guid


def _stored(
    connection: Connection, target: Table, engine_id: str, columns: Sequence[str]
) -> list[Stored]:
    chosen = select(target.c.id, target.c[engine_id], *(target.c[name] for name in columns))
    return [
        Stored(row["id"], row[engine_id], {name: row[name] for name in columns})
        for row in connection.execute(chosen.order_by(target.c.id)).mappings()
    ]


def _apply(connection: Connection, planned: SyncPlan, now: datetime) -> None:
    apps, accounts = planned.apps, planned.accounts
    insert_new(connection, OAUTH_APPS, [_new_app(each, now) for each in apps.added])
    changed = (*apps.updated, *apps.missing)
    _change(connection, OAUTH_APPS, "engine_app", changed, {"changed_at": now})
    insert_new(connection, ACCOUNTS, [_new_account(each, now) for each in accounts.added])
    changed = (*accounts.updated, *accounts.missing)
    _change(connection, ACCOUNTS, "engine_account", changed, {"state_at": now})
    for each in apps.repaired:
        # Accounts that the engine does not know, or not with an application, had the former id.
        former = ACCOUNTS.c.oauth_app == _former(each)
        connection.execute(update(ACCOUNTS).where(former).values(oauth_app=each.engine_id))
    for each in accounts.repaired:
        _follow(connection, _former(each), each, now)
    _tell(connection, planned, now)


def _change(
    connection: Connection,
    target: Table,
    engine_id: str,
    differences: Sequence[Difference],
    fixed: Mapping[str, object],
) -> None:
    """Change the rows in one statement, each only while it is the one that was compared."""
    rows = [
        {engine_id: each.engine_id, **each.values, **_of(each)}
        for each in differences
        if each.changed
    ]
    if not rows:
        return
    # A bound value must not be called like a column, so each of them stands behind `new_`.
    values = {
        name: bindparam(f"new_{name}", type_=target.c[name].type)
        for name in rows[0]
        if not name.startswith("of_")
    }
    same = (target.c.id == bindparam("of_row"), target.c[engine_id] == bindparam("of_engine_id"))
    given = [
        {name if name.startswith("of_") else f"new_{name}": row[name] for name in row}
        for row in rows
    ]
    connection.execute(update(target).where(*same).values({**fixed, **values}), given)


def _of(difference: Difference) -> dict[str, object]:
    assert difference.row is not None  # noqa: S101 - only what is added has none
    return {"of_row": difference.row.id, "of_engine_id": difference.row.engine_id}


def _new_app(difference: Difference, now: datetime) -> dict[str, object]:
    times = {"created_at": now, "changed_at": now}
    return {"engine_app": difference.engine_id, **difference.values, **times}


def _new_account(difference: Difference, now: datetime) -> dict[str, object]:
    values: Mapping[str, Any] = difference.values
    return {
        **values,
        "type": values["type"] or "sending",
        "oauth_app": values["oauth_app"] or "",
        "engine_account": difference.engine_id,
        "enabled": False,
        "aliases": [],
        "parent_limetype": "",
        "create_persons": False,
        "import_unread": True,
        "activated_at": now,
        "state_at": now,
    }


def _former(difference: Difference) -> str:
    assert difference.row is not None  # noqa: S101 - a repaired one was there
    return difference.row.engine_id


def _follow(connection: Connection, former: str, account: Difference, now: datetime) -> None:
    """Let what is kept under the former id of an account follow it: its receipts above all.

    Without them the recovery would take every mail of the account for a new one.
    """
    new = account.engine_id
    other = _RECEIPTS.alias()
    twice = exists().where(other.c.account == new, other.c.mail_key == _RECEIPTS.c.mail_key)
    moving = update(_RECEIPTS).where(_RECEIPTS.c.account == former, ~twice)
    connection.execute(moving.values(account=new))
    for each in _BY_ENGINE_ID:
        connection.execute(update(each).where(each.c.account == former).values(account=new))
    text = (
        f"The account {account.name} has the id {new} in EmailEngine now, not {former}. Permissions"
        f" email.send_as:{former} have to be given anew as email.send_as:{new}."
    )
    event_log.note(
        connection, now, Level.WARNING, "account_id_repaired", text, account=new, former=former
    )


def _tell(connection: Connection, planned: SyncPlan, now: datetime) -> None:
    for each in planned.accounts.added:
        text = f"The sync found {each.name} in EmailEngine and added it disabled."
        event_log.note(connection, now, Level.INFO, "account_found", text, account=each.engine_id)
    for each in planned.accounts.missing:
        if each.changed:
            text = f"EmailEngine does not know {each.name} any more: its mail is not imported."
            event_log.note(
                connection, now, Level.ERROR, "account_missing", text, account=each.engine_id
            )
