from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.sandbox import Sandbox, SandboxOptions

from .crm import SECRETS, Crm, Person

OUTLOOK = {
    "name": "Outlook CRM",
    "provider": "outlook",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "client_secret": "a-made-up-secret",
    "authority": "common",
}


@dataclass
class Desk:
    """An administrator's, with a CRM and its engine."""

    crm: Crm
    sandbox: Sandbox
    admin: Person

    def create(self, **values: Any) -> Any:
        return self.admin.post("/oauth_app/", **{**OUTLOOK, **values})

    def account(self, account: str, app: str) -> None:
        email = f"{account}@example.com"
        oauth2 = {"provider": app, "auth": {"user": email}, "refreshToken": "r", "accessToken": "a"}
        with EngineClient(self.sandbox.url, self.sandbox.token) as engine:
            values = {"account": account, "name": account, "email": email, "oauth2": oauth2}
            engine.create_account(values)

    def delete(self, app: int, **query: str) -> Any:
        return self.admin.send("DELETE", f"/oauth_app/{app}", json={}, query_string=query)


@pytest.fixture
def desk(make_crm: Callable[..., Crm], tmp_path: Path) -> Iterator[Desk]:
    options = SandboxOptions(tmp_path / "engine", token=SECRETS["emailengine_token"])
    with Sandbox(options) as sandbox:
        crm = make_crm(emailengine_url=sandbox.url)
        yield Desk(crm, sandbox, crm.person("administrator"))


def test_an_empty_list_shows_what_to_register_with_the_provider(desk: Desk) -> None:
    answer = desk.admin.get("/oauth_app/")
    assert answer.status_code == 200
    assert answer.json == {
        "items": [],
        "total": 0,
        "redirect_url": f"{desk.sandbox.url}/oauth",
        "problem": "",
    }


def test_an_application_is_created_and_listed_and_never_shows_its_secret(desk: Desk) -> None:
    created = desk.create()
    assert created.status_code == 201
    app = created.json
    assert app == {
        "id": app["id"],
        "engine_app": app["engine_app"],
        "name": "Outlook CRM",
        "provider": "outlook",
        "base_scopes": "imap",
        "client_id": OUTLOOK["client_id"],
        "redirect_url": f"{desk.sandbox.url}/oauth",
        "authority": "common",
        "enabled": True,
        "has_secret": True,
        "missing": False,
        "accounts": 0,
        "created_at": "2026-03-01T12:00:00+00:00",
        "changed_at": "2026-03-01T12:00:00+00:00",
    }
    listed = desk.admin.get("/oauth_app/")
    assert (listed.json["items"], listed.json["total"]) == ([app], 1)
    assert OUTLOOK["client_secret"] not in created.text + listed.text


def test_the_list_is_paged(desk: Desk) -> None:
    for name in ("b", "a", "c"):
        assert desk.create(name=name).status_code == 201
    answer = desk.admin.get("/oauth_app/", limit=1, offset=1)
    assert [each["name"] for each in answer.json["items"]] == ["b"]
    assert answer.json["total"] == 3
    assert desk.admin.get("/oauth_app/", limit=201).status_code == 422


def test_what_is_given_is_changed_and_a_secret_left_out_stays(desk: Desk) -> None:
    app = desk.create().json
    changed = desk.admin.send("PUT", f"/oauth_app/{app['id']}", json={"enabled": False})
    assert changed.status_code == 200
    assert changed.json == {**app, "enabled": False}
    again = desk.admin.send("PUT", f"/oauth_app/{app['id']}/", json={"client_secret": "newer"})
    assert (again.status_code, again.json["has_secret"]) == (200, True)
    assert "newer" not in again.text


def test_the_same_once_more_is_a_conflict(desk: Desk) -> None:
    desk.create()
    answer = desk.create()
    assert (answer.status_code, list(answer.json["errors"])) == (409, ["name"])


