"""Setup over HTTP: before there is anything, with conflicts, without the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from limepkg_email.db import table
from limepkg_email.limetypes import AddProperty, CreateLimetype, Limetype, Property
from limepkg_email.models import AuditEntry
from limepkg_email.sandbox import Sandbox, SandboxOptions

from .crm import SECRETS, Crm

WEBHOOK = "http://127.0.0.1:9/crm/limepkg-email/webhook/"


@pytest.fixture
def bare(database_url: str, tmp_path: Path) -> Iterator[Crm]:
    """The CRM in which nothing is installed; its engine cannot be reached."""
    crm = Crm(database_url, tmp_path, webhook_url=WEBHOOK)
    yield crm
    crm.host.close()


def test_setup_works_before_there_is_anything_and_an_absent_engine_undoes_nothing(
    bare: Crm,
) -> None:
    admin = bare.person("administrator")
    assert admin.get("/template/").json["code"] == "setup_required"
    before = admin.get("/setup/")
    assert before.status_code == 200
    assert not before.json["installed"]
    assert before.json["steps"][0] == "Create or upgrade the package's own tables."
    assert "cannot be reached" in before.json["engine"]["message"]
    done = admin.post("/setup/")
    assert done.status_code == 200
    assert done.json["applied"]
    assert "cannot be reached" in done.json["unfinished"]
    after = admin.get("/setup/").json
    assert (after["installed"], after["problem"]) == (True, "")
    assert admin.get("/template/").status_code == 200
    entries = table(AuditEntry)
    with bare.engine.connect() as connection:
        rows = connection.execute(select(entries.c.action, entries.c.user_name)).all()
    assert [tuple(each) for each in rows] == [("setup.apply", "Administrator")]


def test_what_only_an_absent_engine_knows_is_not_said(bare: Crm) -> None:
    admin = bare.person("administrator")
    admin.post("/setup/")
    shown = admin.get("/setup/").json
    engine = shown["engine"]
    assert (engine["reachable"], engine["licensed"], engine["webhook_registered"]) == (
        False,
        None,
        None,
    )
    assert shown["steps"] == []


def test_a_conflict_is_told_with_the_way_out_and_changes_nothing(bare: Crm) -> None:
    limetypes = bare.host.application("crm").limetypes
    limetypes.apply(CreateLimetype(Limetype("follower", "Fan", "Fans")))
    limetypes.apply(AddProperty("follower", Property("email", "integer")))
    admin = bare.person("administrator")
    shown = admin.get("/setup/").json
    assert shown["problem"].startswith("follower.email exists as integer")
    assert "Rename it in the CRM" in shown["problem"]
    assert (shown["installed"], shown["steps"]) == (False, [])
    refused = admin.post("/setup/")
    assert refused.status_code == 409
    assert refused.json["message"] == shown["problem"]
    assert "conversation" not in limetypes.describe()


def test_only_administrators_set_up(bare: Crm) -> None:
    agent = bare.person("agent")
    assert agent.get("/setup/").status_code == 403
    assert agent.post("/setup/").status_code == 403
    assert bare.nobody().get("/setup/").status_code == 401
    assert bare.person("administrator").post("/setup/", force=True).status_code == 422


def test_with_the_engine_the_webhook_is_registered_and_a_second_run_does_nothing(
    tmp_path: Path,
) -> None:
    options = SandboxOptions(
        directory=tmp_path / "sandbox", smtp_port=None, token=SECRETS["emailengine_token"]
    )
    with Sandbox(options) as sandbox:
        crm = Crm(
            f"sqlite:///{tmp_path / 'crm.sqlite'}",
            tmp_path,
            webhook_url=WEBHOOK,
            emailengine_url=sandbox.url,
        )
        admin = crm.person("administrator")
        assert admin.get("/setup/").json["engine"] == {
            "reachable": True,
            "licensed": True,
            "webhook_url": WEBHOOK,
            "webhook_registered": False,
            "message": "",
        }
        assert admin.post("/setup/").json["unfinished"] == ""
        after = admin.get("/setup/").json
        assert (after["installed"], after["steps"]) == (True, [])
        assert after["engine"]["webhook_registered"]
        assert admin.post("/setup/").json == {"steps": [], "applied": True, "unfinished": ""}
        sandbox.control("POST", "/suspend")
        suspended = admin.get("/setup/")
        assert suspended.status_code == 200
        assert (suspended.json["installed"], suspended.json["steps"]) == (True, [])
        assert suspended.json["engine"] == {
            "reachable": True,
            "licensed": False,
            "webhook_url": WEBHOOK,
            "webhook_registered": True,
            "message": "EmailEngine has stopped working because it has no licence; enter one"
            " there.",
        }
        sandbox.control("POST", "/resume")
        assert admin.get("/setup/").json["engine"]["licensed"]
        fault = {"action": "refuse", "path": "/v1/settings", "status": 503, "times": 9}
        sandbox.control("POST", "/faults", fault)
        half = admin.get("/setup/")
        assert half.status_code == 200
        assert half.json["engine"]["licensed"]
        assert half.json["engine"]["webhook_registered"] is None
        assert half.json["engine"]["message"]
        assert half.json["steps"] == []
        crm.host.close()
