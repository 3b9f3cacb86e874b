"""Looking before importing: connected disabled, previewed, and then enabled, all over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.stack import Stack, running

SALES = "sales@example.com"


@dataclass
class Boss:
    """An administrator with an API key, and the running CRM."""

    stack: Stack
    key: str

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        url = f"{self.stack.url}/demo/limepkg-email{path}"
        headers, json = {"x-api-key": self.key}, body or None
        answer = requests.request(method, url, headers=headers, json=json, timeout=30)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def mail(self, subject: str, date: datetime, *, read: bool = False) -> None:
        """Put a mail into the mailbox that was written, and received by a server, at that time."""
        lines = [f"Received: from a by b with LMTP id c; {format_datetime(date)}"]
        lines += ["From: anna@example.org", f"To: {SALES}", f"Subject: {subject}"]
        lines += [f"Message-ID: <{subject}@example.org>", f"Date: {format_datetime(date)}"]
        raw = "\r\n".join([*lines, "", "Text.", ""]).encode()
        id = self.stack.deliver(raw, to=SALES, exact="true")["id"]
        if read:
            self.stack.engine(
                "PUT", f"/account/{self.known()}/message/{id}", json={"flags": {"add": ["\\Seen"]}}
            ).raise_for_status()

    def known(self) -> str:
        """The engine's id of the mailbox."""
        found = self.stack.engine("GET", f"/accounts?query={SALES}").json()["accounts"]
        return str(found[0]["account"])

    def imported(self) -> list[str]:
        self.stack.settle()
        found = self.stack.installation.all("conversationmessage")
        return sorted(str(each["subject"]) for each in found)


@pytest.fixture
def boss(database_url: str, tmp_path: Path) -> Iterator[Boss]:
    with running(tmp_path, database_url) as stack:
        users = stack.installation.host.application("demo").users
        users.add("boss", name="Boss", email="boss@example.com", role="administrator")
        stack.sandbox.control("POST", "/mailboxes", {"address": SALES, "name": "Sales"})
        yield Boss(stack, users.add_api_key("boss"))


def connect(boss: Boss, **choices: Any) -> int:
    """Connect the mailbox through the hosted form, as a browser does; gives our account."""
    link = boss.call("POST", "/account/form/", email=SALES, enabled=False, **choices)["url"]
    data = {"email": SALES, "name": "Sales", "password": "right"}
    page = requests.post(link, data=data, timeout=10).text
    (target,) = re.findall(r'id="continue" href="([^"]+)"', page)
    said = {name: each[0] for name, each in parse_qs(urlsplit(unescape(target)).query).items()}
    made = boss.call("POST", "/account/", token=said["token"], account=said["account"])
    return int(made["account"]["id"])


@pytest.mark.parametrize("import_unread", [True, False])
def test_nothing_is_imported_before_the_preview_was_seen_and_the_account_enabled(
    boss: Boss, import_unread: bool
) -> None:
    clock = boss.stack.installation.clock
    last_week = clock() - timedelta(days=7)
    boss.mail("old-unread", last_week)
    account = connect(boss, import_unread=import_unread)
    boss.mail("old-read", last_week, read=True)
    clock.advance(60)
    boss.mail("new", clock())
    assert boss.imported() == []
    shown = boss.call("GET", f"/account/{account}/")
    assert (shown["enabled"], shown["next_step"]) == (False, "enable")
    preview = boss.call("GET", f"/account/{account}/preview/")
    assert (preview["unread"], preview["exact"]) == (1, True)
    assert preview["import_unread"] is import_unread
    clock.advance(600)
    (done,) = boss.call("PUT", "/account/", accounts=[account], enabled=True)["items"]
    assert done["outcome"] == "changed"
    assert boss.imported() == (["new", "old-unread"] if import_unread else ["new"])
    (run,) = boss.call("GET", "/task/")["items"]
    assert run["status"] == "SUCCESS"
    assert run["result"]["totals"]["unaccounted"] == 0
    boss.mail("later", clock())
    assert "later" in boss.imported(), "webhooks count from now on"


def test_enabling_imports_what_came_a_moment_ago_and_once(boss: Boss) -> None:
    """Nobody listened to its webhooks, so there is nothing to wait for."""
    clock = boss.stack.installation.clock
    account = connect(boss, import_unread=False)
    boss.mail("a moment ago", clock())
    boss.mail("of a clock that is ahead", clock() + timedelta(seconds=40))
    boss.mail("read already", clock(), read=True)
    assert boss.stack.sandbox.wait_until_idle(20)
    assert boss.stack.installation.runner.drain(), "the webhooks are there, and count for nothing"
    boss.call("PUT", "/account/", accounts=[account], enabled=True)
    assert boss.imported() == ["a moment ago", "of a clock that is ahead", "read already"]
    (run,) = boss.call("GET", "/task/")["items"]
    totals = run["result"]["totals"]
    assert (totals["imported"], totals["in_grace"], totals["unaccounted"]) == (3, 0, 0)
    boss.call("PUT", "/account/", accounts=[account], enabled=False)
    boss.mail("while it was disabled", clock())
    boss.call("PUT", "/account/", accounts=[account], enabled=True)
    assert "while it was disabled" in boss.imported()
    assert len(boss.imported()) == 4


def test_letting_unread_mail_in_imports_what_came_a_moment_ago(boss: Boss) -> None:
    clock = boss.stack.installation.clock
    boss.mail("old", clock())
    clock.advance(30)
    account = connect(boss, import_unread=False)
    boss.call("PUT", "/account/", accounts=[account], enabled=True)
    assert boss.imported() == []
    boss.call("PUT", f"/account/{account}/", import_unread=True)
    assert boss.imported() == ["old"]


def test_the_choice_can_be_changed_after_the_preview(boss: Boss) -> None:
    clock = boss.stack.installation.clock
    boss.mail("old", clock() - timedelta(days=7))
    account = connect(boss)
    assert boss.call("GET", f"/account/{account}/preview/")["unread"] == 1
    boss.call("PUT", f"/account/{account}/", import_unread=False)
    clock.advance(600)
    boss.call("PUT", "/account/", accounts=[account], enabled=True)
    assert boss.imported() == []


def test_unread_mail_that_was_left_out_comes_in_when_the_choice_changes(boss: Boss) -> None:
    clock = boss.stack.installation.clock
    boss.mail("old", clock() - timedelta(hours=2))
    clock.advance(60)  # and only then somebody connects the mailbox
    account = connect(boss, import_unread=False)
    clock.advance(600)
    boss.call("PUT", "/account/", accounts=[account], enabled=True)
    assert boss.imported() == []
    boss.call("PUT", f"/account/{account}/", import_unread=True)
    assert boss.imported() == ["old"]
    (run, _) = boss.call("GET", "/task/")["items"]
    assert (run["result"]["totals"]["imported"], run["result"]["totals"]["unaccounted"]) == (1, 0)


def test_disabled_accounts_can_be_listed(boss: Boss) -> None:
    account = connect(boss)
    found = boss.call("GET", "/account/?state=disabled")
    assert [each["id"] for each in found["items"]] == [account]
