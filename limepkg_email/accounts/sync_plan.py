"""What differs between EmailEngine and our tables of OAuth2 applications and accounts.

Pure comparison. EmailEngine is right about what it knows: names, addresses, providers, states.
After a database was restored, or copied from another system, the ids here can be stale: then
applications are recognised by name and client id, accounts by e-mail address, each only if exactly
one fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from limepkg_email.accounts.standing import MISSING, ORPHAN
from limepkg_email.addresses import normalise
from limepkg_email.engine.oauth2 import EngineOAuthApp
from limepkg_email.engine.types import EngineAccount
from limepkg_email.text import one_line

_SENDING: Final = "sending"


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of ours: its id, EmailEngine's id in it, and the columns that a sync keeps equal."""

    id: int
    engine_id: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something to add (no row), to change, or to mark as missing.

    `values` are all columns as they are to be, `changed` the names of those that are not yet.
    """

    engine_id: str
    name: str
    values: Mapping[str, Any]
    changed: tuple[str, ...] = ()
    row: Stored | None = None

    def shown(self) -> dict[str, Any]:
        """Give it as JSON for people."""
        return {"engine_id": self.engine_id, "name": self.name, "changed": list(self.changed)}


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs in one table. `missing` are all that are missing, also those known to be."""

    added: tuple[Difference, ...] = ()
    updated: tuple[Difference, ...] = ()
    missing: tuple[Difference, ...] = ()

    @property
    def repaired(self) -> tuple[Difference, ...]:
        """Those whose id in EmailEngine is another one than we knew."""
        return tuple(each for each in self.updated if _moved(each))

    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """Give them as JSON for people."""
        return {
            name: [each.shown() for each in getattr(self, name)]
            for name in ("added", "updated", "missing")
        }


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """All that a sync would do."""

    apps: Differences
    accounts: Differences

    def shown(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return {"apps": self.apps.shown(), "accounts": self.accounts.shown()}


def compare_apps(ours: Sequence[Stored], theirs: Sequence[EngineOAuthApp]) -> Differences:
    """Compare the applications."""
    found = [(each.id, _app_values(each)) for each in theirs]
    return _compare(ours, found, _app_identity, "name", {"missing": True})


def compare_accounts(ours: Sequence[Stored], theirs: Sequence[EngineAccount]) -> Differences:
    """Compare the accounts."""
    found = [(each.account, _account_values(each)) for each in theirs]
    return _compare(ours, found, _account_identity, "email", {"state": MISSING})


_Found = tuple[str, Mapping[str, Any]]
_Identity = Callable[[Mapping[str, Any]], object]
_T = TypeVar("_T")


def _app_values(app: EngineOAuthApp) -> dict[str, Any]:
    return {
        "name": app.name[:256],
        "provider": app.provider[:32],
        "base_scopes": app.base_scopes[:16],
        "client_id": app.client_id[:512],
        "authority": app.authority[:256],
        "redirect_url": app.redirect_url[:1024],
        "enabled": app.enabled,
        "missing": False,
    }


def _account_values(account: EngineAccount) -> dict[str, Any]:
    return {
        "email": account.email.lower()[:320],
        "name": account.name[:256],
        # `sending` is also what the list calls an account whose receiving we paused.
        "type": None if account.type == _SENDING else account.type[:32],
        # An account whose application is gone is still known by it here.
        "oauth_app": None if account.type == ORPHAN else account.app[:64],
        "state": one_line(account.state, 64) or "init",
        "last_error": one_line(account.last_error, 2000),
    }


def _app_identity(values: Mapping[str, Any]) -> object:
    return values["name"], values["client_id"]


def _account_identity(values: Mapping[str, Any]) -> object:
    return normalise(values["email"])


def _compare(
    ours: Sequence[Stored],
    theirs: Sequence[_Found],
    identity: _Identity,
    naming: str,
    lost: Mapping[str, Any],
) -> Differences:
    rows = {each.engine_id: each for each in ours}
    known = {engine_id for engine_id, _ in theirs}
    strange = [each for each in theirs if each[0] not in rows]
    stale = _unambiguous([each for each in ours if each.engine_id not in known], strange, identity)
    pairs = [(rows.get(each[0]) or stale.get(each[0]), each) for each in theirs]
    matched = {row.id for row, _ in pairs if row is not None}
    return Differences(
        added=tuple(_difference(each, naming) for row, each in pairs if row is None),
        updated=tuple(
            changed
            for row, each in pairs
            if row is not None and (changed := _difference(each, naming, row)).changed
        ),
        missing=tuple(_lost(each, naming, lost) for each in ours if each.id not in matched),
    )


def _unambiguous(
    rows: Sequence[Stored], found: Sequence[_Found], identity: _Identity
) -> dict[str, Stored]:
    """Match rows that have lost their counterpart; one of several that look alike stays lost."""
    here = _once(rows, lambda each: identity(each.values))
    there = _once(found, lambda each: identity(each[1]))
    return {there[key][0]: here[key] for key in here.keys() & there.keys()}


def _once(entries: Sequence[_T], key: Callable[[_T], object]) -> dict[object, _T]:
    counts = Counter(key(each) for each in entries)
    return {key(each): each for each in entries if key(each) and counts[key(each)] == 1}


def _difference(found: _Found, naming: str, row: Stored | None = None) -> Difference:
    engine_id, given = found
    if row is None:
        return Difference(engine_id, given[naming], given)
    values = {name: row.values[name] if each is None else each for name, each in given.items()}
    changed = [name for name, value in values.items() if row.values[name] != value]
    if row.engine_id != engine_id:
        changed.append("engine_id")
    return Difference(engine_id, values[naming], values, tuple(changed), row)


def _lost(row: Stored, naming: str, lost: Mapping[str, Any]) -> Difference:
    values = {**row.values, **lost}
    changed = tuple(name for name in lost if row.values[name] != lost[name])
    return Difference(row.engine_id, row.values[naming], values, changed, row)


def _moved(difference: Difference) -> bool:
    return "engine_id" in difference.changed
