"""Whatever is repeated, reordered, lost on the way or killed: every mail exactly once."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import Engine, select

from limepkg_email.db import table
from limepkg_email.errors import EngineError
from limepkg_email.hooks import Decision, hookimpl
from limepkg_email.incoming import failed, recovery_runs
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.incoming.recovering import reports
from limepkg_email.incoming.recovering.known import MOST_TRIES
from limepkg_email.models import Disposition, Job
from limepkg_email.outgoing.compose import Draft, submit
from limepkg_email.query import And, Equals
from limepkg_email.sandbox import Sandbox, SandboxOptions
from tests.installation import Installation, installed
from tests.stack import ShiftedClock

JOBS = table(Job)
CUSTOMERS = ("anna@example.org", "bo@example.net")
ACCOUNTS = {"support": "support@example.com", "sales": "sales@example.com"}


class Killed(BaseException):
    """The process ends here: no handler of ours may see it."""


class Killer:
    """Ends the process at the n-th commit from now, just before or just after it happened."""

    def __init__(self) -> None:
        self.countdown = 0
        self.before = True
        self.active = False

    def arm(self, countdown: int, *, before: bool) -> None:
        self.countdown, self.before = countdown, before

    def attach(self, engine: Engine) -> None:
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            if not self.active:
                commit(connection)
                return
            due = self.countdown == 1
            self.countdown = max(0, self.countdown - 1)
            if due and self.before:
                raise Killed
            commit(connection)
            if due:
                raise Killed

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]


class Fragile:
    """An extension that lets every import fail while it is broken."""

    name = "fragile"
    description = "Breaks."

    def __init__(self) -> None:
        self.broken = False

    def decide(self, _: object) -> Decision | None:
        if self.broken:
            raise RuntimeError("no such rule")
        return None

    @hookimpl
    def message_filters(self) -> list[Fragile]:
        return [self]


class Collector:
    """Stands between the engine and the CRM: webhooks wait here until a rule passes them on."""

    def __init__(self) -> None:
        self.pending: list[tuple[bytes, dict[str, str]]] = []
        self._lock = Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector._lock:
                    collector.pending.append((body, dict(self.headers)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the tests' output readable."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class ExactlyOnce(RuleBasedStateMachine):
    """A mailbox, a CRM, and a world in which everything that can go wrong does."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.tokens: dict[str, tuple[str, str | None]] = {}
        self.answers: dict[str, tuple[str, ...]] = {}
        self.sent_at: dict[str, datetime] = {}
        self.number = 0

    @initialize(silent=st.booleans(), broken=st.booleans())
    def begin(self, silent: bool, broken: bool) -> None:
        """Begin; with `silent`, webhooks that no rule passed on are lost in the end."""
        self.silent = silent
        self.directory = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.collector = Collector()
        self.resources.callback(self.collector.close)
        self.sandbox = self.resources.enter_context(
            Sandbox(
                SandboxOptions(
                    directory=self.directory / "sandbox",
                    smtp_port=None,
                    webhook_base_delay=0.01,
                    webhook_resend_delay=0.01,
                    delivery_base_delay=0.01,
                    sent_copy_delay=0.01,
                )
            )
        )
        self.clock = ShiftedClock()
        self.killer = Killer()
        self.fragile = Fragile()
        self.fragile.broken = broken
        self.process = ExitStack()
        self.start_process(first=True)
        self.resources.callback(lambda: self.process.close())

    def start_process(self, *, first: bool = False) -> None:
        """Begin anew on the same databases, as after a kill."""
        self.process.close()
        self.process = ExitStack()
        self.installation: Installation = self.process.enter_context(
            installed(
                self.directory,
                f"sqlite:///{self.directory}/crm.sqlite",
                config={"webhook_url": self.collector.url},
                engine_url=self.sandbox.url,
                engine_token=self.sandbox.token,
                clock=self.clock,
                extensions=[self.fragile],
            )
        )
        if first:
            for account, address in ACCOUNTS.items():
                self.connect(account, address)
        app = Flask("crm")
        self.installation.integration.register_blueprint(app)
        self.installation.integration.start()
        self.process.callback(self.installation.integration.stop)
        self.client = app.test_client()
        self.killer.countdown = 0
        self.killer.attach(self.installation.services.application.database)

    def connect(self, account: str, address: str) -> None:
        login = {"host": "127.0.0.1", "port": 993, "auth": {"user": address, "pass": "x"}}
        values = {"account": account, "name": account, "email": address}
        self.installation.services.engine.create_account({**values, "imap": login, "smtp": login})
        self.installation.connect(account, address)

    def alive(self, action: Any) -> Any:
        """Do something; if the process is killed meanwhile, start another one."""
        self.killer.active = True
        try:
            return action()
        except Killed:
            self.killer.active = False
            self.start_process()
            return None
        finally:
            self.killer.active = False

    # What customers do.

    @rule(
        sender=st.sampled_from(CUSTOMERS),
        to=st.sampled_from(sorted(ACCOUNTS.values())),
        message_id=st.sampled_from(["own", "none", "shared"]),
        dated=st.sampled_from(["now", "now", "1970", "last week", "2100"]),
    )
    def mail_arrives(self, sender: str, to: str, message_id: str, dated: str) -> None:
        self.deliver(sender, to, message_id, None, dated)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def reply_arrives(self, data: st.DataObject) -> None:
        original = data.draw(st.sampled_from(sorted(self.tokens)))
        sender, _ = self.tokens[original]
        self.deliver(sender, ACCOUNTS["support"], "own", original)

    @rule(sender=st.sampled_from(CUSTOMERS))
    def mail_to_both_accounts_arrives(self, sender: str) -> None:
        token = self.new_token(sender, None)
        for address in ACCOUNTS.values():
            self.send(token, sender, address, f"<{token}@example.org>", None)

    def deliver(
        self, sender: str, to: str, message_id: str, original: str | None, dated: str = "now"
    ) -> None:
        token = self.new_token(sender, original)
        # EmailEngine announces no mail that is dated before the account; the recovery finds it.
        wrong = {
            "1970": datetime(1970, 1, 1, tzinfo=UTC),
            "last week": self.clock() - timedelta(days=7),
            "2100": datetime(2100, 1, 1, tzinfo=UTC),
        }
        self.sent_at[token] = wrong.get(dated, self.clock())
        identity = {"own": f"<{token}@example.org>", "none": "", "shared": "<same@example.org>"}
        self.send(token, sender, to, identity[message_id], original)

    def new_token(self, sender: str, original: str | None) -> str:
        self.number += 1
        token = f"mail{self.number}"
        self.tokens[token] = (sender, original)
        return token

    def send(self, token: str, sender: str, to: str, message_id: str, original: str | None) -> None:
        # With a date, as senders give it: what a server adds differs from copy to copy.
        date = format_datetime(self.sent_at.setdefault(token, self.clock()))
        lines = [f"From: {sender}", f"To: {to}", f"Subject: {token}", f"Date: {date}"]
        if message_id:
            lines.append(f"Message-ID: {message_id}")
        if original:
            lines.append(f"In-Reply-To: <{original}@example.org>")
            lines.append(f"References: {' '.join(self.ancestors(original))}")
        raw = "\r\n".join([*lines, "", "Text.", ""]).encode()
        self.sandbox.control("POST", f"/deliver?mailbox={to}&sender={sender}", raw)

    def ancestors(self, token: str) -> list[str]:
        """The whole chain, oldest first, as mail programs write it."""
        original = self.tokens[token][1]
        return [*(self.ancestors(original) if original else []), f"<{token}@example.org>"]

    # What the network does.

    # What waits depends on the engine's threads, so the choice may not: it is a number.
    @rule(choice=st.integers(0, 999), again=st.booleans())
    def webhook_is_passed_on(self, choice: int, again: bool) -> None:
        self.sandbox.wait_until_idle(20)
        if not self.collector.pending:
            return
        body, headers = self.collector.pending[choice % len(self.collector.pending)]
        answer = self.alive(lambda: self.post(body, headers))
        if answer is not None and answer < 300 and not again:
            self.collector.pending.remove((body, headers))

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        path = "/demo/limepkg-email/webhook/"
        given = {name: value for name, value in headers.items() if name.lower().startswith("x-ee")}
        return self.client.post(path, data=body, headers=given).status_code

    @rule(action=st.sampled_from(["refuse", "drop", "fail"]), times=st.integers(1, 3))
    def engine_fails(self, action: str, times: int) -> None:
        fault = {"action": action, "times": times, "status": 503, "path": "/v1/account/*"}
        self.sandbox.control("POST", "/faults", fault)

    @rule(choice=st.integers(0, 999))
    def webhook_is_lost(self, choice: int) -> None:
        self.sandbox.wait_until_idle(20)
        if self.collector.pending:
            self.collector.pending.pop(choice % len(self.collector.pending))

    # What people do in their mailboxes.

    @rule(account=st.sampled_from(sorted(ACCOUNTS)), choice=st.integers(0, 999))
    def person_reads_a_mail(self, account: str, choice: int) -> None:
        found = self.in_folder(account, "INBOX")
        if found:
            self.ask_engine("add_flags", account, found[choice % len(found)], ["\\Seen"])

    @rule(account=st.sampled_from(sorted(ACCOUNTS)), choice=st.integers(0, 999), back=st.booleans())
    def person_moves_a_mail(self, account: str, choice: int, back: bool) -> None:
        source, target = ("Junk", "INBOX") if back else ("INBOX", "Junk")
        found = self.in_folder(account, source)
        if found:
            self.ask_engine("move", account, found[choice % len(found)], target)

    def in_folder(self, account: str, path: str) -> list[str]:
        address = ACCOUNTS[account]
        listed = self.sandbox.control("GET", f"/mailboxes/{address}/messages?path={path}")
        return [each["id"] for each in listed["messages"]]

    def ask_engine(self, method: str, *arguments: object) -> None:
        """Ask as a person's mail program does: a fault may hit it, the person tries no more."""
        try:
            getattr(self.installation.services.engine, method)(*arguments)
        except EngineError:
            return

    # What happens in the CRM.

    @rule()
    def extension_breaks(self) -> None:
        self.fragile.broken = True

    @rule()
    def extension_is_mended(self) -> None:
        self.fragile.broken = False

    @rule()
    def recovery_is_due(self) -> None:
        self.alive(lambda: recovery_runs.start_scheduled(self.installation.services))

    @rule()
    def worker_works(self) -> None:
        self.alive(self.installation.runner.drain)

    @rule(seconds=st.sampled_from([1, 30, 400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(commits=st.integers(1, 6), before=st.booleans())
    def process_will_be_killed(self, commits: int, before: bool) -> None:
        self.killer.arm(commits, before=before)

    @rule()
    def process_is_restarted(self) -> None:
        self.start_process()

    @rule()
    def agent_answers(self) -> None:
        if len(self.answers) >= 3:
            return
        conversations = self.installation.all("conversation")
        if not conversations:
            return
        conversation = conversations[-1]
        self.number += 1
        token = f"answer{self.number}"
        draft = Draft(
            account=int(str(conversation["account"])),
            conversation=conversation.id,
            subject=token,
            text="Answer.",
            idempotency_key=token,
        )
        for _ in range(2):  # the browser asks again when the answer was lost
            self.alive(lambda: submit(self.installation.services, draft))
        self.answers[token] = tuple(
            str(each["email"])
            for each in self.installation.all(
                "follower", And((Equals("conversation", conversation.id), Equals("active", True)))
            )
        )

    # What must be true in the end.

    def teardown(self) -> None:
        if hasattr(self, "installation"):
            try:
                self.come_to_rest()
                self.recover()
                self.check()
            finally:
                self.resources.close()

    def come_to_rest(self) -> None:
        self.killer.countdown = 0
        self.sandbox.control("DELETE", "/faults")
        for _ in range(40):
            assert self.sandbox.wait_until_idle(20)
            for body, headers in () if self.silent else self.collector.pending:
                assert self.post(body, headers) < 300
            self.collector.pending.clear()
            self.installation.runner.drain()
            self.clock.advance(400)
            if not self.open_jobs():
                return

    def recover(self) -> None:
        """Mend everything, and let one recovery find what has been lost on the way."""
        self.fragile.broken = False
        services = self.installation.services
        for account in ACCOUNTS:
            for id in self.in_folder(account, "Junk"):
                services.engine.move(account, id, "INBOX")
            for id in self.in_folder(account, "INBOX") if self.silent else ():
                services.engine.add_flags(account, id, ["\\Seen"])  # somebody reads everything
        self.sandbox.wait_until_idle(20)
        self.collector.pending.clear()  # these are lost as well
        failed.retry(services, self.exhausted())
        self.installation.runner.drain()
        recovery_runs.start(services, None)
        self.come_to_rest()
        with services.application.database.connect() as connection:
            last, _ = reports.listing(connection, limit=len(ACCOUNTS))
        assert {each.account for each in last} == set(ACCOUNTS)
        for report in last:
            assert (report.error, report.unaccounted, report.failed) == ("", 0, 0), report

    def exhausted(self) -> list[int]:
        """The mails that the recovery does not try any more."""
        chosen = select(RECEIPTS.c.id).where(
            RECEIPTS.c.disposition == Disposition.FAILED.value, RECEIPTS.c.attempts > MOST_TRIES
        )
        with self.installation.services.application.database.connect() as connection:
            return list(connection.scalars(chosen))

    def open_jobs(self) -> list[Any]:
        """What is not done, but for imports that failed: receipts stand for their mails."""
        with self.installation.services.application.database.connect() as connection:
            unfinished = select(JOBS.c.task, JOBS.c.state, JOBS.c.result).where(
                JOBS.c.state != "done",
                ~(JOBS.c.task.endswith("message_to_limeobjects") & (JOBS.c.state == "failed")),
            )
            return list(connection.execute(unfinished))

    def check(self) -> None:
        assert self.open_jobs() == []
        messages = self.installation.all("conversationmessage", Equals("source", "email"))
        assert Counter(each["subject"] for each in messages) == dict.fromkeys(self.tokens, 1)
        where = {str(each["subject"]): each["conversation"] for each in messages}
        for token, (_, original) in self.tokens.items():
            if original is not None and f"<{original}@example.org>" in self.known_ids():
                assert where[token] == where[original]
        with self.installation.services.application.database.connect() as connection:
            dispositions = set(connection.scalars(select(RECEIPTS.c.disposition)))
        assert dispositions <= {"imported", "second_sighting"}
        for token, followers in self.answers.items():
            for address in followers:
                assert self.arrived(address, token) == 1, (token, address)

    def known_ids(self) -> set[str]:
        return {str(each["messageid"]) for each in self.installation.all("messagefollower")}

    def arrived(self, address: str, subject: str) -> int:
        path = f"/mailboxes/{address}/messages"
        found = self.sandbox.control("GET", path)["messages"]
        return sum(subject in str(each.get("subject")) for each in found)


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(
    max_examples=int(os.environ.get("LIMEPKG_EMAIL_TEST_EXAMPLES", "15")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
