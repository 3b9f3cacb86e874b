from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from pathlib import Path
from shutil import copy
from typing import Any, cast

import pytest
from sqlalchemy import event, select

from limepkg_email import migrate
from limepkg_email.accounts.accounts import ConnectedAccount, add_account
from limepkg_email.config import load
from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.webhook import Event, parse_event
from limepkg_email.hooks import create_plugin_manager
from limepkg_email.host import LimeObject
from limepkg_email.models import Job, Outbox, ThreadEntry
from limepkg_email.outgoing.compose import Draft, OutgoingFile, Submitted, submit
from limepkg_email.outgoing.send import submit_outbox
from limepkg_email.outgoing.status import apply_delivery_event
from limepkg_email.query import And, Equals, Order, Query
from limepkg_email.reference import ReferenceApplication, ReferenceApplicationOptions, ReferenceHost
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.planning import plan
from limepkg_email.schema.setup import INSTALLATION_SETTING
from limepkg_email.services import Services
from limepkg_email.testing.postgres import Server

CONFIG = {"emailengine_url": "http://127.0.0.1:1"}
SECRETS = {"emailengine_token": "token", "emailengine_service_secret": "service-secret"}
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Office:
    """A CRM with an agent, a connected mailbox and a clock, and what a test asks of them."""

    application: ReferenceApplication
    services: Services
    clock: Clock
    account: ConnectedAccount
    wakes: list[int]

    @property
    def system(self) -> Services:
        """The services as background work has them."""
        return replace(self.services, application=self.application.as_user("emailengine@lime"))

    def acting_as(self, login: str) -> Services:
        return replace(self.services, application=self.application.as_user(login))

    def with_config(self, **values: Any) -> Services:
        return replace(self.services, config=replace(self.services.config, **values))

    def add(self, limetype: str, **values: object) -> int:
        with self.system.application.unit_of_work() as work:
            return work.objects.add(limetype, values)

    def all(self, limetype: str, **equal: object) -> list[LimeObject]:
        where = And(tuple(Equals(name, value) for name, value in equal.items()))
        with self.system.application.unit_of_work() as work:
            return work.objects.query(Query(limetype, where, order_by=(Order("id"),)))

    def get(self, limetype: str, id: int) -> LimeObject:
        with self.system.application.unit_of_work() as work:
            return work.objects.get(limetype, id)

    def change(self, limetype: str, id: int, **values: object) -> None:
        with self.system.application.unit_of_work() as work:
            work.objects.update(limetype, id, values)

    def conversation(self, *emails: str, subject: str = "Printer on fire") -> int:
        ticket = self.add("helpdesk", title=subject)
        conversation = self.add(
            "conversation",
            subject=subject,
            account=self.account.id,
            unread=False,
            lastmessagedate=NOW - timedelta(days=1),
            helpdesk=ticket,
        )
        for each in emails:
            self.follower(conversation, each)
        return conversation

    def follower(self, conversation: int, email: str, name: str = "", active: bool = True) -> int:
        return self.add(
            "follower", email=email, name=name, active=active, conversation=conversation
        )

    def received(self, conversation: int, follower: int, message_id: str) -> int:
        """A mail of the follower that came in."""
        message = self.add("conversationmessage", conversation=conversation, source="email")
        return self.add(
            "messagefollower",
            messageid=message_id,
            role="from",
            state="received",
            conversationmessage=message,
            follower=follower,
        )

    def send(self, conversation: int | None, text: str = "Hello", **values: Any) -> Submitted:
        draft = Draft(self.account.id, conversation=conversation, text=text, **values)
        return submit(self.services, draft)

    def file(self, name: str, content: bytes, content_type: str = "text/plain") -> OutgoingFile:
        stored = self.application.files.create(name, content_type, BytesIO(content))
        return OutgoingFile(name, content_type, stored.id, len(content))

    def rows(self, model: Any) -> list[Any]:
        with self.application.database.begin() as connection:
            return list(connection.execute(select(table(model))))

    def outbox(self) -> list[Any]:
        return sorted(self.rows(Outbox), key=lambda row: row.messagefollower)

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(row.payload) for row in self.outbox()]

    def jobs(self) -> list[Any]:
        return self.rows(Job)

    def thread(self) -> list[Any]:
        return self.rows(ThreadEntry)

    def counts(self) -> tuple[int, ...]:
        """How many rows of each kind there are: what a refused draft must leave as it was."""
        limetypes = ("helpdesk", "conversation", "conversationmessage", "follower")
        others = ("messagefollower", "document", "conversationmessageerror")
        return (
            *(len(self.all(each)) for each in limetypes + others),
            *(len(self.rows(each)) for each in (Outbox, Job, ThreadEntry)),
        )

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Gather the SQL statements that the block executes."""
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        engine = self.application.database
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)


@dataclass
class Post:
    """An office whose mail goes through a sandbox engine, and what a test sees of it there."""

    office: Office
    sandbox: Sandbox

    def submit(self) -> None:
        """Hand every mail of the outbox to the engine, as its jobs would."""
        for row in self.office.outbox():
            submit_outbox(self.office.system, row.guid)

    def fault(self, action: str, times: int = 1, **values: Any) -> None:
        path = "/v1/account/support/submit"
        order = {"action": action, "method": "POST", "path": path, "times": times, **values}
        self.sandbox.control("POST", "/faults", order)

    def addressed(self, pattern: str, outcome: str, **values: Any) -> None:
        rule = {"pattern": pattern, "outcome": outcome, **values}
        self.sandbox.control("POST", "/addresses", rule)

    def delivered(self, address: str, path: str = "INBOX") -> list[EmailMessage]:
        """The mails of a mailbox, oldest first, as Python's parser reads them."""
        assert self.sandbox.wait_until_idle()
        boxes = self.sandbox.control("GET", "/mailboxes")["mailboxes"]
        if address not in {each["address"] for each in boxes}:
            return []
        found = self.sandbox.control("GET", f"/mailboxes/{address}/messages?raw=true&path={path}")
        mails = sorted(found["messages"], key=lambda each: each["uid"])
        raw = [base64.b64decode(each["raw"]) for each in mails]
        return [message_from_bytes(each, policy=default) for each in raw]

    def events(self) -> list[Event]:
        """What the engine has told so far, each event as the webhook would bring it."""
        assert self.sandbox.wait_until_idle()
        waiting = self.sandbox.control("GET", "/webhooks")["webhooks"]
        return [parse_event(each["body"].encode()) for each in waiting]

    def tell(self, events: Iterable[Event] | None = None) -> list[bool]:
        """Bring the events about sent mail to the CRM; says which were about ours."""
        told = self.events() if events is None else events
        return [apply_delivery_event(self.office.system, each) for each in told]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = SandboxOptions(
        tmp_path / "engine", delivery_base_delay=0.01, bounce_delay=0.01, sent_copy_delay=0.0
    )
    with Sandbox(options) as sandbox:
        # Held back, the webhooks can be read, repeated and reordered at will.
        sandbox.control("POST", "/webhooks/pause")
        yield sandbox


