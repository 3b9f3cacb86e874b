"""The demo: CRM, setup, sandbox engine and worker in one process, with sample mails."""

from __future__ import annotations

import json
import secrets
import shutil
import smtplib
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import getaddresses
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import func, select, update

from limepkg_email.accounts.accounts import ACCOUNTS, add_account, read_accounts
from limepkg_email.accounts.connecting import told
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.plugin import EmailIntegration
from limepkg_email.reference.app import create_app
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.options import ReferenceApplicationOptions
from limepkg_email.reference.seed import AGENT, CUSTOMERS, SIGNATURE, seed
from limepkg_email.reference.server import WebServer
from limepkg_email.reference.written import write_samples
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.schema.setup import SetupReport, run_setup
from limepkg_email.services import Services
from limepkg_email.signatures import set_user_signature
from limepkg_email.templates.defaults import Purpose
from limepkg_email.templates.serving import create_defaults

APPLICATION = "demo"
SUPPORT = "support@example.com"
STATE_FILE = "demo.json"
SAMPLES = Path(__file__).parent / "samples"

_PATIENCE = 60.0
_BEFORE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Where the demo keeps its data and listens; a port that is taken is replaced by a free one."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    engine_port: int = 8090
    smtp_port: int = 2525
    fresh: bool = False
    samples: bool = True
    database_url: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one mail."""

    sender: str
    subject: str
    disposition: str
    reason: str
    conversation: int | None


class Demo:
    """Runs until it is stopped; a second start on the same directory goes on where it stopped."""

    def __init__(self, options: DemoOptions) -> None:
        self.options = options
        self._running = ExitStack()
        self.url = ""
        self.engine_url = ""
        self.smtp: tuple[str, int] = ("", 0)
        self.service_secret = ""
        self.setup: SetupReport | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def _start(self) -> None:
        options = self.options
        if options.fresh and (options.directory / STATE_FILE).exists():
            shutil.rmtree(options.directory)
        options.directory.mkdir(parents=True, exist_ok=True)
        kept = _secrets(options.directory / STATE_FILE)
        self.service_secret = kept["service"]
        port = free_port(options.host, options.port)
        self.url = f"http://{options.host}:{port}"
        sandbox = self._running.enter_context(self._sandbox(kept["token"]))
        self.engine_url, self.smtp = sandbox.url, sandbox.smtp_address
        self._host = self._crm(kept)
        self._running.callback(self._host.close)
        self._integration = EmailIntegration(self._host)
        self._prepare()
        for name, address in CUSTOMERS:
            sandbox.control("POST", "/mailboxes", {"address": address, "name": name})
        self._serve(port, kept["session"])
        _write(
            options.directory / STATE_FILE,
            {**kept, "url": self.url, "engine": self.engine_url, "smtp": list(self.smtp)},
        )
        if options.samples and not self.fates():
            self._deliver_samples()
            self._write_samples()

    def _sandbox(self, token: str) -> Sandbox:
        options = self.options
        return Sandbox(
            SandboxOptions(
                directory=options.directory / "engine",
                host=options.host,
                port=free_port(options.host, options.engine_port),
                smtp_port=free_port(options.host, options.smtp_port),
                token=token,
            )
        )

    def _crm(self, kept: dict[str, str]) -> ReferenceHost:
        directory = self.options.directory
        return ReferenceHost(
            None,
            {
                APPLICATION: ReferenceApplicationOptions(
                    database_url=self.options.database_url or f"sqlite:///{directory}/crm.sqlite",
                    files_directory=directory / "files",
                    base_url=self.url,
                    config={
                        "emailengine_url": self.engine_url,
                        "webhook_url": f"{self.url}/{APPLICATION}/limepkg-email/webhook/",
                    },
                    secrets={
                        "emailengine_token": kept["token"],
                        "emailengine_service_secret": kept["service"],
                    },
                )
            },
        )

    def _prepare(self) -> None:
        """Make the CRM's database, run the setup, connect the mailbox."""
        self._host.create_databases()
        services = self._integration.anonymous_services(APPLICATION)
        self.setup = run_setup(services)
        system = self._host.application(APPLICATION).as_user(services.config.system_user)
        seed(system)
        services.engine.create_account(
            {
                "account": "support",
                "name": "Support",
                "email": SUPPORT,
                "imap": _login(SUPPORT),
                "smtp": _login(SUPPORT),
            }
        )
        now, known = services.clock(), services.engine.account("support")
        with services.application.database.begin() as connection:
            add_account(
                connection,
                engine_account="support",
                email=SUPPORT,
                name="Support",
                activated_at=now - _BEFORE,
                told=told(known, now),
            )
        if not self.fates():
            _answer_automatically(replace(services, application=system))

    def _serve(self, port: int, session_key: str) -> None:
        app = create_app(self._host, self._integration, secret_key=session_key)
        self._running.enter_context(WebServer(app, self.options.host, port))
        self._integration.start()
        self._running.callback(self._integration.stop)

    def _deliver_samples(self) -> None:
        paths = sorted(SAMPLES.glob("*.eml"))
        for path in paths:
            send_file(path, self.smtp)
        deadline = time.monotonic() + _PATIENCE
        while self._count() < len(paths) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _write_samples(self) -> None:
        """Let the agent write, and wait until what bounces is back, as for the other mails."""
        anonymous = self._integration.anonymous_services(APPLICATION)
        agent = self._host.application(APPLICATION).as_user(AGENT[0])
        services = replace(anonymous, application=agent)
        before = self._count()
        with services.application.database.connect() as connection:
            account = read_accounts(connection).accounts[0]
        set_user_signature(services, agent.user.id, SIGNATURE)
        write_samples(services, account.id, datetime.now().astimezone())
        deadline = time.monotonic() + _PATIENCE
        while self._count() <= before and time.monotonic() < deadline:
            time.sleep(0.05)

    def _count(self) -> int:
        database = self._integration.anonymous_services(APPLICATION).application.database
        with database.connect() as connection:
            return connection.execute(select(func.count()).select_from(RECEIPTS)).scalar_one()

    def api_key(self, login: str) -> str:
        """Make a key for the header `x-api-key` of one of the demo's users."""
        return self._host.application(APPLICATION).users.add_api_key(login, "demo")

    def fates(self) -> list[Fate]:
        """Tell what became of every mail that has arrived so far."""
        columns = (
            RECEIPTS.c.sender,
            RECEIPTS.c.subject,
            RECEIPTS.c.disposition,
            RECEIPTS.c.reason,
            RECEIPTS.c.conversation,
        )
        database = self._integration.anonymous_services(APPLICATION).application.database
        with database.connect() as connection:
            rows = connection.execute(select(*columns).order_by(RECEIPTS.c.id).limit(100))
            return [Fate(*row) for row in rows]


