"""Starting a recovery and reading its reports over HTTP, with a real engine behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.incoming.recovering import FOLDER, Fragile, folders, later, mail, read, subjects
from tests.stack import SUPPORT, Stack, running

from .crm import Crm


@pytest.fixture
def fragile() -> Fragile:
    return Fragile()


@pytest.fixture
def stack(database_url: str, tmp_path: Path, fragile: Fragile) -> Iterator[Stack]:
    with running(tmp_path, database_url, extensions=[fragile]) as found:
        found.settle()
        yield found


def admin(stack: Stack) -> dict[str, str]:
    users = stack.installation.host.application("demo").users
    users.add("boss", name="Boss", email="boss@example.com", role="administrator")
    return {"x-api-key": users.add_api_key("boss")}


def ask(stack: Stack, method: str, path: str, headers: dict[str, str], **options: Any) -> Any:
    answer = requests.request(
        method, f"{stack.url}/demo/limepkg-email{path}", headers=headers, timeout=30, **options
    )
    assert answer.status_code < 300, answer.text
    return answer.json()


def recovered(stack: Stack, headers: dict[str, str]) -> dict[str, Any]:
    """Start a recovery of every account, let it end, and give its report."""
    started = ask(stack, "POST", "/recovery/start/", headers, json={})
    assert started["status"] == "PENDING"
    stack.settle()
    task = ask(stack, "GET", f"/task/{started['id']}/", headers)
    assert (task["status"], task["done"], task["total"]) == ("SUCCESS", 1, 1)
    (report,) = ask(stack, "GET", "/recovery/report/?limit=1", headers)["items"]
    assert report["run"] == started["id"]
    return dict(report)


def test_lost_read_and_failed_mail_is_in_the_crm_once_after_one_run(
    stack: Stack, fragile: Fragile
) -> None:
    headers = admin(stack)
    mail(stack, "poison")
    stack.settle()
    assert folders(stack) == {"poison": FOLDER}

    stack.sandbox.control("POST", "/webhooks/pause")
    mail(stack, "unread")
    read(stack, mail(stack, "read by a person"))
    later(stack)
    fragile.broken = False
    report = recovered(stack, headers)
    assert (report["imported"], report["recovered"], report["unaccounted"]) == (2, 1, 0)
    assert subjects(stack) == {"unread": 1, "read by a person": 1, "poison": 1}
    assert set(folders(stack).values()) == {"INBOX"}

    stack.sandbox.control("POST", "/webhooks/resume")
    stack.settle()
    again = recovered(stack, headers)
    assert (again["listed"], again["known"], again["unaccounted"]) == (3, 3, 0)
    assert set(subjects(stack).values()) == {1}
    account = stack.installation.accounts["support"].id
    page = ask(stack, "GET", f"/recovery/report/?account={account}", headers)
    assert (page["total"], page["items"][0]["account"]) == (2, account)
    assert not any(each.get("unseen") for each in stack.mailbox(SUPPORT))


def test_accounts_that_do_not_exist_are_named(crm: Crm) -> None:
    admin = crm.person("administrator")
    answer = admin.post("/recovery/start/", accounts=[crm.account.id, 998, 999])
    assert answer.status_code == 422
    assert answer.json["errors"] == {
        "accounts": ["There is no account 998.", "There is no account 999."]
    }
    assert crm.jobs() == []
    assert admin.get("/recovery/report/", account=999).status_code == 422


@pytest.mark.parametrize(
    "body",
    [{"accounts": "all"}, {"accounts": [-1]}, {"accounts": ["1"]}, {"accounts": None}, {"x": 1}],
)
def test_what_is_no_list_of_ids_is_refused(crm: Crm, body: dict[str, Any]) -> None:
    answer = crm.person("administrator").post("/recovery/start/", **body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert {each.partition(".")[0] for each in answer.json["errors"]} == set(body)


def test_only_administrators_start_a_recovery_or_read_reports(crm: Crm) -> None:
    agent = crm.person("agent")
    assert agent.post("/recovery/start/").status_code == 403
    assert agent.get("/recovery/report/").status_code == 403
    assert crm.jobs() == []


def test_who_started_a_recovery_is_noted(crm: Crm) -> None:
    admin = crm.person("administrator")
    answer = admin.post("/recovery/start/", accounts=[crm.account.id])
    assert answer.status_code == 202
    entries = admin.get("/audit/").json["items"]
    assert [(each["action"], each["subject_id"]) for each in entries] == [
        ("recovery.start", answer.json["id"])
    ]
