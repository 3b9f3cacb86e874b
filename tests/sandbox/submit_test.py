"""Submission, delivery, and what is told of them."""

import base64

import pytest

from limepkg_email.sandbox import Sandbox
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import Connect, MakeSandbox, deliver, mail

LETTER = {"to": [{"address": "anna@example.org"}], "subject": "Hej", "text": "Hello\n"}


def test_mail_reaches_the_customer_and_the_sent_folder(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    answer = api.post("submit", {**LETTER, "headers": {"X-Crm": "7"}})
    assert sandbox.wait_until_idle()
    (received,) = _inbox(sandbox, "anna@example.org")
    assert received["messageId"] == answer["messageId"]
    assert received["headers"]["x-crm"] == ["7"]
    assert received["headers"]["return-path"] == ["<support@example.com>"]
    assert received["from"] == {"name": "Support", "address": "support@example.com"}
    (sent,) = told.events("messageSent")
    assert sent["data"]["queueId"] == answer["queueId"]
    assert sent["data"]["envelope"] == {"from": "support@example.com", "to": ["anna@example.org"]}
    (copy,) = told.events("messageNew")
    assert (copy["path"], copy["data"]["flags"]) == ("Sent", ["\\Seen"])
    assert copy["data"]["seemsLikeNew"] is False
    assert api.get("")["smtpStatus"]["status"] == "ok"


def test_copy_can_be_left_out(sandbox: Sandbox, api: EngineApi) -> None:
    api.post("submit", {**LETTER, "copy": False})
    assert sandbox.wait_until_idle()
    assert api.get("messages", path="\\Sent")["total"] == 0


def test_bounce_comes_as_a_mail_and_as_an_event(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    body = {**LETTER, "to": [{"address": "bounce@example.org"}], "messageId": "<x@example.com>"}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    (report,) = [one for one in told.events("messageNew") if one["path"] == "INBOX"]
    data = report["data"]
    assert (data["isBounce"], data["isAutoReply"]) == (True, True)
    assert data["relatedMessageId"] == "<x@example.com>"
    assert [one["contentType"] for one in data["attachments"]] == [
        "message/delivery-status",
        "message/rfc822",
    ]
    (bounce,) = told.events("messageBounce")
    assert bounce["data"]["bounceMessage"] == data["id"]
    assert bounce["data"]["messageId"] == "<x@example.com>"
    assert bounce["data"]["recipient"] == "bounce@example.org"
    assert bounce["data"]["response"]["category"] == "user_unknown"
    assert told.events("messageSent")


def test_refused_mail_fails_at_once(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    answer = api.post("submit", {**LETTER, "to": [{"address": "reject@example.org"}]})
    assert sandbox.wait_until_idle()
    (error,) = told.events("messageDeliveryError")
    assert error["data"]["smtpResponseCode"] == 550
    assert error["data"]["job"]["attemptsMade"] == 0
    (failed,) = told.events("messageFailed")
    assert set(failed["data"]) == {"messageId", "queueId", "error", "networkRouting"}
    assert failed["data"]["queueId"] == answer["queueId"]
    (entry,) = api.get("/outbox")["messages"]
    assert entry["progress"]["status"] == "error"
    assert api.delete(f"/outbox/{answer['queueId']}") == {"deleted": True}


def test_greylisted_mail_arrives_later(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    api.post("submit", {**LETTER, "to": [{"address": "greylist@example.org"}]})
    assert sandbox.wait_until_idle()
    tries = [one["data"]["job"]["attemptsMade"] for one in told.events("messageDeliveryError")]
    assert tries == [0, 1]
    assert len(told.events("messageSent")) == 1


def test_greylisted_mail_fails_when_the_tries_run_out(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    body = {**LETTER, "to": [{"address": "greylist@example.org"}], "deliveryAttempts": 2}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    assert len(told.events("messageDeliveryError")) == 2
    assert len(told.events("messageFailed")) == 1


def test_partly_refused_mail_counts_as_sent(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    people = [{"address": "anna@example.org"}, {"address": "reject@example.org"}]
    api.post("submit", {**LETTER, "to": people})
    assert sandbox.wait_until_idle()
    (sent,) = told.events("messageSent")
    assert sent["data"]["envelope"]["to"] == ["anna@example.org", "reject@example.org"]
    assert not told.events("messageDeliveryError")


def test_wrong_smtp_password_fails_for_good(
    sandbox: Sandbox, connect: Connect, told: WebhookReceiver
) -> None:
    wrong = {"auth": {"user": "lisa@example.com", "pass": "wrong"}, "host": "mx", "port": 25}
    api = connect(sandbox, "lisa", smtp=wrong)
    api.post("submit", LETTER)
    assert sandbox.wait_until_idle()
    (error,) = told.events("messageDeliveryError")
    assert (error["data"]["errorCode"], error["data"]["smtpCommand"]) == ("EAUTH", "AUTH PLAIN")
    assert told.events("messageFailed")
    account = api.get("")
    assert account["state"] == "connected"
    assert account["smtpStatus"]["code"] == "EAUTH"


def test_account_that_cannot_read_can_send(sandbox: Sandbox, connect: Connect) -> None:
    server = {"host": "mx", "port": 25, "secure": False}
    login = {**server, "auth": {"user": "sales@example.com", "pass": "secret"}}
    api = connect(sandbox, "sales", password="wrong", smtp=login)
    api.post("submit", LETTER)
    assert sandbox.wait_until_idle()
    assert len(_inbox(sandbox, "anna@example.org")) == 1


def test_rule_decides_what_becomes_of_an_address(
    sandbox: Sandbox, api: EngineApi, told: WebhookReceiver
) -> None:
    sandbox.control("POST", "/addresses", {"pattern": "anna@*", "outcome": "reject"})
    api.post("submit", LETTER)
    assert sandbox.wait_until_idle()
    assert told.events("messageFailed")
    sandbox.control("DELETE", "/addresses")
    api.post("submit", LETTER)
    assert sandbox.wait_until_idle()
    assert len(_inbox(sandbox, "anna@example.org")) == 1


def test_reply_answers_the_original(sandbox: Sandbox, api: EngineApi) -> None:
    extra = "References: <root@example.com>\nReply-To: private@example.org\n"
    ids = deliver(sandbox, mail("Boats", "<a@example.org>", "How much?\n", extra))
    reference = {"message": ids["id"], "action": "reply", "inline": True}
    answer = api.post("submit", {"reference": reference, "text": "Ten"})
    assert answer["reference"]["success"] is True
    assert sandbox.wait_until_idle()
    (received,) = _inbox(sandbox, "private@example.org")
    assert received["subject"] == "Re: Boats"
    assert received["inReplyTo"] == "<a@example.org>"
    assert received["headers"]["references"] == ["<root@example.com> <a@example.org>"]
    assert "> How much?" in received["text"]["plain"]
    assert "\\Answered" in api.get(f"message/{ids['id']}")["flags"]


def test_forward_takes_the_attachments_along(sandbox: Sandbox, api: EngineApi) -> None:
    file = {"filename": "a.txt", "content": base64.b64encode(b"content").decode()}
    uploaded = api.upload(attachments=[file])
    reference = {"message": uploaded["id"], "action": "forward", "forwardAttachments": True}
    body = {"reference": reference, "to": [{"address": "bo@example.org"}], "text": "FYI"}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    (received,) = _inbox(sandbox, "bo@example.org")
    assert received["subject"] == "Fwd: A question"
    assert [one["filename"] for one in received["attachments"]] == ["a.txt"]
    assert "references" not in received["headers"]


def test_embedded_image_stays_embedded(sandbox: Sandbox, api: EngineApi) -> None:
    image = {
        "filename": "bild å.png",
        "content": "iVBORw==",
        "contentType": "image/png",
        "cid": "logo@example.com",
        "contentDisposition": "inline",
    }
    body = {**LETTER, "html": '<img src="cid:logo@example.com">', "attachments": [image]}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    (entry,) = _inbox(sandbox, "anna@example.org")[0]["attachments"]
    assert (entry["embedded"], entry["inline"]) == (True, True)
    assert entry["contentId"] == "<logo@example.com>"
    assert entry["filename"] == "bild å.png"


def test_bcc_is_delivered_and_hidden(sandbox: Sandbox, api: EngineApi) -> None:
    api.post("submit", {**LETTER, "bcc": [{"address": "boss@example.com"}]})
    assert sandbox.wait_until_idle()
    (received,) = _inbox(sandbox, "boss@example.com")
    assert "bcc" not in received
    assert "bcc" not in received["headers"]


@pytest.mark.parametrize("length", [5_242_880, 5_242_884])
def test_attachment_limit_counts_base64(api: EngineApi, length: int) -> None:
    file = {"filename": "a", "content": "A" * length}
    response = api.request("POST", "submit", json={**LETTER, "attachments": [file]})
    assert response.status_code == (200 if length == 5_242_880 else 400)


def test_key_is_remembered_over_a_restart(make_sandbox: MakeSandbox, connect: Connect) -> None:
    sandbox = make_sandbox()
    key = {"Idempotency-Key": "crm-1"}
    first = connect(sandbox).post("submit", LETTER, headers=key)
    assert sandbox.wait_until_idle()
    sandbox.stop()
    again = make_sandbox()
    api = EngineApi(again.url, again.token, "support")
    second = api.post("submit", LETTER, headers=key)
    api.close()
    assert second["queueId"] == first["queueId"]
    assert second["idempotency"] == {"key": "crm-1", "status": "HIT"}
    assert len(_inbox(again, "anna@example.org")) == 1


def test_header_injection_is_harmless(sandbox: Sandbox, api: EngineApi) -> None:
    body = {**LETTER, "subject": "a\r\nBcc: evil@example.org", "headers": {"X-A": "b\nX-C: d"}}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    (received,) = _inbox(sandbox, "anna@example.org")
    assert received["subject"] == "a Bcc: evil@example.org"
    assert "x-c" not in received["headers"]


def _inbox(sandbox: Sandbox, address: str) -> list[dict[str, object]]:
    found = sandbox.control("GET", f"/mailboxes/{address}/messages?path=INBOX")
    messages: list[dict[str, object]] = found["messages"]
    return messages