def send_file(path: Path, smtp: tuple[str, int], recipients: list[str] | None = None) -> list[str]:
    """Send a mail from an `.eml` file through SMTP; gives whom the server took it for."""
    raw = path.read_bytes()
    headers = message_from_bytes(raw)
    to = recipients or [
        address
        for _, address in getaddresses([*headers.get_all("To", []), *headers.get_all("Cc", [])])
    ]
    # A sample's copies are not delivered to the people in it: they would only fill mailboxes.
    to = to if recipients else ([SUPPORT] if SUPPORT in to else to)
    sender = next((address for _, address in getaddresses(headers.get_all("From", []))), "")
    if headers.get("Return-Path", "").strip() == "<>":
        sender = ""
    with smtplib.SMTP(*smtp, timeout=30) as door:
        refused = door.sendmail(sender, to, raw)
    return [each for each in to if each not in refused]


def free_port(host: str, wanted: int) -> int:
    """Give the wanted port, or a free one when somebody else listens there."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError(f"There is no free port on {host}.")


def _answer_automatically(services: Services) -> None:
    """Make the default templates and let new conversations be answered with one of them."""
    made = {each.purpose: each.id for each in create_defaults(services)}
    with services.application.database.begin() as connection:
        template = {"autoreply_template": made[Purpose.AUTOREPLY]}
        connection.execute(update(ACCOUNTS).values(template))


def _login(address: str) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": 1, "auth": {"user": address, "pass": "demo"}}


def _secrets(path: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return {
        name: kept.get(name) or secrets.token_hex(32) for name in ("token", "service", "session")
    }


def _write(path: Path, values: dict[str, object]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(values, indent=2))
