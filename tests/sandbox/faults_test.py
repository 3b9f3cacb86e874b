"""The control API: ordered faults happen, and exactly as often as ordered."""

import time

import pytest
import requests

from limepkg_email.sandbox import Sandbox, SandboxError
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import deliver, mail
from tests.sandbox.submit_test import LETTER


def test_refused_request_does_nothing(sandbox: Sandbox, api: EngineApi) -> None:
    fault = {"path": "/v1/account/*/submit", "method": "POST", "status": 503, "times": 2}
    sandbox.control("POST", "/faults", {**fault, "code": "ConnectionError"})
    for _ in range(2):
        response = api.request("POST", "submit", json=LETTER)
        assert (response.status_code, response.json()["code"]) == (503, "ConnectionError")
    assert api.get("/outbox")["total"] == 0
    assert api.request("POST", "submit", json=LETTER).status_code == 200


def test_429_has_its_headers(sandbox: Sandbox, api: EngineApi) -> None:
    headers = {"X-RateLimit-Reset": "2"}
    sandbox.control("POST", "/faults", {"status": 429, "headers": headers})
    response = api.request("GET", "/accounts")
    assert response.status_code == 429
    assert response.headers["X-RateLimit-Reset"] == "2"


def test_delayed_request_succeeds(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/faults", {"action": "delay", "seconds": 0.2})
    started = time.monotonic()
    api.get("")
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("action", ["drop", "fail"])
def test_work_is_done_though_nobody_is_told(sandbox: Sandbox, api: EngineApi, action: str) -> None:
    sandbox.control("POST", "/faults", {"action": action, "path": "*/submit"})
    key = {"Idempotency-Key": "one"}
    if action == "drop":
        with pytest.raises(requests.ConnectionError):
            api.request("POST", "submit", json=LETTER, headers=key)
    else:
        assert api.request("POST", "submit", json=LETTER, headers=key).status_code == 500
    assert api.post("submit", LETTER, headers=key)["idempotency"]["status"] == "HIT"
    assert sandbox.wait_until_idle()
    found = sandbox.control("GET", "/mailboxes/anna@example.org/messages")
    assert len(found["messages"]) == 1


def test_request_can_be_done_twice(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/faults", {"action": "twice", "path": "*/submit"})
    api.post("submit", LETTER)
    assert sandbox.wait_until_idle()
    found = sandbox.control("GET", "/mailboxes/anna@example.org/messages")
    assert len(found["messages"]) == 2


def test_suspended_engine_looks_alive_and_does_nothing(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    sandbox.control("POST", "/suspend")
    deliver(sandbox, mail("meanwhile"))
    assert requests.get(f"{sandbox.url}/health", timeout=5).json() == {"success": True}
    assert api.get("")["state"] == "connected"
    assert api.request("GET", "mailboxes").status_code == 503
    assert not told.received
    sandbox.control("POST", "/resume")
    assert sandbox.wait_until_idle()
    assert [one["data"]["subject"] for one in told.events("messageNew")] == ["meanwhile"]
    assert "suspended" not in api.get("/license")


def test_state_of_an_account_can_be_forced(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    error = {"response": "no", "serverResponseCode": "AUTHENTICATIONFAILED"}
    body = {"state": "authenticationError", "error": error}
    sandbox.control("PUT", "/accounts/support/state", body)
    assert api.request("GET", "messages?path=INBOX").json()["code"] == "AuthenticationFails"
    deliver(sandbox, mail("meanwhile"))
    sandbox.control("PUT", "/accounts/support/state", {"state": "connected"})
    assert sandbox.wait_until_idle()
    names = [event["event"] for event in told.events()]
    assert names == ["authenticationError", "messageNew"]


def test_reset_forgets_all_but_the_secret(sandbox: Sandbox, api: EngineApi) -> None:
    deliver(sandbox, mail())
    sandbox.control("POST", "/reset")
    assert api.get("/accounts")["total"] == 0
    assert sandbox.control("GET", "/mailboxes") == {"mailboxes": []}
    assert api.get("/settings", webhooks="true", notifyText="true") == {
        "webhooks": None,
        "notifyText": True,
    }


def test_missing_headers_can_stay_missing(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/options", {"completeHeaders": False})
    assert deliver(sandbox, mail())["messageId"] is None
    sandbox.control("POST", "/options", {"completeHeaders": True})
    assert deliver(sandbox, mail())["messageId"].endswith("@mx.example.com>")


def test_nonsense_is_refused(sandbox: Sandbox) -> None:
    for path, body in (("/faults", {"action": "explode"}), ("/webhooks/faults", {"x": 1})):
        with pytest.raises(SandboxError, match="Invalid input"):
            sandbox.control("POST", path, body)


def test_other_sites_cannot_control(sandbox: Sandbox) -> None:
    for origin in ("https://evil.example.com", "null"):
        headers = {"Origin": origin}
        response = requests.post(f"{sandbox.url}/control/reset", headers=headers, timeout=5)
        assert response.status_code == 403
