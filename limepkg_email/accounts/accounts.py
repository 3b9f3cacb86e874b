"""The accounts of an application, read from the package's own table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select

from limepkg_email.addresses import normalise
from limepkg_email.db import insert_new, table
from limepkg_email.errors import NotFound
from limepkg_email.models import Account

ACCOUNTS = table(Account)


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """A connected mailbox as the rest of the package sees it; `addresses` are normalised.

    What the other fields mean stands at `models.Account`.
    """

    id: int
    engine_account: str
    email: str
    name: str
    addresses: frozenset[str]
    enabled: bool
    parent_limetype: str
    create_persons: bool
    import_unread: bool
    activated_at: datetime
    language: str
    relay: bool
    relay_template: int | None
    autoreply_template: int | None
    signature: str


@dataclass(frozen=True)
class AccountBook:
    """Every account of the application at one moment."""

    accounts: tuple[ConnectedAccount, ...]

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """All addresses that are ours; a mail to them reaches the CRM anyway."""
        return frozenset().union(*(each.addresses for each in self.accounts))

    def by_engine_account(self, name: str) -> ConnectedAccount | None:
        """Give the account with this id in EmailEngine, or `None`."""
        return next((each for each in self.accounts if each.engine_account == name), None)

    def by_id(self, id: int) -> ConnectedAccount:
        """Give the account with this id of ours; raises `NotFound`."""
        for each in self.accounts:
            if each.id == id:
                return each
        raise NotFound(f"There is no account {id}.")


_ALL = select(
    ACCOUNTS.c.id,
    ACCOUNTS.c.engine_account,
    ACCOUNTS.c.email,
    ACCOUNTS.c.name,
    ACCOUNTS.c.aliases,
    ACCOUNTS.c.enabled,
    ACCOUNTS.c.parent_limetype,
    ACCOUNTS.c.create_persons,
    ACCOUNTS.c.import_unread,
    ACCOUNTS.c.activated_at,
    ACCOUNTS.c.language,
    ACCOUNTS.c.relay,
    ACCOUNTS.c.relay_template,
    ACCOUNTS.c.autoreply_template,
    ACCOUNTS.c.signature,
).order_by(ACCOUNTS.c.id)


def read_accounts(connection: Connection) -> AccountBook:
    """Read every account, in one statement."""
    return AccountBook(
        tuple(
            ConnectedAccount(
                id=row.id,
                engine_account=row.engine_account,
                email=row.email,
                name=row.name,
                addresses=frozenset(normalise(each) for each in (row.email, *row.aliases)),
                enabled=row.enabled,
                parent_limetype=row.parent_limetype,
                create_persons=row.create_persons,
                import_unread=row.import_unread,
                activated_at=row.activated_at,
                language=row.language,
                relay=row.relay,
                relay_template=row.relay_template,
                autoreply_template=row.autoreply_template,
                signature=row.signature,
            )
            for row in connection.execute(_ALL)
        )
    )


def address_of(connection: Connection, engine_account: str) -> str:
    """Give the address of the account for people to read; its id if it is not connected here."""
    chosen = select(ACCOUNTS.c.email).where(ACCOUNTS.c.engine_account == engine_account)
    return str(connection.scalar(chosen) or engine_account)


def add_account(
    connection: Connection,
    *,
    engine_account: str,
    email: str,
    name: str,
    activated_at: datetime,
    aliases: Iterable[str] = (),
    told: Mapping[str, Any] | None = None,
) -> ConnectedAccount:
    """Connect a mailbox that EmailEngine knows as `engine_account`; once more changes nothing.

    `told` are the columns of what EmailEngine says of it, as `connecting.told` gives them.
    """
    insert_new(
        connection,
        ACCOUNTS,
        [
            {
                "engine_account": engine_account,
                "email": email.lower(),
                "name": name,
                "aliases": [each.lower() for each in aliases],
                "enabled": True,
                "state": "init",
                "last_error": "",
                "parent_limetype": "",
                "create_persons": False,
                "import_unread": True,
                "activated_at": activated_at,
                **(told or {}),
            }
        ],
    )
    found = read_accounts(connection).by_engine_account(engine_account)
    assert found is not None  # noqa: S101 - inserted above, or it was there
    return found
