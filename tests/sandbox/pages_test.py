"""The pages show each mailbox as its owner sees it, and let one write as that person."""

import re

import requests

from limepkg_email.sandbox import Sandbox
from limepkg_email.testing.engine_api import EngineApi
from tests.sandbox.conftest import deliver, mail
from tests.sandbox.submit_test import LETTER


def page(sandbox: Sandbox, path: str, status: int = 200) -> str:
    response = requests.get(f"{sandbox.url}{path}", timeout=5)
    assert response.status_code == status
    assert "script-src 'none'" in response.headers["Content-Security-Policy"]
    return response.text


def test_mailboxes_are_listed(sandbox: Sandbox, api: EngineApi) -> None:
    requests.post(f"{sandbox.url}/mailboxes", data={"address": "anna@example.org"}, timeout=5)
    text = page(sandbox, "/")
    assert "anna@example.org" in text
    assert "support: connected" in text
    assert "Nothing here." in page(sandbox, "/mailbox/anna@example.org")
    assert requests.get(f"{sandbox.url}/mailbox/x@example.org", timeout=5).status_code == 404


def test_customer_writes_and_the_answer_threads(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/mailboxes", {"address": "anna@example.org", "name": "Anna"})
    form = {"to": "support@example.com", "subject": "Båtar", "text": "Hur mycket?", "name": "Anna"}
    files = {"files": ("ritning å.txt", b"content", "text/plain")}
    address = f"{sandbox.url}/mailbox/anna@example.org/write"
    response = requests.post(address, data=form, files=files, timeout=5)
    assert response.url.startswith(f"{sandbox.url}/mailbox/anna@example.org/mail/")
    assert "Sent to support@example.com" in response.text
    (item,) = api.get("messages", path="INBOX")["messages"]
    assert item["subject"] == "Båtar"
    assert item["from"] == {"name": "Anna", "address": "anna@example.org"}
    assert item["attachments"][0]["filename"] == "ritning å.txt"
    answer = {"message": item["id"], "action": "reply"}
    api.post("submit", {"reference": answer, "html": "<p>Ten</p><script>evil()</script>"})
    assert sandbox.wait_until_idle()
    inbox = page(sandbox, "/mailbox/anna@example.org")
    assert inbox.count('class="thread') == 2
    assert "(2)" in inbox
    row = re.findall(r"/mail/(\d+)", inbox)[0]
    thread = page(sandbox, f"/mailbox/anna@example.org/mail/{row}")
    assert thread.count("<article") == 2
    reply = {"to": "support@example.com", "subject": "Re: Båtar", "text": "Ja", "reply": row}
    requests.post(address, data={**reply, "quote": "1"}, timeout=5)
    newest = api.get("messages", path="INBOX")["messages"][0]
    assert newest["inReplyTo"]
    shown = api.get(f"message/{newest['id']}", textType="*")
    assert len(shown["headers"]["references"][0].split()) == 2
    assert "> Ten" in shown["text"]["plain"]


def test_mail_is_shown_in_a_frame_that_cannot_act(sandbox: Sandbox, api: EngineApi) -> None:
    body = {**LETTER, "html": '<p onclick="x()">Hi<script>evil()</script></p>'}
    api.post("submit", body)
    assert sandbox.wait_until_idle()
    row = re.findall(r"/mail/(\d+)", page(sandbox, "/mailbox/anna@example.org"))[0]
    path = f"/mailbox/anna@example.org/mail/{row}"
    assert '<iframe sandbox="allow-popups' in page(sandbox, path)
    response = requests.get(f"{sandbox.url}{path}/body", timeout=5)
    assert "script" not in response.text
    assert "onclick" not in response.text
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_names_from_mail_are_escaped(sandbox: Sandbox, api: EngineApi) -> None:
    deliver(sandbox, mail("<script>alert(1)</script>"), "anna@example.org")
    text = page(sandbox, "/mailbox/anna@example.org")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_attachment_is_always_a_download(sandbox: Sandbox, api: EngineApi) -> None:
    file = {"filename": "a.html", "content": "PGI+", "contentType": "text/html"}
    api.post("submit", {**LETTER, "attachments": [file]})
    assert sandbox.wait_until_idle()
    row = re.findall(r"/mail/(\d+)", page(sandbox, "/mailbox/anna@example.org"))[0]
    address = f"{sandbox.url}/mailbox/anna@example.org/mail/{row}/file/2"
    response = requests.get(address, timeout=5)
    assert response.content == b"<b>"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["Content-Type"] == "application/octet-stream"


def test_wrong_recipients_are_explained(sandbox: Sandbox, api: EngineApi) -> None:
    sandbox.control("POST", "/mailboxes", {"address": "anna@example.org"})
    address = f"{sandbox.url}/mailbox/anna@example.org/write"
    for to in ("", "nonsense", "reject@example.org", "x@elsewhere.com"):
        response = requests.post(address, data={"to": to, "text": "kept"}, timeout=5)
        assert 'role="alert"' in response.text
        assert "kept" in response.text


def test_other_sites_cannot_write(sandbox: Sandbox, api: EngineApi) -> None:
    address = f"{sandbox.url}/mailbox/support@example.com/write"
    headers = {"Origin": "https://evil.example.com"}
    response = requests.post(address, data={"to": "a@example.org"}, headers=headers, timeout=5)
    assert response.status_code == 403


def test_browser_tells_where_its_own_forms_come_from(sandbox: Sandbox, api: EngineApi) -> None:
    response = requests.get(f"{sandbox.url}/mailbox/support@example.com/write", timeout=5)
    # With `no-referrer` browsers send `Origin: null`, which is refused.
    assert response.headers["Referrer-Policy"] == "same-origin"
    data = {"to": "anna@example.org", "text": "x"}
    headers = {"Origin": sandbox.url}
    answer = requests.post(response.url, data=data, headers=headers, timeout=5)
    assert answer.status_code == 200
