"""PostgreSQL, Redis, Celery's forking workers, several web processes: nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from limepkg_email.reference.access import FULL_ACCESS, Role
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.sandbox.server import SandboxError
from tests.installation import Installation, installed
from tests.production.conftest import Redis, free_port

pytestmark = pytest.mark.postgres

SUPPORT = "support@example.com"
ROOT = Path(__file__).parents[2]
CELERY_APP = "tests.production.mycrm:celery_app"
PATIENCE = 120.0


class Production:
    """The processes of a CRM in production, which can be killed one by one."""

    def __init__(self, environment: dict[str, str], redis: Redis, ports: tuple[int, ...]) -> None:
        self.environment, self.redis, self.ports = environment, redis, ports
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, tuple[str, ...]] = {}

    def supervise(self) -> None:
        """Start again what has ended by itself, as the system's supervisor does.

        Celery's worker ends when the broker goes away while it is talking to it.
        """
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name, *self.commands[name])

    def start(self, name: str, *command: str) -> None:
        self.commands[name] = command
        # A group of its own, so that forked workers die with the one that forked them.
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
        )

    def wait(self, reached: Callable[[], object], otherwise: Callable[[], str]) -> None:
        until = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < until, otherwise()
            self.supervise()
            time.sleep(0.2)

    def start_worker(self, name: str) -> None:
        # Workers have nothing to tell each other, and less to stumble over when the broker is gone.
        alone = ("--without-gossip", "--without-mingle")
        options = ("--concurrency", "2", "--hostname", name, "--loglevel", "WARNING", *alone)
        self.start(name, "celery", "-A", CELERY_APP, "worker", *options)

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def url(self, web: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[web]}/demo/limepkg-email"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = SandboxOptions(
        directory=tmp_path / "sandbox", webhook_base_delay=0.1, webhook_resend_delay=0.1
    )
    with Sandbox(options) as running:
        yield running


@pytest.fixture
def production(
    tmp_path: Path, postgresql_url: str, redis: Redis, sandbox: Sandbox
) -> Iterator[tuple[Production, Installation]]:
    ports = (free_port(), free_port())
    webhook = f"http://127.0.0.1:{ports[0]}/demo/limepkg-email/webhook/"
    engine = {"engine_url": sandbox.url, "engine_token": sandbox.token}
    with ExitStack() as stack:
        installation = stack.enter_context(
            installed(tmp_path, postgresql_url, config={"webhook_url": webhook}, **engine)  # type: ignore[arg-type]
        )
        _connect(sandbox, installation)
        environment = {
            **os.environ,
            "DATABASE_URL": postgresql_url,
            "BROKER_URL": redis.url,
            "FILES": str(tmp_path / "files"),
            "ENGINE_URL": sandbox.url,
            "ENGINE_TOKEN": sandbox.token,
            "WEBHOOK_URL": webhook,
        }
        running = Production(environment, redis, ports)
        stack.callback(lambda: [running.kill(each) for each in list(running.processes)])
        for number, port in enumerate(ports):
            running.start(f"web{number}", "tests.production.mycrm", str(port))
        running.start_worker("first")
        running.start_worker("second")
        running.start("beat", "celery", "-A", CELERY_APP, "beat", "-s", str(tmp_path / "beat"))
        yield running, installation


def _connect(sandbox: Sandbox, installation: Installation) -> None:
    login = {"host": "127.0.0.1", "port": 993, "auth": {"user": SUPPORT, "pass": "secret"}}
    account = {"account": "support", "name": "Support", "email": SUPPORT}
    requests.post(
        f"{sandbox.url}/v1/account",
        json={**account, "imap": login, "smtp": login},
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=30,
    ).raise_for_status()
    installation.connect("support", SUPPORT)


def deliver(sandbox: Sandbox, number: int) -> None:
    raw = (
        f"From: c{number}@example.org\r\nTo: {SUPPORT}\r\nSubject: Mail {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\n\r\nHello {number}\r\n"
    )
    query = f"mailbox={SUPPORT}&sender=c{number}@example.org"
    sandbox.control("POST", f"/deliver?{query}", raw.encode())


def imported(installation: Installation) -> Counter[str]:
    messages = installation.all("conversationmessage")
    return Counter(each["subject"] for each in messages if each["source"] == "email")


def test_nothing_is_lost_or_doubled_though_a_worker_and_the_broker_are_killed(
    production: tuple[Production, Installation], sandbox: Sandbox
) -> None:
    running, installation = production
    expected = Counter(f"Mail {number}" for number in range(60))
    for number in range(30):
        deliver(sandbox, number)
    running.wait(lambda: imported(installation).total() >= 5, lambda: "nothing is imported")
    running.kill("first")
    for number in range(30, 45):
        deliver(sandbox, number)
    running.redis.kill()
    for number in range(45, 60):
        deliver(sandbox, number)
    running.start_worker("third")
    running.redis.start()
    running.wait(
        lambda: imported(installation) >= expected,
        lambda: f"missing: {expected - imported(installation)}",
    )
    assert imported(installation) == expected

    def unseen() -> list[str]:
        path = f"/mailboxes/{SUPPORT}/messages?raw=false"
        found = sandbox.control("GET", path)["messages"]
        return [each["subject"] for each in found if "\\Seen" not in each["flags"]]

    running.wait(lambda: not unseen(), lambda: f"not marked as read: {unseen()}")


def test_an_answer_that_is_asked_for_twice_while_the_broker_is_away_leaves_once(
    production: tuple[Production, Installation], sandbox: Sandbox
) -> None:
    running, installation = production
    users = installation.host.application("demo").users
    users.add_role(Role("agents", ("email.use", "email.send_as:support"), FULL_ACCESS))
    users.add("alva", name="Alva Ek", password="long enough", role="agents")
    headers = {"x-api-key": users.add_api_key("alva"), "Idempotency-Key": "once"}
    deliver(sandbox, 1)
    running.wait(lambda: imported(installation).total() == 1, lambda: "nothing is imported")
    conversation = installation.one("conversation")["id"]
    account = installation.accounts["support"].id
    running.redis.kill()
    for web in (0, 1, 0):
        answer = requests.post(
            f"{running.url(web)}/message/{account}/",
            json={"conversation": conversation, "html": "<p>Only once</p>"},
            headers=headers,
            timeout=30,
        )
        assert answer.status_code in (200, 202), answer.text
    running.redis.start()

    def answers() -> list[str]:
        try:
            found = sandbox.control("GET", "/mailboxes/c1@example.org/messages?raw=false")
        except SandboxError:
            return []  # Nobody has a mailbox before the first mail.
        found = found["messages"]
        return [each["subject"] for each in found if each["subject"].startswith("Re: ")]

    # Nobody was woken: workers look for work as soon as they reach the broker again.
    running.wait(answers, lambda: "it does not arrive")
    deliver(sandbox, 2)
    running.wait(lambda: imported(installation).total() == 2, lambda: "nothing is imported")
    assert answers() == ["Re: Mail 1"]
