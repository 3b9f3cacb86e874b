"""A sandbox that never waits, its API, and a receiver of its webhooks."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver

SECRET = "shared-webhook-secret"
CAPTURES = Path(__file__).parent / "captures"

MakeSandbox = Callable[..., Sandbox]
Connect = Callable[..., EngineApi]


def capture(name: str) -> dict[str, Any]:
    """A real request with its answer, or a real webhook."""
    found: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text("utf-8"))
    return found


@pytest.fixture
def make_sandbox(tmp_path: Path) -> Iterator[MakeSandbox]:
    """Makes started sandboxes; all on one directory, unless told otherwise."""
    made: list[Sandbox] = []

    def make(**options: Any) -> Sandbox:
        chosen = {
            "directory": tmp_path / "sandbox",
            "token": "t" * 64,
            "webhook_base_delay": 0.02,
            "webhook_resend_delay": 0.02,
            "webhook_timeout": 2.0,
            "delivery_base_delay": 0.02,
            "bounce_delay": 0.02,
            "sent_copy_delay": 0.02,
            **options,
        }
        sandbox = Sandbox(SandboxOptions(**chosen))
        made.append(sandbox)
        sandbox.start()
        return sandbox

    yield make
    for sandbox in made:
        sandbox.stop()


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Registers an account with a sandbox; gives its API."""
    made: list[EngineApi] = []

    def make(sandbox: Sandbox, account: str = "support", **values: Any) -> EngineApi:
        api = EngineApi(sandbox.url, sandbox.token, account)
        made.append(api)
        password = values.pop("password", "secret")
        email = values.get("email", f"{account}@example.com")
        login = {
            "auth": {"user": email, "pass": password},
            "host": "127.0.0.1",
            "port": 10143,
            "secure": False,
        }
        body = {"account": account, "name": account.title(), "email": email}
        body |= {"imap": login, "smtp": {**login, "port": 10587}} | values
        api.post("/account", body)
        return api

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(sandbox: Sandbox, connect: Connect) -> EngineApi:
    return connect(sandbox)


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def told(api: EngineApi, sandbox: Sandbox, receiver: WebhookReceiver) -> WebhookReceiver:
    """The receiver, told of everything that happens from now on."""
    listen(api, receiver)
    return receiver


def listen(api: EngineApi, receiver: WebhookReceiver, **settings: Any) -> None:
    """Send all webhooks to the receiver."""
    body = {
        "webhooksEnabled": True,
        "webhooks": receiver.url,
        "webhookEvents": ["*"],
        "notifyHeaders": ["*"],
        "serviceSecret": SECRET,
    }
    api.post("/settings", {**body, **settings})


def deliver(
    sandbox: Sandbox, raw: bytes | str, mailbox: str = "support@example.com", query: str = ""
) -> dict[str, Any]:
    """Deliver a raw mail; gives its ids."""
    data = raw.encode() if isinstance(raw, str) else raw
    return sandbox.control("POST", f"/deliver?mailbox={mailbox}{query}", data)


def mail(subject: str = "Hello", message_id: str = "", text: str = "Hi\n", extra: str = "") -> str:
    """A small mail from a customer."""
    lines = ["From: Anna <anna@example.org>", "To: support@example.com", f"Subject: {subject}"]
    if message_id:
        lines.append(f"Message-ID: {message_id}")
    return "\n".join(lines) + f"\n{extra}\n{text}"
