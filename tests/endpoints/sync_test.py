from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.sandbox import Sandbox, SandboxOptions

from .crm import SECRETS, Crm, Person

NOTHING: dict[str, list[object]] = {"added": [], "updated": [], "missing": []}


@dataclass
class Desk:
    """An administrator's, with a CRM and its engine."""

    crm: Crm
    sandbox: Sandbox
    admin: Person

    def account(self, account: str) -> None:
        email = f"{account}@example.com"
        login = {"host": "127.0.0.1", "port": 1, "auth": {"user": email, "pass": "right"}}
        values = {"account": account, "name": account, "email": email, "imap": login, "smtp": login}
        with EngineClient(self.sandbox.url, self.sandbox.token) as engine:
            engine.create_account(values)


@pytest.fixture
def desk(make_crm: Callable[..., Crm], tmp_path: Path) -> Iterator[Desk]:
    options = SandboxOptions(tmp_path / "engine", token=SECRETS["emailengine_token"])
    with Sandbox(options) as sandbox:
        crm = make_crm(emailengine_url=sandbox.url)
        crm.integration.start()
        yield Desk(crm, sandbox, crm.person("administrator"))
        crm.integration.stop()


def test_a_dry_run_tells_what_would_change_and_changes_nothing(desk: Desk) -> None:
    desk.account("ada")
    answer = desk.admin.post("/sync/", dry_run=True)
    assert answer.status_code == 200
    missing = {"engine_id": "support", "name": "support@example.com", "changed": ["state"]}
    added = {"engine_id": "ada", "name": "ada@example.com", "changed": []}
    accounts = {**NOTHING, "added": [added], "missing": [missing]}
    assert answer.json == {"apps": NOTHING, "accounts": accounts}
    assert desk.admin.post("/sync/", dry_run=True).json == answer.json
    assert desk.admin.get("/task/").json["total"] == 0


def test_a_sync_is_started_and_can_be_asked_after(desk: Desk) -> None:
    desk.account("ada")
    wanted = desk.admin.post("/sync/", dry_run=True).json
    answer = desk.admin.post("/sync/")
    assert (answer.status_code, answer.json["status"]) == (202, "PENDING")
    assert desk.admin.post("/sync").json == answer.json
    desk.crm.runner.drain()
    task = desk.admin.get(f"/task/{answer.json['id']}/").json
    assert (task["status"], task["result"]) == ("SUCCESS", wanted)
    assert desk.admin.post("/sync/").json["id"] != answer.json["id"]


def test_a_plan_needs_the_engine(desk: Desk) -> None:
    desk.sandbox.stop()
    answer = desk.admin.post("/sync/", dry_run=True)
    assert (answer.status_code, answer.json["code"]) == (503, "engine_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_bad_input_starts_nothing(desk: Desk) -> None:
    for body in ({"dry_run": "perhaps"}, {"dry_run": None}, {"accounts": []}):
        answer = desk.admin.post("/sync/", **body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, list(body))
    assert desk.admin.send("POST", "/sync/", data="x").status_code == 415
    assert desk.admin.get("/task/").json["total"] == 0


def test_only_administrators_start_it(crm: Crm, agent: Person) -> None:
    assert agent.post("/sync/").status_code == 403
    assert crm.nobody().post("/sync/").status_code == 401
