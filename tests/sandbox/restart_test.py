"""What a sandbox was told and has accepted is still there after a restart, also a rude one."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from limepkg_email.sandbox import Sandbox
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import Connect, MakeSandbox, deliver, listen, mail
from tests.sandbox.submit_test import LETTER

PROGRAM = """
import sys, time
from pathlib import Path
from limepkg_email.sandbox import Sandbox, SandboxOptions
with Sandbox(SandboxOptions(directory=Path(sys.argv[1]), token="t" * 64)) as sandbox:
    print(sandbox.url, flush=True)
    time.sleep(60)
"""


def test_everything_is_there_after_a_restart(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    first = make_sandbox()
    api = connect(first)
    listen(api, receiver)
    first.control("POST", "/webhooks/pause")
    ids = deliver(first, mail("kept", "<a@example.org>"))
    api.put(f"message/{ids['id']}", {"flags": {"add": ["\\Flagged"]}})
    later = api.post("submit", {**LETTER, "sendAt": "2099-01-01T00:00:00Z"})
    before = (api.get("messages", path="INBOX"), api.get("mailboxes"), api.get(""))
    first.stop()
    assert not receiver.received
    second = make_sandbox()
    api = EngineApi(second.url, second.token, "support")
    assert before == (api.get("messages", path="INBOX"), api.get("mailboxes"), api.get(""))
    assert api.get(f"/outbox/{later['queueId']}")["subject"] == "Hej"
    assert second.wait_until_idle()
    assert [one["event"] for one in receiver.events()] == ["messageNew", "messageUpdated"]
    api.close()


def test_attempts_go_on_counting_after_a_restart(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    first = make_sandbox(webhook_base_delay=0.5)
    listen(connect(first), receiver)
    receiver.answers.append(500)
    deliver(first, mail())
    receiver.wait(lambda event: event["event"] == "messageNew")
    time.sleep(0.1)
    first.stop()
    assert make_sandbox().wait_until_idle()
    assert [one.headers["X-EE-Wh-Attempts-Made"] for one in receiver.received] == ["0", "1"]
    assert len({one.headers["X-EE-Wh-Event-Id"] for one in receiver.received}) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_killed_sandbox_loses_nothing_it_has_accepted(
    tmp_path: Path, make_sandbox: MakeSandbox, receiver: WebhookReceiver
) -> None:
    directory = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    api = EngineApi(url, "t" * 64, "support")
    login = {"auth": {"user": "support@example.com", "pass": "x"}, "host": "mx"}
    listen(api, receiver)
    account = {"account": "support", "name": "S", "email": "support@example.com"}
    api.post("/account", {**account, "imap": login})
    accepted = 0
    for number in range(60):
        query = {"mailbox": "support@example.com"}
        data = mail(f"mail {number}", f"<{number}@example.org>").encode()
        response = requests.post(f"{url}/control/deliver", params=query, data=data, timeout=5)
        accepted += response.status_code == 200
        if number == 40:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    api.close()
    sandbox = make_sandbox(directory=directory)
    assert sandbox.wait_until_idle()
    api = EngineApi(sandbox.url, sandbox.token, "support")
    assert api.get("messages", path="INBOX", pageSize=1)["total"] == accepted
    told = {event["data"]["messageId"] for event in receiver.events("messageNew")}
    assert len(told) == accepted
    api.close()


def test_stop_is_quick_and_leaves_no_thread(make_sandbox: MakeSandbox) -> None:
    before = set(threading.enumerate())
    sandbox = make_sandbox(smtp_port=0)
    session = requests.Session()
    session.get(f"{sandbox.url}/health", timeout=5)
    started = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - started < 2
    session.close()
    assert set(threading.enumerate()) <= before


def test_connections_are_reused(sandbox: Sandbox) -> None:
    session = requests.Session()
    for _ in range(5):
        response = session.get(f"{sandbox.url}/v1/nosuch", timeout=5)
        assert response.status_code == 404
        session.post(f"{sandbox.url}/v1/account", data=b"x" * 1000, timeout=5)
    (pool,) = session.adapters["http://"].poolmanager.pools._container.values()
    assert pool.num_connections == 1
    session.close()
