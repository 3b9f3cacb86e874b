"""Requests of the captures, repeated: the same status and the same keys as the real answers."""

import json
from datetime import timedelta
from typing import Any

import pytest

from limepkg_email.clock import utc_now
from limepkg_email.sandbox import Sandbox, sign
from limepkg_email.testing.engine_api import EngineApi
from tests.sandbox.conftest import CAPTURES, SECRET, Connect, capture, deliver, mail


def _webhooks() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(CAPTURES.glob("webhook-*.json")):
        webhook = json.loads(path.read_text("utf-8"))
        if "X-EE-Wh-Signature" in webhook.get("headers", {}):
            found.append((path.stem, webhook))
    return found


@pytest.mark.parametrize(("name", "webhook"), _webhooks())
def test_real_signatures_verify(name: str, webhook: dict[str, Any]) -> None:
    body = json.dumps(webhook["body"], ensure_ascii=False, separators=(",", ":")).encode()
    assert sign(body, SECRET) == webhook["headers"]["X-EE-Wh-Signature"]


# Answered alike whatever the state of the sandbox: body for body.
VERBATIM = [
    "account-delete-again",
    "account-reconnect",
    "account-update-400",
    "account-update-404",
    "account-update",
    "accounts-list-by-state",
    "accounts-list-errors",
    "accounts-list-pagesize-too-big",
    "auth-form-400",
    "error-400-validation",
    "error-404-unknown-account",
    "error-404-submit-unknown-account",
    "license-unlicensed",
    "mailbox-create",
    "mailbox-create-nested",
    "mailbox-delete-again",
    "message-flags-unknown-id",
    "message-move-404-folder",
    "message-move-again-stale-id",
    "messages-bulk-move-nomatch",
    "messages-bulk-update",
    "oauth2-create-400",
    "oauth2-get-404",
    "oauth2-list-empty",
    "oauth2-update-404",
    "oauth2-delete-again",
    "outbox-account-filter",
    "outbox-get-404",
    "search-bad",
    "search-or",
    "settings-get-mixed",
    "settings-post-400",
    "settings-post-unknown-key",
    "settings-post",
    "submit-400-bad-address",
]
# The same keys in the same places; values may differ.
SHAPED = [
    "account-create-null-id",
    "account-get-john",
    "accounts-list-query",
    "auth-form-imap",
    "auth-form-unknown-type",
    "mailboxes-list",
    "mailboxes-list-counters",
    "oauth2-create-gmail",
    "settings-get-fresh",
    "submit-dryrun",
    "submit-full",
    "submit-idempotent-first",
    "submit-no-recipients-is-accepted",
    "submit-reply-missing-ignored",
    "submit-sendAt",
    "submit-simple",
]


@pytest.mark.parametrize("name", VERBATIM)
def test_answer_is_the_same(api: EngineApi, name: str) -> None:
    wanted = capture(name)
    response = repeat(api, wanted)
    assert response.status_code == wanted["response"]["status"]
    assert response.json() == wanted["response"]["body"]
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("name", SHAPED)
def test_answer_has_the_same_shape(
    api: EngineApi, sandbox: Sandbox, connect: Connect, name: str
) -> None:
    connect(sandbox, "john")
    wanted = capture(name)
    response = repeat(api, wanted)
    assert response.status_code == wanted["response"]["status"]
    # Counters count only what has happened here; a list of folders may be longer or shorter.
    assert shape(response.json()) == shape(wanted["response"]["body"])


@pytest.mark.parametrize(
    "name",
    ["unlicensed-stopped-mailboxes", "unlicensed-stopped-submit", "unlicensed-stopped-license"],
)
def test_suspended_engine_answers_the_same(sandbox: Sandbox, connect: Connect, name: str) -> None:
    api = connect(sandbox, "john")
    sandbox.control("POST", "/suspend")
    wanted = capture(name)
    response = repeat(api, wanted)
    assert response.status_code == wanted["response"]["status"]
    assert response.json() == wanted["response"]["body"]


