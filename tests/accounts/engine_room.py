"""An installed CRM whose engine is a real sandbox with OAuth2 applications and accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.oauth_apps import OAUTH_APPS, NewOAuthApp
from limepkg_email.engine.oauth2 import EngineOAuthApp
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.services import Services
from tests.installation import Installation, installed

OUTLOOK = NewOAuthApp(
    name="Outlook CRM",
    provider="outlook",
    client_id="11111111-2222-3333-4444-555555555555",
    client_secret="a-made-up-secret",
    authority="common",
)
GMAIL = NewOAuthApp(
    name="Gmail CRM",
    provider="gmail",
    client_id="made-up.apps.googleusercontent.com",
    client_secret="another-made-up-secret",
    base_scopes="api",
)


@dataclass
class Room:
    """The CRM and its engine."""

    installation: Installation
    sandbox: Sandbox

    @property
    def services(self) -> Services:
        return self.installation.services

    def order(self, method: str, path: str, action: str = "refuse", **fault: Any) -> None:
        """Let calls of the engine fail, all of them unless told otherwise."""
        order = {"method": method, "path": path, "action": action, "times": 99, **fault}
        self.sandbox.control("POST", "/faults", order)

    def away(self, path: str = "*", method: str = "*", **fault: Any) -> None:
        """Let the engine answer as one that has no workers."""
        self.order(method, path, status=503, code="WorkerNotAvailable", **fault)

    def heal(self) -> None:
        """Let the engine work again."""
        self.sandbox.control("DELETE", "/faults")

    def in_engine(self, app: NewOAuthApp = OUTLOOK, **values: Any) -> str:
        """Make an application in the engine only."""
        given = {
            "name": app.name,
            "provider": app.provider,
            "clientId": app.client_id,
            "clientSecret": app.client_secret,
            "redirectUrl": "https://engine.example.com/oauth",
        }
        if app.authority:
            given["authority"] = app.authority
        return self.services.engine.oauth2.create({**given, **values})

    def account(self, account: str, email: str = "", *, app: str = "", **values: Any) -> None:
        """Register an account in the engine only."""
        email = email or f"{account}@example.com"
        login = {"host": "127.0.0.1", "port": 1, "auth": {"user": email, "pass": "right"}}
        oauth2 = {"provider": app, "auth": {"user": email}, "refreshToken": "r", "accessToken": "a"}
        way: dict[str, Any] = {"oauth2": oauth2} if app else {"imap": login, "smtp": login}
        self.services.engine.create_account(
            {"account": account, "name": account.title(), "email": email, **way, **values}
        )

    def engine_accounts(self) -> list[str]:
        return sorted(each.account for each in self.services.engine.accounts())

    def engine_apps(self) -> list[EngineOAuthApp]:
        return list(self.services.engine.oauth2.all())

    def rows(self, table: Any = ACCOUNTS) -> list[Any]:
        with self.services.application.database.connect() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)).mappings())

    def apps(self) -> list[Any]:
        return self.rows(OAUTH_APPS)


@contextmanager
def room(directory: Path, database_url: str) -> Iterator[Room]:
    with Sandbox(SandboxOptions(directory / "engine", connect_delay=0.0)) as sandbox:
        sandbox.control("POST", "/webhooks/pause")
        with installed(
            directory,
            database_url,
            engine_url=sandbox.url,
            engine_token=sandbox.token,
        ) as installation:
            yield Room(installation, sandbox)
