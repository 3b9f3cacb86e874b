"""The bundled CRM with the integration mounted, and people who use it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from limepkg_email import EmailIntegration
from limepkg_email.accounts.accounts import ConnectedAccount, add_account, read_accounts
from limepkg_email.reference import (
    ReferenceApplication,
    ReferenceApplicationOptions,
    ReferenceHost,
)
from limepkg_email.schema.setup import run_setup
from limepkg_email.tasks import jobs
from limepkg_email.tasks.inline import InlineRunner
from limepkg_email.tasks.jobs import JobEntry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "shared-webhook-secret"
CONFIG = {"emailengine_url": "http://127.0.0.1:9"}
SECRETS = {"emailengine_token": "t" * 64, "emailengine_service_secret": SECRET}
PREFIX = "/crm/limepkg-email"


def options(database_url: str, directory: Path, **config: object) -> ReferenceApplicationOptions:
    return ReferenceApplicationOptions(
        database_url=database_url,
        files_directory=directory,
        config={**CONFIG, **config},
        secrets=SECRETS,
        password_method="pbkdf2:sha256:1",
    )


@dataclass
class Person:
    """Somebody who uses the endpoints with an API key, or without one."""

    client: FlaskClient
    key: str = ""

    def get(self, path: str, **query: object) -> Any:
        return self._open("GET", path, query_string=query or None)

    def post(self, path: str, **body: object) -> Any:
        return self._open("POST", path, json=body)

    def send(self, method: str, path: str, **arguments: Any) -> Any:
        return self._open(method, path, **arguments)

    def _open(self, method: str, path: str, **arguments: Any) -> Any:
        headers = dict(arguments.pop("headers", {}))
        if self.key:
            headers["x-api-key"] = self.key
        return self.client.open(
            PREFIX + path, method=method, headers=headers, buffered=True, **arguments
        )


class Crm:
    """One application `crm` with a connected account; its people are made by the tests."""

    def __init__(
        self,
        database_url: str,
        directory: Path,
        *,
        extensions: Iterable[object] = (),
        neighbour: bool = False,
        **config: Any,
    ) -> None:
        """With a `neighbour` the host has another application, installed, called `other`."""
        self.now = NOW
        self.app = Flask("crm")
        self.app.secret_key = "a made-up key"
        applications = {"crm": options(database_url, directory, **config)}
        if neighbour:
            url = f"sqlite:///{directory / 'other.sqlite'}"
            applications["other"] = options(url, directory / "other")
        self.host = ReferenceHost(self.app, applications, clock=self.clock)
        self.host.create_databases()
        self.runner = InlineRunner(paused=True)
        self.integration = EmailIntegration(
            self.host,
            runner=self.runner,
            clock=self.clock,
            extensions=extensions,
            load_entry_points=False,
        )
        if neighbour:
            run_setup(self.integration.anonymous_services("other"))
        self.integration.register_blueprint(self.app)

    def install(self) -> None:
        services = self.integration.anonymous_services("crm")
        run_setup(services)
        with self.engine.begin() as connection:
            add_account(
                connection,
                engine_account="support",
                email="support@example.com",
                name="Support",
                activated_at=self.now,
            )
        self.use_what_is_installed()

    def use_what_is_installed(self) -> None:
        services = self.integration.anonymous_services("crm")
        user = services.config.system_user
        self.application = self.host.application("crm").as_user(user)
        with self.engine.connect() as connection:
            self.account = read_accounts(connection).accounts[0]

    application: ReferenceApplication
    account: ConnectedAccount

    def clock(self) -> datetime:
        return self.now

    @property
    def engine(self) -> Engine:
        return self.integration.anonymous_services("crm").application.database

    def person(self, role: str = "agent", login: str = "", grants: Iterable[str] = ()) -> Person:
        users = self.host.application("crm").users
        login = login or role
        email = f"{login}@example.com"
        users.add(login, name=login.title(), email=email, role=role, grants=grants)
        return Person(self.app.test_client(), users.add_api_key(login))

    def nobody(self) -> Person:
        return Person(self.app.test_client())

    def jobs(self) -> list[JobEntry]:
        with self.engine.connect() as connection:
            return jobs.listing(connection)[::-1]

    def add(self, limetype: str, **values: object) -> int:
        with self.application.unit_of_work() as work:
            return work.objects.add(limetype, values)

    def conversation(self, *, messages: int = 0, **values: object) -> int:
        """A conversation of Anna's on a ticket, with so many mails from her."""
        parent = self.add("helpdesk", title="Broken printer")
        given = {
            "subject": "Broken printer",
            "lastmessagedate": self.now,
            "unread": messages > 0,
            "account": self.account.id,
            "helpdesk": parent,
            **values,
        }
        found = self.add("conversation", **given)
        anna = self.add(
            "follower", email="anna@example.org", name="Anna", active=True, conversation=found
        )
        for number in range(messages):
            self.mail(found, anna, number)
        return found

    def mail(self, conversation: int, follower: int, number: int = 0, **values: object) -> int:
        given = {
            "subject": "Broken printer",
            "body": f"<p>Mail {number}</p><blockquote>earlier</blockquote>",
            "visiblebody": f"<p>Mail {number}</p>",
            "preview": f"Mail {number}",
            "date": self.now + timedelta(minutes=number),
            "source": "email",
            "unread": True,
            "machine": "no",
            "authorname": "Anna",
            "authoraddress": "anna@example.org",
            "conversation": conversation,
            **values,
        }
        message = self.add("conversationmessage", **given)
        self.add(
            "messagefollower",
            role="from",
            state="received",
            conversationmessage=message,
            follower=follower,
        )
        return message


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Note what is executed, but for the beginning of transactions."""
    found: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.startswith("BEGIN"):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.json"))


@dataclass(frozen=True)
class Capture:
    """A webhook as EmailEngine sent it."""

    name: str
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["X-EE-Wh-Event-Id"]


def _capture(name: str, values: dict[str, Any]) -> Capture:
    hop = ("host", "connection", "content-length", "accept-encoding")
    headers = {key: value for key, value in values["headers"].items() if key.lower() not in hop}
    body = json.dumps(values["body"], separators=(",", ":"), ensure_ascii=False)
    return Capture(name, headers, body.encode() if values["body"] is not None else b"")


def captures() -> Sequence[Capture]:
    found: list[Capture] = []
    for path in CAPTURES:
        values = json.loads(path.read_text("utf-8"))
        for number, each in enumerate(values.get("requests", [values])):
            if each["body"] is not None:
                found.append(_capture(f"{path.stem}-{number}", each))
    return found


def capture(name: str) -> Capture:
    return next(each for each in captures() if each.name.startswith(name))
