"""The webhook sender has the habits of the real one."""

import json
import time

import pytest

from limepkg_email.sandbox import Sandbox, sign
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import SECRET, Connect, MakeSandbox, deliver, listen, mail


def test_body_is_compact_signed_and_keeps_letters(sandbox: Sandbox, told: WebhookReceiver) -> None:
    deliver(sandbox, mail("Smörgås", "<a@example.org>"))
    assert sandbox.wait_until_idle()
    (one,) = told.received
    assert "Smörgås".encode() in one.body
    assert json.dumps(one.json, ensure_ascii=False, separators=(",", ":")).encode() == one.body
    assert one.headers["X-EE-Wh-Signature"] == sign(one.body, SECRET)
    assert one.headers["Content-Type"] == "application/json"
    assert one.headers["X-EE-Wh-Attempts-Made"] == "0"
    assert one.headers["X-EE-Wh-Queued-Time"] == "0s"


def test_new_account_is_introduced_in_thirteen_events(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    sandbox = make_sandbox()
    api = EngineApi(sandbox.url, sandbox.token, "support")
    listen(api, receiver)
    api.close()
    connect(sandbox)
    assert sandbox.wait_until_idle()
    names = [event["event"] for event in receiver.events()]
    assert names[:2] == ["accountAdded", "authenticationSuccess"]
    assert len(names) == 13
    assert names.index("accountInitialized") not in (2, 12)
    reset = receiver.events("mailboxReset")[0]
    assert reset["path"] == "INBOX"
    assert reset["data"]["reason"] == "uidValidityChange"


def test_custom_headers_of_instance_and_account_are_added(
    sandbox: Sandbox, api: EngineApi, receiver: WebhookReceiver
) -> None:
    listen(api, receiver, webhooksCustomHeaders=[{"key": "X-Api-Key", "value": "one"}])
    api.put("", {"webhooksCustomHeaders": [{"key": "X-Account", "value": "two"}]})
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    assert receiver.received[0].headers["X-Api-Key"] == "one"
    assert receiver.received[0].headers["X-Account"] == "two"


def test_account_has_a_receiver_of_its_own(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    with WebhookReceiver() as own:
        api.put("", {"webhooks": own.url})
        deliver(sandbox, mail())
        assert sandbox.wait_until_idle()
        assert len(own.events("messageNew")) == 1
    assert not told.received


@pytest.mark.parametrize("status", [400, 410, 500, 503])
def test_every_failure_is_tried_again(sandbox: Sandbox, told: WebhookReceiver, status: int) -> None:
    told.answers.extend([status, status])
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    assert len(told.received) == 3
    assert len({one.headers["X-EE-Wh-Event-Id"] for one in told.received}) == 1
    assert [one.headers["X-EE-Wh-Attempts-Made"] for one in told.received] == ["0", "1", "2"]


def test_ten_tries_and_then_never_again(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    sandbox = make_sandbox(webhook_base_delay=0.001)
    listen(connect(sandbox), receiver)
    receiver.answers.extend([500] * 20)
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    assert len(receiver.received) == 10


def test_retried_event_comes_after_later_ones(sandbox: Sandbox, told: WebhookReceiver) -> None:
    told.answers.append(500)
    sandbox.control("POST", "/webhooks/pause")
    deliver(sandbox, mail("one"))
    deliver(sandbox, mail("two"))
    sandbox.control("POST", "/webhooks/resume")
    assert sandbox.wait_until_idle()
    assert [event["data"]["subject"] for event in told.events()] == ["one", "two", "one"]


@pytest.mark.parametrize("answer", [429, 0])
def test_empty_body_is_sent_after_429_and_after_a_lost_connection(
    sandbox: Sandbox, told: WebhookReceiver, answer: int
) -> None:
    told.answers.append(answer)
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    first, second = told.received
    assert second.body == b""
    assert second.headers["Content-Length"] == "0"
    for name in ("X-EE-Wh-Id", "X-EE-Wh-Event-Id", "X-EE-Wh-Signature", "X-EE-Wh-Attempts-Made"):
        assert first.headers[name] == second.headers[name]


def test_refused_empty_body_leads_to_a_normal_retry(
    sandbox: Sandbox, told: WebhookReceiver
) -> None:
    told.answers.extend([429, 401])
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    assert [bool(one.body) for one in told.received] == [True, False, True]
    assert told.received[2].headers["X-EE-Wh-Attempts-Made"] == "1"


def test_redirect_is_neither_followed_nor_tried_again(
    sandbox: Sandbox, told: WebhookReceiver
) -> None:
    told.answers.append(302)
    told.answer_headers["Location"] = told.url
    deliver(sandbox, mail())
    assert sandbox.wait_until_idle()
    assert len(told.received) == 1


def test_slow_receiver_sees_the_event_again(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver
) -> None:
    sandbox = make_sandbox(webhook_timeout=0.1)
    listen(connect(sandbox), receiver)
    receiver.seconds = 0.3
    deliver(sandbox, mail())
    time.sleep(0.2)
    receiver.seconds = 0
    assert sandbox.wait_until_idle()
    assert len(receiver.received) >= 2


def test_absent_receiver_delays_but_keeps_order(
    sandbox: Sandbox, api: EngineApi, receiver: WebhookReceiver
) -> None:
    listen(api, receiver, webhooks="http://127.0.0.1:9/webhook")
    deliver(sandbox, mail("one"))
    assert sandbox.control("POST", "/idle", {"timeout": 0.2})["idle"] is False
    assert sandbox.control("GET", "/webhooks")["total"] == 1


def test_only_wanted_events_are_sent(
    sandbox: Sandbox, api: EngineApi, receiver: WebhookReceiver
) -> None:
    listen(api, receiver, webhookEvents=["messageDeleted"])
    ids = deliver(sandbox, mail())
    api.put(f"message/{ids['id']}/move", {"path": "Trash"})
    assert sandbox.wait_until_idle()
    assert [event["event"] for event in receiver.events()] == ["messageDeleted"]


def test_notification_settings_decide_what_is_in_the_payload(
    sandbox: Sandbox, api: EngineApi, receiver: WebhookReceiver
) -> None:
    listen(api, receiver, notifyText=False, notifyHeaders=[])
    deliver(sandbox, mail("one"))
    listen(api, receiver, notifyText=True, notifyTextSize=3, notifyHeaders=["subject"])
    deliver(sandbox, mail("two", text="abcdef\n"))
    assert sandbox.wait_until_idle()
    bare, cut = (event["data"] for event in receiver.events("messageNew"))
    assert "headers" not in bare
    assert set(bare["text"]) == {"id", "encodedSize"}
    assert cut["headers"] == {"subject": ["two"]}
    assert (cut["text"]["plain"], cut["text"]["hasMore"]) == ("abc", True)


def test_inbox_only_silences_moves_and_sent_mail(
    sandbox: Sandbox, api: EngineApi, receiver: WebhookReceiver
) -> None:
    listen(api, receiver, inboxNewOnly=True)
    ids = deliver(sandbox, mail("one"))
    moved = api.put(f"message/{ids['id']}/move", {"path": "Junk"})
    api.put(f"message/{moved['id']}/move", {"path": "INBOX"})
    assert sandbox.wait_until_idle()
    paths = [event["path"] for event in receiver.events("messageNew")]
    assert paths == ["INBOX", "INBOX"]
    assert [one["data"]["seemsLikeNew"] for one in receiver.events("messageNew")] == [True, False]


def test_flag_change_tells_what_changed(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    ids = deliver(sandbox, mail())
    path = f"message/{ids['id']}"
    api.put(path, {"flags": {"add": ["\\Seen", "\\Flagged"]}})
    api.put(path, {"flags": {"add": ["\\Seen"]}})
    api.put(path, {"flags": {"delete": ["\\Flagged"]}})
    assert sandbox.wait_until_idle()
    changes = [event["data"]["changes"]["flags"] for event in told.events("messageUpdated")]
    assert changes == [
        {"added": ["\\Flagged", "\\Seen"], "value": ["\\Flagged", "\\Seen"]},
        {"deleted": ["\\Flagged"], "value": ["\\Seen"]},
    ]


def test_old_mail_is_never_announced(sandbox: Sandbox, told: WebhookReceiver) -> None:
    deliver(sandbox, mail("old", extra="Date: Mon, 1 Jan 2024 10:00:00 +0000\n"))
    deliver(sandbox, mail("new"))
    assert sandbox.wait_until_idle()
    assert [event["data"]["subject"] for event in told.events("messageNew")] == ["new"]


def test_webhooks_of_a_deleted_account_are_dropped(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    sandbox.control("POST", "/webhooks/pause")
    deliver(sandbox, mail())
    api.delete("")
    sandbox.control("POST", "/webhooks/resume")
    assert sandbox.wait_until_idle()
    assert [event["event"] for event in told.events()] == ["accountDeleted"]


def test_webhooks_can_be_lost_doubled_reordered_and_cut_off(
    sandbox: Sandbox, told: WebhookReceiver
) -> None:
    sandbox.control("POST", "/webhooks/faults", {"lose": 1})
    deliver(sandbox, mail("lost"))
    assert sandbox.wait_until_idle()
    sandbox.control("POST", "/webhooks/faults", {"duplicate": 1})
    deliver(sandbox, mail("twice"))
    assert sandbox.wait_until_idle()
    sandbox.control("POST", "/webhooks/faults", {"reorder": 3})
    for subject in "abc":
        deliver(sandbox, mail(subject))
    assert sandbox.wait_until_idle()
    subjects = [event["data"]["subject"] for event in told.events()]
    assert subjects == ["twice", "twice", "c", "b", "a"]
    sandbox.control("POST", "/webhooks/faults", {"drop": 1})
    deliver(sandbox, mail("cut off"))
    assert sandbox.wait_until_idle()
    assert [bool(one.body) for one in told.received[-2:]] == [True, False]


def test_one_mailbox_under_two_accounts_tells_twice(
    sandbox: Sandbox, api: EngineApi, connect: Connect, told: WebhookReceiver
) -> None:
    connect(sandbox, "again", email="support@example.com")
    deliver(sandbox, mail("one", "<a@example.org>"))
    assert sandbox.wait_until_idle()
    found = told.events("messageNew")
    assert sorted(event["account"] for event in found) == ["again", "support"]
