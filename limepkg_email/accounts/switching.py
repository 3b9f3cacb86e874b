"""Disabling accounts and enabling them again.

A disabled account sends nothing, and its mail is neither imported nor counted as seen. Where the
engine can, it stops receiving too: that is IMAP with a password. What came meanwhile, a recovery
imports once the account is enabled. The engine is changed first and the account last, so doing it
again completes what was interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, update

from limepkg_email import audit
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.outcomes import AccountOutcome, each_of, rows_of
from limepkg_email.accounts.recovery_start import start_recovery
from limepkg_email.accounts.standing import MISSING
from limepkg_email.errors import EngineNotFound
from limepkg_email.services import Services


def switch(services: Services, accounts: Sequence[int], *, enabled: bool) -> list[AccountOutcome]:
    """Enable or disable the accounts; says for each whether it was changed, and if not, why.

    Raises the engine's error when it is away before anything was changed.
    """
    rows = rows_of(services, accounts)
    missing: list[int] = []

    def one(account: int) -> AccountOutcome:
        row = rows.get(account)
        if row is None:
            return AccountOutcome(account, "failed", f"There is no account {account}.")
        try:
            turned = _turn(services, row, enabled=enabled)
        except EngineNotFound:
            missing.append(account)
            # It cannot receive anyway; what keeps it from sending is ours.
            return _of_missing(account, row, enabled=enabled)
        changed = turned or row.enabled != enabled
        return AccountOutcome(account, "changed" if changed else "unchanged")

    done = each_of(accounts, one)
    changed = [each.id for each in done if each.outcome == "changed"]
    _write(services, rows, changed, missing, enabled=enabled)
    return done


def _of_missing(account: int, row: Row[Any], *, enabled: bool) -> AccountOutcome:
    if enabled:
        reason = "The mail engine does not know the account any more; connect it again."
        return AccountOutcome(account, "failed", reason)
    return AccountOutcome(account, "changed" if row.enabled else "unchanged")


def _turn(services: Services, row: Row[Any], *, enabled: bool) -> bool:
    """Let the engine receive or not; tells whether anything was done for it."""
    known = services.engine.account(row.engine_account)
    # Done again as long as our account is not changed: the call before may have got half-way.
    if not known.has_imap or (known.paused != enabled and row.enabled == enabled):
        return False
    block = {"imap": {"partial": True, "disabled": not enabled}}
    services.engine.update_account(row.engine_account, block)
    # Without it the engine goes on as before for minutes.
    services.engine.reconnect(row.engine_account)
    return True


def _write(
    services: Services,
    rows: Mapping[int, Row[Any]],
    changed: Sequence[int],
    missing: Sequence[int],
    *,
    enabled: bool,
) -> None:
    if not changed and not missing:
        return
    action = "account.enable" if enabled else "account.disable"
    with services.application.database.begin() as connection:
        for ids, values in ((changed, {"enabled": enabled}), (missing, {"state": MISSING})):
            if ids:
                chosen = update(ACCOUNTS).where(ACCOUNTS.c.id.in_(list(ids)))
                connection.execute(chosen.values(values))
        for account in changed:
            after = {"email": rows[account].email, "enabled": enabled}
            audit.record(connection, services, action, "account", account, after=after)
        if enabled and changed:
            start_recovery(services, connection, changed, catching_up=True)
    services.wake()