def test_a_dry_run_tells_and_the_deletion_says_what_became_of_each(desk: Desk) -> None:
    app = desk.create().json
    desk.account("ada", app["engine_app"])
    account = {
        "id": None,
        "engine_account": "ada",
        "email": "ada@example.com",
        "name": "ada",
        "outcome": "kept",
        "reason": "",
    }
    planned = desk.delete(app["id"], dry_run="true")
    assert planned.status_code == 200
    assert planned.json == {
        "id": app["id"],
        "name": "Outlook CRM",
        "dry_run": True,
        "deleted": False,
        "reason": "",
        "left": 0,
        "accounts": [account],
    }
    done = desk.delete(app["id"])
    assert done.status_code == 200
    assert (done.json["deleted"], done.json["dry_run"]) == (True, False)
    assert done.json["accounts"] == [{**account, "outcome": "deleted"}]
    assert desk.delete(app["id"]).status_code == 404
    assert desk.admin.get("/oauth_app/").json["total"] == 0


def test_without_the_engine_nothing_changes_and_the_list_is_still_shown(desk: Desk) -> None:
    app = desk.create().json
    desk.sandbox.stop()
    listed = desk.admin.get("/oauth_app/")
    assert listed.status_code == 200
    assert listed.json["items"] == [{**app, "has_secret": None}]
    assert listed.json["redirect_url"] is None
    assert "cannot be reached" in listed.json["problem"]
    path = f"/oauth_app/{app['id']}"
    for answer in (
        desk.create(name="Another"),
        desk.admin.send("PUT", path, json={"enabled": False}),
        desk.delete(app["id"], dry_run="true"),
        desk.delete(app["id"]),
    ):
        assert (answer.status_code, answer.json["code"]) == (503, "engine_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert desk.admin.get("/oauth_app/").json["items"] == listed.json["items"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 257}, "name"),
        ({"name": None}, "name"),
        ({"provider": "gmailService"}, "provider"),
        ({"provider": "yahoo"}, "provider"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "with space"}, "client_id"),
        ({"client_id": "x" * 513}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"client_secret": "\x00"}, "client_secret"),
        ({"client_secret": 5}, "client_secret"),
        ({"base_scopes": "pubsub"}, "base_scopes"),
        ({"authority": ""}, "authority"),
        ({"authority": "a/b"}, "authority"),
        ({"authority": None}, "authority"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"redirect_url": "ftp://example.com"}, "redirect_url"),
        ({"redirect_url": "https://example.com/" + "x" * 1024}, "redirect_url"),
        ({"id": 5}, "id"),
        ({"has_secret": True}, "has_secret"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(
    desk: Desk, values: dict[str, Any], field: str
) -> None:
    answer = desk.create(**values)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert desk.admin.get("/oauth_app/").json["total"] == 0


def test_what_cannot_be_changed_is_refused(desk: Desk) -> None:
    app = desk.create().json
    for values in ({"provider": "gmail"}, {"client_secret": ""}, {"name": ""}, {"missing": True}):
        answer = desk.admin.send("PUT", f"/oauth_app/{app['id']}", json=values)
        assert (answer.status_code, list(answer.json["errors"])) == (422, list(values))
    for path in ("/oauth_app/4711", "/oauth_app/0", f"/oauth_app/{2**63}", "/oauth_app/-1"):
        assert desk.admin.send("PUT", path, json={"enabled": False}).status_code == 404, path
        assert desk.admin.send("DELETE", path, json={}).status_code == 404, path
    assert desk.delete(app["id"], dry_run="perhaps").status_code == 422


def test_only_administrators_get_in(crm: Crm) -> None:
    calls = [("POST", "/oauth_app/"), ("PUT", "/oauth_app/1"), ("DELETE", "/oauth_app/1")]
    for method, path in [("GET", "/oauth_app/"), *calls]:
        body = {} if method == "GET" else {"json": {}}
        assert crm.nobody().send(method, path, **body).status_code == 401
        assert crm.person("agent", f"agent-{method}").send(method, path, **body).status_code == 403