def test_oauth2_app_is_shown_as_the_real_one_shows_it(api: EngineApi) -> None:
    created = repeat(api, capture("oauth2-create-outlook")).json()
    assert shape(created) == shape(capture("oauth2-create-outlook")["response"]["body"])
    assert len(created["id"]) == len("AAABogITAF4AAAAB")
    shown = api.get(f"/oauth2/{created['id']}")
    wanted = capture("oauth2-get")["response"]["body"]
    assert list(shown) == list(wanted)
    assert {**shown, "id": "", "created": ""} == {**wanted, "id": "", "created": ""}


def test_error_of_a_refused_login_is_the_same(sandbox: Sandbox, connect: Connect) -> None:
    connect(sandbox, "badpass", email="sales@example.com", password="wrong")
    api = connect(sandbox)
    for name in ("error-mailboxes-account-auth-error", "error-messages-account-auth-error"):
        wanted = capture(name)["response"]
        response = repeat(api, capture(name))
        assert (response.status_code, response.json()) == (wanted["status"], wanted["body"])
    wanted_account = capture("account-get-badpass")["response"]["body"]
    found = api.get("/account/badpass")
    assert list(found) == list(wanted_account)
    assert found["lastError"] == wanted_account["lastError"]


def test_outbox_entries_are_shaped_alike(sandbox: Sandbox, connect: Connect) -> None:
    api = connect(sandbox, "john")
    scheduled = capture("submit-sendAt")
    scheduled["request"]["body"]["sendAt"] = (utc_now() + timedelta(days=1)).isoformat()
    later = repeat(api, scheduled).json()
    entry = api.get(f"/outbox/{later['queueId']}")
    assert list(entry) == list(capture("outbox-get")["response"]["body"])
    api.delete(f"/outbox/{later['queueId']}")
    repeat(api, capture("submit-no-recipients-is-accepted"))
    body = {"to": [{"address": "reject@example.com"}], "subject": "x", "text": "x"}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    wanted = capture("outbox-list-failed")["response"]["body"]["messages"]
    found = api.get("/outbox")["messages"]
    assert shape(found) == shape(wanted)
    assert [one["progress"]["error"]["code"] for one in found] == ["EENVELOPE", "EENVELOPE"]
    assert api.request("GET", f"/outbox/{found[0]['queueId']}").status_code == 404


def test_objects_ids_are_there_when_the_mailbox_has_them(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/mailboxes", {"address": "support@example.com", "objectIds": True})
    deliver(sandbox, mail("Booking", "<a@example.org>"))
    reply = mail("Re: Booking", "<b@example.org>", extra="References: <a@example.org>\n")
    deliver(sandbox, reply)
    other = mail("Boats", "<c@example.org>", extra="In-Reply-To: <a@example.org>\n")
    deliver(sandbox, other)
    third, second, first = api.get("messages", path="INBOX")["messages"]
    assert first["threadId"] == second["threadId"] != third["threadId"]
    assert len(first["emailId"]) == 25
    assert len(first["threadId"]) == 17
    terms = {"search": {"emailId": second["emailId"]}}
    found = api.request("POST", "search", params={"path": "INBOX"}, json=terms).json()
    assert [one["id"] for one in found["messages"]] == [second["id"]]
    moved = api.put(f"message/{second['id']}/move", {"path": "Trash"})
    assert api.get(f"message/{moved['id']}")["emailId"] == second["emailId"]


def repeat(api: EngineApi, wanted: dict[str, Any]) -> Any:
    """Send the request of a capture."""
    request = wanted["request"]
    return api.request(
        request["method"],
        request["path"].removeprefix("/v1"),
        data=json.dumps(request["body"]) if "body" in request else None,
        headers=request.get("headers"),
    )


def shape(value: Any) -> Any:
    """The keys of a JSON value, all the way down."""
    if isinstance(value, dict):
        return {
            key: "counted" if key == "counters" else shape(entry) for key, entry in value.items()
        }
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return "value"
