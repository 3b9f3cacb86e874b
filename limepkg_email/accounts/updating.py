"""Changing the settings of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from limepkg_email import audit
from limepkg_email.accounts.access import assign, users_of
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.listing import AccountEntry, read_entry
from limepkg_email.accounts.recovery_start import start_recovery
from limepkg_email.accounts.settings import SETTINGS, checked
from limepkg_email.db import table
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.models import Disposition, Receipt
from limepkg_email.services import Services

_RECEIPTS = table(Receipt)


def update_account(services: Services, account: int, values: Mapping[str, Any]) -> AccountEntry:
    """Change the given settings and leave the others; gives the account as it is then.

    Letting the unread mail from before the activation in starts a recovery, which brings it.
    Raises `NotFound`, and `InvalidInput` with sentences per setting: then nothing has changed.
    """
    unknown = [name for name in values if name not in SETTINGS]
    if unknown:
        raise InvalidInput(errors={name: ["There is no such setting."] for name in unknown})
    database = services.application.database
    with database.connect() as connection:
        read_entry(connection, account)
        clean = checked(services, connection, values, account)
    with database.begin() as connection:
        before = _locked(connection, account)
        _write(connection, account, clean)
        audit.record(
            connection, services, "account.update", "account", account, before=before, after=clean
        )
        if clean.get("import_unread") and not before["import_unread"]:
            _let_unread_in(services, connection, account)
        found = read_entry(connection, account)
    services.wake()
    return found


def _let_unread_in(services: Services, connection: Connection, account: int) -> None:
    """Forget that mail was too early, so that the recovery decides about it anew."""
    chosen = select(ACCOUNTS.c.engine_account).where(ACCOUNTS.c.id == account)
    engine_account = connection.scalar(chosen)
    connection.execute(
        delete(_RECEIPTS).where(
            _RECEIPTS.c.account == engine_account,
            _RECEIPTS.c.disposition == Disposition.BEFORE_ACTIVATION.value,
        )
    )
    start_recovery(services, connection, [account], catching_up=True)


def _locked(connection: Connection, account: int) -> dict[str, Any]:
    chosen = select(ACCOUNTS).where(ACCOUNTS.c.id == account).with_for_update()
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no account {account}.")
    before = {name: row[name] for name in SETTINGS if name != "users"}
    return {**before, "users": users_of(connection, [account])[account]}


def _write(connection: Connection, account: int, clean: Mapping[str, Any]) -> None:
    columns = {name: value for name, value in clean.items() if name != "users"}
    if columns:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(**columns))
    if "users" in clean:
        assign(connection, account, clean["users"])
