"""Accounts: registering, logging in, missing mail, and the hosted form."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from limepkg_email.sandbox import Sandbox
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import Connect, MakeSandbox, deliver, listen, mail


def test_id_is_invented_when_none_is_given(sandbox: Sandbox, api: EngineApi) -> None:
    created = api.post("/account", {"account": None, "name": "Lisa", "email": "l@example.com"})
    assert re.fullmatch(r"[0-9a-z]{16}", created["account"])
    assert created["state"] == "new"


def test_taken_id_is_overwritten(api: EngineApi) -> None:
    body = {"account": "support", "name": "Other", "email": "support@example.com"}
    assert api.post("/account", body) == {"account": "support", "state": "existing"}
    assert api.get("")["name"] == "Other"


def test_unregistered_domain_is_refused(api: EngineApi) -> None:
    body = {"account": "x", "name": "x", "email": "support@example.test"}
    response = api.request("POST", "/account", json=body)
    assert response.json()["fields"] == [
        {"message": '"email" must be a valid email', "key": "email"}
    ]


def test_mail_missed_during_a_bad_login_is_announced_after_the_reconnect(
    sandbox: Sandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    api = connect(sandbox, password="wrong")
    listen(api, receiver)
    deliver(sandbox, mail("missed"))
    login = {"partial": True, "auth": {"user": "support@example.com", "pass": "secret"}}
    api.put("", {"imap": login})
    assert api.get("")["state"] == "connecting"
    assert api.get("")["imap"]["host"] == "127.0.0.1"
    api.put("reconnect", {"reconnect": True})
    assert api.get("")["state"] == "connected"
    assert api.get("")["lastError"] is None
    assert sandbox.wait_until_idle()
    (event,) = receiver.events("messageNew")
    assert event["data"]["subject"] == "missed"
    assert len(receiver.events("authenticationSuccess")) == 1


def test_bad_login_is_told_once(
    sandbox: Sandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    api = connect(sandbox)
    listen(api, receiver)
    bad = connect(sandbox, "bad", password="wrong")
    bad.put("reconnect", {"reconnect": True})
    assert sandbox.wait_until_idle()
    (event,) = receiver.events("authenticationError")
    assert event["data"]["serverResponseCode"] == "AUTHENTICATIONFAILED"


def test_unreachable_server_is_a_connection_error(sandbox: Sandbox, connect: Connect) -> None:
    login = {"auth": {"user": "a@example.com", "pass": "x"}, "host": "unreachable", "port": 143}
    api = connect(sandbox, "noconn", imap=login)
    account = api.get("")
    assert (account["state"], account["connections"]) == ("connectError", 0)
    assert account["lastError"]["serverResponseCode"] == "ECONNREFUSED"


def test_new_account_connects_after_the_delay(make_sandbox: MakeSandbox, connect: Connect) -> None:
    sandbox = make_sandbox(connect_delay=30)
    api = connect(sandbox)
    assert api.get("")["state"] in ("init", "connecting")
    assert api.request("GET", "mailboxes").json()["code"] == "NotYetConnected"


def test_receiving_can_be_switched_off_and_on(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    api.put("", {"imap": {"partial": True, "disabled": True}})
    account = api.get("")
    assert (account["type"], account["sendOnly"]) == ("sending", True)
    deliver(sandbox, mail("meanwhile"))
    assert api.request("GET", "mailboxes").json()["code"] == "NotYetConnected"
    api.put("", {"imap": {"partial": True, "disabled": False}})
    api.put("reconnect", {"reconnect": True})
    assert sandbox.wait_until_idle()
    assert [one["data"]["subject"] for one in told.events("messageNew")] == ["meanwhile"]


def test_accounts_survive_their_oauth2_app(sandbox: Sandbox, api: EngineApi) -> None:
    app = {"name": "G", "provider": "gmail", "clientId": "c", "clientSecret": "s"}
    created = api.post("/oauth2", {**app, "redirectUrl": "http://127.0.0.1/oauth"})
    oauth2 = {"provider": created["id"], "auth": {"user": "g@example.com"}, "refreshToken": "r"}
    body = {"account": "g", "name": "G", "email": "g@example.com", "oauth2": oauth2}
    api.post("/account", body)
    account = api.get("/account/g")
    assert (account["type"], account["app"]) == ("gmail", created["id"])
    assert account["oauth2"]["refreshToken"] == "******"
    assert api.delete(f"/oauth2/{created['id']}")["accounts"] == 1
    account = api.get("/account/g")
    assert account["type"] == "oauth2"
    assert "app" not in account
    assert account["state"] == "connected"


def test_form_creates_an_account_and_calls_back(sandbox: Sandbox, api: EngineApi) -> None:
    redirect = "http://127.0.0.1:1/done?user=7&account=other#top"
    body = {"redirectUrl": redirect, "account": "bo", "email": "bo@example.org", "type": "imap"}
    link = api.post("/authentication/form", body)["url"]
    assert "bo@example.org" in requests.get(link, timeout=5).text
    page = requests.post(link, data={"email": "bo@example.org", "password": "x"}, timeout=5)
    target = _target(page.text)
    assert parse_qs(urlsplit(target).query) == {
        "user": ["7"],
        "account": ["bo"],
        "state": ["new"],
    }
    assert urlsplit(target).fragment == "top"
    assert api.get("/account/bo")["state"] == "connected"
    assert requests.get(link, timeout=5).status_code == 403


def test_tampered_form_link_is_refused(sandbox: Sandbox, api: EngineApi) -> None:
    link = api.post("/authentication/form", {"redirectUrl": "http://127.0.0.1:1/"})["url"]
    assert requests.get(link.replace("sig=", "sig=x"), timeout=5).status_code == 403


def test_form_takes_a_wrong_password_all_the_same(sandbox: Sandbox, api: EngineApi) -> None:
    link = api.post("/authentication/form", {"redirectUrl": "http://127.0.0.1:1/"})["url"]
    page = requests.post(link, data={"email": "b@example.org", "password": "wrong"}, timeout=5)
    account = parse_qs(urlsplit(_target(page.text)).query)["account"][0]
    assert api.get(f"/account/{account}")["state"] == "authenticationError"


@pytest.mark.parametrize("consent", [True, False])
def test_form_with_an_app_asks_for_consent(sandbox: Sandbox, api: EngineApi, consent: bool) -> None:
    app = {"name": "G", "provider": "gmail", "clientId": "c", "clientSecret": "s"}
    created = api.post("/oauth2", {**app, "redirectUrl": "http://127.0.0.1/oauth"})
    body = {"redirectUrl": "http://127.0.0.1:1/", "type": created["id"], "account": "g"}
    link = api.post("/authentication/form", {**body, "email": "g@example.com"})["url"]
    first = requests.get(link, timeout=5, allow_redirects=False)
    assert first.status_code == 302
    assert "login_hint=g%40example.com" in first.headers["location"]
    page = requests.post(
        first.headers["location"],
        data={"email": "g@example.com", "answer": "allow" if consent else "deny"},
        timeout=5,
    )
    if consent:
        assert "account=g" in _target(page.text)
        assert api.get("/account/g")["app"] == created["id"]
    else:
        assert page.status_code == 400
        assert api.request("GET", "/account/g").status_code == 404


def _target(page: str) -> str:
    match = re.search(r'id="continue" href="([^"]+)"', page)
    assert match
    return match[1].replace("&amp;", "&")


def test_account_made_while_suspended_connects_afterwards(
    sandbox: Sandbox, api: EngineApi, connect: Connect
) -> None:
    sandbox.control("POST", "/suspend")
    late = connect(sandbox, "late")
    assert late.get("")["state"] == "init"
    sandbox.control("POST", "/resume")
    assert late.get("")["state"] == "connected"