@pytest.fixture
def engine(sandbox: Sandbox) -> Iterator[EngineClient]:
    server = {"host": "127.0.0.1", "port": 1, "auth": {"user": "support", "pass": "right"}}
    with EngineClient(sandbox.url, sandbox.token, timeout=(3, 10)) as client:
        told = {"webhooksEnabled": True, "webhooks": "http://127.0.0.1:9/", "webhookEvents": ["*"]}
        client.settings_set(told)
        client.create_account(
            {
                "account": "support",
                "name": "Support",
                "email": "support@example.com",
                "imap": server,
                "smtp": server,
            }
        )
        yield client


@pytest.fixture
def post(application: ReferenceApplication, engine: EngineClient, sandbox: Sandbox) -> Post:
    return Post(make_office(application, engine), sandbox)


def reference_host(
    database_url: str, directory: Path, separate: str | None = None
) -> ReferenceHost:
    options = ReferenceApplicationOptions(
        database_url=database_url,
        files_directory=directory / "files",
        separate_plugin_database=separate,
        password_method="pbkdf2:sha256:1",
    )
    return ReferenceHost(None, {"crm": options})


def install(database_url: str, directory: Path, separate: str | None = None) -> ReferenceHost:
    host = reference_host(database_url, directory, separate)
    host.create_databases()
    application = host.application("crm")
    application.users.add("lisa", name="Lisa Berg", email="lisa@example.com")
    application.users.add("reader", name="Rita", role="reader")
    application.ensure_system_user("emailengine@lime")
    for step in plan(declared(load(CONFIG, SECRETS)), application.limetypes.describe()):
        application.limetypes.apply(step)
    migrate.upgrade(application.database)
    application.settings.set(INSTALLATION_SETTING, "5f0c")
    return host


def make_office(application: ReferenceApplication, client: EngineClient | None = None) -> Office:
    clock, wakes = Clock(), list[int]()
    services = Services(
        application=application.as_user("lisa"),
        config=load(CONFIG, SECRETS),
        engine=cast("EngineClient", client),
        hooks=create_plugin_manager(load_entry_points=False).hook,
        clock=clock,
        wake=lambda: wakes.append(1),
    )
    with application.database.begin() as connection:
        account = add_account(
            connection,
            engine_account="support",
            email="support@example.com",
            name="Support",
            aliases=["help@example.com"],
            activated_at=NOW - timedelta(days=30),
        )
    return Office(application, services, clock, account, wakes)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with everything installed, to be copied: installing takes a second."""
    directory = tmp_path_factory.mktemp("template")
    install(f"sqlite:///{directory / 'crm.sqlite'}", directory).close()
    return directory / "crm.sqlite"


@pytest.fixture(scope="session")
def postgresql_template(
    limepkg_email_postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database with everything installed, to be copied."""
    url = limepkg_email_postgres.create_database()
    directory = tmp_path_factory.mktemp("template")
    install(url.render_as_string(hide_password=False), directory).close()
    return str(url.database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def installed_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of its own with everything installed."""
    if request.param == "sqlite":
        copy(request.getfixturevalue("sqlite_template"), tmp_path / "crm.sqlite")
        yield f"sqlite:///{tmp_path / 'crm.sqlite'}"
        return
    server: Server = request.getfixturevalue("limepkg_email_postgres")
    url = server.create_database(request.getfixturevalue("postgresql_template"))
    yield url.render_as_string(hide_password=False)
    server.drop_database(url)


@pytest.fixture
def application(installed_url: str, tmp_path: Path) -> Iterator[ReferenceApplication]:
    host = reference_host(installed_url, tmp_path)
    yield host.application("crm")
    host.close()


@pytest.fixture
def office(application: ReferenceApplication) -> Office:
    return make_office(application)
