"""Everything together: the CRM behind a real HTTP server, the sandbox, and its webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from flask import Flask

from limepkg_email.reference.server import WebServer
from limepkg_email.sandbox import Sandbox, SandboxOptions
from tests.installation import Installation, installed

SUPPORT = "support@example.com"


class ShiftedClock:
    """The real time, moved ahead by what a test has waited for."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Stack:
    """A running CRM and engine; `settle` lets everything that was started come to its end."""

    sandbox: Sandbox
    installation: Installation
    url: str

    def deliver(self, raw: bytes, to: str = SUPPORT, **options: object) -> dict[str, Any]:
        """Let a mail arrive in a mailbox of the sandbox."""
        values = {"mailbox": to, "sender": "customer@example.org", **options}
        query = "&".join(f"{name}={value}" for name, value in values.items())
        answer: dict[str, Any] = self.sandbox.control("POST", f"/deliver?{query}", raw)
        return answer

    def mailbox(self, address: str, *, raw: bool = False) -> list[dict[str, Any]]:
        """Give the mails of a mailbox of the sandbox, in every folder."""
        path = f"/mailboxes/{address}/messages?raw={'true' if raw else 'false'}"
        found: list[dict[str, Any]] = self.sandbox.control("GET", path)["messages"]
        return found

    def settle(self, seconds: float = 30.0) -> None:
        """Do all work that is due within so many seconds, and wait for the engine to be quiet."""
        for _ in range(50):
            assert self.sandbox.wait_until_idle(20), "the sandbox does not come to rest"
            if self.installation.runner.drain():
                continue
            if seconds <= 0:
                return
            step = min(seconds, 10.0)
            seconds -= step
            self.installation.clock.advance(step)
        raise AssertionError("the work does not come to an end")

    def engine(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask the engine's API."""
        headers = {"Authorization": f"Bearer {self.sandbox.token}"}
        return requests.request(
            method, f"{self.sandbox.url}/v1{path}", headers=headers, timeout=30, **options
        )

    def connect(self, engine_account: str = "support", email: str = SUPPORT) -> None:
        """Connect a mailbox in the engine and in the CRM."""
        login = {"host": "127.0.0.1", "port": 993, "auth": {"user": email, "pass": "secret"}}
        self.engine(
            "POST",
            "/account",
            json={
                "account": engine_account,
                "name": "Support",
                "email": email,
                "imap": login,
                "smtp": login,
            },
        ).raise_for_status()
        self.installation.connect(engine_account, email)


@contextmanager
def running(
    directory: Path,
    database_url: str,
    *,
    config: Mapping[str, object] | None = None,
    extensions: Sequence[object] = (),
    sandbox_options: Mapping[str, Any] | None = None,
    copied: bool = True,
) -> Iterator[Stack]:
    """Run a CRM with the connected account `support` and a sandbox that announces its mails.

    Copied ones are one and the same installation: of two that write to each other one is not.
    """
    app = Flask("crm")
    app.secret_key = "test"
    server = WebServer(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    options = SandboxOptions(
        directory=directory / "sandbox",
        **{
            "webhook_base_delay": 0.02,
            "webhook_resend_delay": 0.01,
            "delivery_base_delay": 0.02,
            "bounce_delay": 0.01,
            "sent_copy_delay": 0.01,
            **(sandbox_options or {}),
        },
    )
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(options))
        installation = stack.enter_context(
            installed(
                directory,
                database_url,
                config={"webhook_url": f"{url}/demo/limepkg-email/webhook/", **(config or {})},
                engine_url=sandbox.url,
                engine_token=sandbox.token,
                extensions=extensions,
                clock=ShiftedClock(),
                copied=copied,
            )
        )
        installation.integration.register_blueprint(app)
        installation.integration.start()
        stack.enter_context(server)
        stack.callback(installation.integration.stop)
        found = Stack(sandbox, installation, url)
        found.connect()
        yield found
        sandbox.control("POST", "/webhooks/pause")
