"""Connected mailboxes over HTTP."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from limepkg_email.sandbox import Sandbox, SandboxOptions

from .crm import SECRETS, Crm, Person

SALES = "sales@example.com"
SETTINGS = {"accounts": [1], "enabled": True}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    token = SECRETS["emailengine_token"]
    options = SandboxOptions(directory=tmp_path_factory.mktemp("engine"), token=token)
    with Sandbox(options) as found:
        yield found


@pytest.fixture
def connected_crm(make_crm: Callable[..., Crm], sandbox: Sandbox) -> Crm:
    """The CRM with an engine that answers."""
    sandbox.control("POST", "/reset", {})
    return make_crm(emailengine_url=sandbox.url)


@pytest.fixture
def admin(connected_crm: Crm) -> Person:
    return connected_crm.person("administrator", "boss")


def fill_in(link: str, email: str = SALES, password: str = "right") -> dict[str, str]:
    """Fill the form in as a person; gives path and query of where the browser is sent."""
    data = {"email": email, "name": "Sales", "password": password}
    page = requests.post(link, data=data, timeout=10).text
    target = urlsplit(unescape(re.findall(r'id="continue" href="([^"]+)"', page)[0]))
    said = {name: value[0] for name, value in parse_qs(target.query).items()}
    return {**said, "path": target.path}


def test_a_person_connects_a_mailbox(admin: Person) -> None:
    made = admin.post("/account/form/", email=SALES, type="imap", relay=False, back="/crm/mail")
    assert made.status_code == 200
    assert made.json["expires_at"] == "2026-03-01T13:00:00+00:00"
    said = fill_in(made.json["url"])
    assert said["path"] == "/crm/limepkg-email/account/connected/"
    assert said["state"] == "new"
    ending = {"token": said["token"], "account": said["account"]}
    answer = admin.post("/account/", **ending)
    assert answer.status_code == 201
    account = answer.json["account"]
    assert (account["email"], account["state"], account["relay"]) == (SALES, "connected", False)
    assert answer.json["back"] == "/crm/mail"
    again = admin.post("/account/", **ending)
    assert (again.status_code, list(again.json["errors"])) == (409, ["token"])
    page = admin.get("/account/", query="sales").json
    assert (page["total"], page["items"]) == (1, [account])
    assert admin.get(f"/account/{account['id']}").json == account


def test_a_wrong_password_is_told_with_what_to_do(admin: Person) -> None:
    link = admin.post("/account/form/", email=SALES).json["url"]
    said = fill_in(link, password="wrong")
    account = admin.post("/account/", token=said["token"], account=said["account"]).json["account"]
    assert account["next_step"] == "sign_in_again"
    assert "refuses the login" in account["cause"]
    assert account["advice"] == "Sign in to the mailbox again."
    again = admin.post("/account/form/", account=account["id"]).json["url"]
    said = fill_in(again)
    mended = admin.post("/account/", token=said["token"], account=said["account"])
    assert (mended.status_code, mended.json["account"]["next_step"]) == (201, "none")


def test_settings_are_changed_in_part_and_accounts_switched_and_deleted(admin: Person) -> None:
    said = fill_in(admin.post("/account/form/", email=SALES).json["url"])
    id = admin.post("/account/", token=said["token"], account=said["account"]).json["account"]["id"]
    (me,) = admin.get("/users/", query="BOSS@").json["items"]
    body = {"users": [me["id"]], "time_zone": "Asia/Tokyo"}
    changed = admin.send("PUT", f"/account/{id}/", json=body)
    assert changed.status_code == 200
    assert (changed.json["users"], changed.json["time_zone"]) == ([me["id"]], "Asia/Tokyo")
    off = admin.send("PUT", "/account/", json={"accounts": [id], "enabled": False})
    assert off.json == {"items": [{"id": id, "outcome": "changed", "reason": ""}], "total": 1}
    assert admin.get("/account/", state="disabled").json["total"] == 1
    assert admin.get("/account/", state="connected").json["total"] == 0
    assert admin.get(f"/account/{id}/preview/").status_code == 503, "it is paused"
    admin.send("PUT", "/account/", json={"accounts": [id], "enabled": True})
    seen = admin.get(f"/account/{id}/preview/").json
    assert (seen["unread"], seen["exact"], seen["import_unread"]) == (0, True, True)
    gone = admin.send("DELETE", "/account/", json={"accounts": [id]})
    assert gone.json == {"items": [{"id": id, "outcome": "deleted", "reason": ""}], "total": 1}
    assert admin.get(f"/account/{id}/").status_code == 404


def test_many_accounts_are_deleted_as_a_task(crm: Crm, admin: Person) -> None:
    few = admin.send("DELETE", "/account/", json={"accounts": [*range(901, 906)]})
    assert (few.status_code, few.json["total"]) == (200, 5)
    body = {"accounts": [*range(901, 1101), 901]}
    started = admin.send("DELETE", "/account/", json=body)
    assert started.status_code == 202
    assert started.json["status"] == "PENDING"
    task = admin.get(f"/task/{started.json['id']}/").json
    assert (task["total"], task["task"].rpartition(".")[2]) == (200, "delete_accounts")
    crm.integration.start()
    crm.runner.drain()
    crm.integration.stop()
    task = admin.get(f"/task/{started.json['id']}/").json
    assert (task["status"], task["done"]) == ("SUCCESS", 200)
    assert task["result"]["total"] == 200
    assert task["result"]["items"][0] == {**few.json["items"][0]}
    too_many = admin.send("DELETE", "/account/", json={"accounts": [*range(1, 1002)]})
    assert (too_many.status_code, list(too_many.json["errors"])) == (422, ["accounts"])


def test_users_see_what_they_may_send_from_and_nothing_else(crm: Crm) -> None:
    admin, agent, reader = (crm.person(each) for each in ("administrator", "agent", "reader"))
    (mine,) = agent.get("/user/account/").json["items"]
    assert (mine["id"], mine["email"]) == (crm.account.id, "support@example.com")
    assert set(mine) == {
        "id",
        "engine_account",
        "email",
        "name",
        "signature",
        "message_template",
        "language",
        "time_zone",
    }
    assert reader.get("/user/account").json == {"items": [], "total": 0}
    everybody = {each["name"]: each["id"] for each in admin.get("/users/").json["items"]}
    assert list(everybody) == ["Administrator", "Agent", "Reader"], "no system user"
    admin.send("PUT", f"/account/{crm.account.id}", json={"users": [everybody["Reader"]]})
    assert reader.get("/user/account/").json["total"] == 1
    assert agent.get("/user/account/", offset=1).json == {"items": [], "total": 1}


CALLS = [
    ("GET", "/account/", None),
    ("POST", "/account/", {"token": "x", "account": "y"}),
    ("PUT", "/account/", SETTINGS),
    ("DELETE", "/account/", {"accounts": [1]}),
    ("GET", "/account/1/", None),
    ("PUT", "/account/1/", {}),
    ("GET", "/account/1/preview/", None),
    ("POST", "/account/form/", {"email": SALES}),
    ("GET", "/users/", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_only_administrators_manage_accounts(
    crm: Crm, method: str, path: str, body: dict[str, Any] | None
) -> None:
    arguments = {} if body is None else {"json": body}
    assert crm.person("agent").send(method, path, **arguments).status_code == 403
    assert crm.nobody().send(method, path, **arguments).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/account/", {"account": "y"}, "token"),
        ("POST", "/account/", {"token": "", "account": "y"}, "token"),
        ("POST", "/account/", {"token": "x", "account": "y" * 257}, "account"),
        ("POST", "/account/", {"token": "x", "account": 1}, "account"),
        ("POST", "/account/", {"token": "unknown", "account": "y"}, "token"),
        ("POST", "/account/", {"token": "x", "account": "y", "email": "z"}, "email"),
        ("PUT", "/account/", {"accounts": [], "enabled": True}, "accounts"),
        ("PUT", "/account/", {"accounts": [1] * 101, "enabled": True}, "accounts"),
        ("PUT", "/account/", {"accounts": ["1"], "enabled": True}, "accounts.0"),
        ("PUT", "/account/", {"accounts": [-1], "enabled": True}, "accounts.0"),
        ("PUT", "/account/", {"accounts": [1]}, "enabled"),
        ("DELETE", "/account/", {"accounts": [2**60]}, "accounts.0"),
        ("DELETE", "/account/", {"accounts": 1}, "accounts"),
        ("PUT", "/account/1/", {"relay": "perhaps"}, "relay"),
        ("PUT", "/account/1/", {"state": "connected"}, "state"),
        ("PUT", "/account/1/", {"users": [0]}, "users.0"),
        ("PUT", "/account/1/", {"aliases": ["x"]}, "aliases"),
        ("PUT", "/account/1/", {"name": "x" * 257}, "name"),
        ("POST", "/account/form/", {}, "email"),
        ("POST", "/account/form/", {"email": SALES, "type": "gopher"}, "type"),
        ("POST", "/account/form/", {"email": SALES, "back": "//evil.example"}, "back"),
        ("POST", "/account/form/", {"email": SALES, "back": "/\\evil.example"}, "back"),
        ("POST", "/account/form/", {"email": SALES, "back": "https://evil.example"}, "back"),
        ("POST", "/account/form/", {"email": SALES, "back": "javascript:x"}, "back"),
        ("POST", "/account/form/", {"account": 1, "relay": False}, "relay"),
        ("POST", "/account/form/", {"account": 1, "email": SALES}, "email"),
        ("POST", "/account/form/", {"email": SALES, "account": "1"}, "account"),
    ],
)
def test_bad_input_is_refused_with_the_field(
    crm: Crm, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = crm.person("administrator").send(method, path, json=body)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "sort=name", "query=" + "x" * 321]
)
def test_a_bad_page_is_refused(crm: Crm, query: str) -> None:
    assert crm.person("administrator").get(f"/account/?{query}").status_code == 422


@pytest.mark.parametrize("path", ["/account/4711/", f"/account/{10**40}/", "/account/4711/preview"])
def test_an_account_that_is_not_there_is_not_found(crm: Crm, path: str) -> None:
    assert crm.person("administrator").get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/account/form/", {"email": SALES}),
        ("PUT", "/account/", {"accounts": [1], "enabled": False}),
        ("DELETE", "/account/", {"accounts": [1]}),
        ("GET", "/account/1/preview/", None),
    ],
)
def test_without_the_engine_people_are_asked_to_try_again(
    crm: Crm, method: str, path: str, body: dict[str, Any] | None
) -> None:
    admin = crm.person("administrator")
    before = admin.get("/account/").json
    answer = admin.send(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert admin.get("/account/").json == before


def test_the_page_at_the_end_of_the_form_runs_its_own_script_only(crm: Crm) -> None:
    nobody = crm.nobody()
    answer = nobody.get("/account/connected/?token=%3Cscript%3E&account=a&state=new")
    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = dict(
        each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    html = answer.text
    assert "%3Cscript" not in html
    assert html == nobody.get("/account/connected/").text, "the same for everybody"
    for element, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", html, re.S)
        digest = base64.b64encode(sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"https?://", html), "nothing comes from elsewhere"


def test_the_page_of_an_application_that_does_not_exist_is_not_found(crm: Crm) -> None:
    there = crm.nobody().client.get("/nowhere/limepkg-email/account/connected/")
    assert there.status_code == 404
