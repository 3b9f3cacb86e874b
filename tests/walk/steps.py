"""The steps: every endpoint of the specification, in its order, and then the additions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import smtplib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from .walker import Walker

SPECIFIED = (
    "GET /user/account/",
    "POST /account/",
    "GET /account/",
    "DELETE /account/",
    "PUT /account/",
    "PUT /account/{account_id}/",
    "POST /account/form/",
    "POST /conversation/",
    "GET /messages/documents",
    "POST /message/{account_id}/",
    "GET /failed-messages/{account_id}/",
    "POST /force-reload-message/{message_id}/",
    "POST /oauth_app/",
    "GET /oauth_app/",
    "DELETE /oauth_app/{oauth_app_id}",
    "PUT /oauth_app/{oauth_app_id}",
    "POST /sync/",
    "POST /template/",
    "GET /template/",
    "GET /default_template/",
    "GET /template/{id}/",
    "DELETE /template/{id}/",
    "PUT /template/{id}/",
    "GET /preview-template/{template_id}/",
    "GET /time-zone/",
    "POST /recovery/start/",
    "POST /webhook/",
)
"""The endpoints of the specification in its order; what a path's number is called is ours."""


def walk(walker: Walker, secret: str, sandbox: Any) -> None:
    """Go through all of it; `secret` is the one that webhooks are signed with."""
    account = accounts(walker)
    templates(walker, account)
    oauth_apps(walker)
    tasks(walker)
    writing(walker, account)
    reading(walker)
    failures(walker, account, sandbox)
    administration(walker)
    webhook(walker, secret)


def accounts(walker: Walker) -> int:
    walker.call("GET", "/user/account/", who="agent")
    walker.call("GET", "/users/")
    link = walker.call(
        "POST",
        "/account/form/",
        body={"email": "sales@example.com", "name": "Sales", "type": "imap", "enabled": False},
    )
    said = fill_in(link["url"], "sales@example.com")
    walker.call("GET", "/account/connected/", who="", account=said["account"], state=said["state"])
    made = walker.call(
        "POST", "/account/", body={"token": said["token"], "account": said["account"]}
    )["account"]
    walker.call("GET", "/account/")
    walker.call("GET", "/account/{account_id}/", made["id"])
    walker.call("GET", "/account/{account_id}/preview/", made["id"])
    walker.call(
        "PUT",
        "/account/{account_id}/",
        made["id"],
        body={"name": "Sales desk", "time_zone": "Europe/Stockholm", "language": "sv"},
    )
    walker.call("PUT", "/account/", body={"accounts": [made["id"]], "enabled": True})
    walker.call("DELETE", "/account/", body={"accounts": [made["id"]]})
    return 1


def fill_in(link: str, email: str) -> dict[str, str]:
    """Fill the engine's form in as a person; gives what the redirect address says."""
    first = requests.get(link, timeout=10, allow_redirects=False)
    data = {"email": email, "name": "Sales", "password": "right"}
    page = requests.post(first.headers.get("location", link), data=data, timeout=10).text
    found = re.search(r'id="continue" href="([^"]+)"', page)
    assert found, page
    query = parse_qs(urlsplit(unescape(found[1])).query)
    return {name: value[0] for name, value in query.items()}


def templates(walker: Walker, account: int) -> None:
    body = {
        "name": "Thanks",
        "purpose": "message",
        "language": "en",
        "subject": "Re: {{ conversation.subject }}",
        "body": "<p>Hello {{ recipient.name }},</p><p>thank you for your message.</p>",
    }
    made = walker.call("POST", "/template/", body=body)
    walker.call("GET", "/template/", purpose="message")
    walker.call("POST", "/default_template/", body={"language": "sv"})
    walker.call("GET", "/default_template/", purpose="autoreply", language="sv")
    walker.call("GET", "/template/{id}/", made["id"])
    changed = {**body, "name": "Many thanks", "version": made["version"]}
    walker.call("PUT", "/template/{id}/", made["id"], body=changed)
    walker.call("GET", "/preview-template/{template_id}/", made["id"], missing="recipient.name")
    walker.call(
        "POST",
        "/preview-template/",
        body={"subject": "Hello", "body": "<p>{{ parent.title }}</p>", "language": "en"},
    )
    walker.call(
        "GET", "/template/{id}/render/", made["id"], who="agent", conversation=1, account=account
    )
    walker.call("GET", "/template-placeholders/", language="en")
    walker.call("DELETE", "/template/{id}/", made["id"])


def oauth_apps(walker: Walker) -> None:
    walker.call("GET", "/oauth_app/")
    made = walker.call(
        "POST",
        "/oauth_app/",
        body={
            "name": "Google",
            "provider": "gmail",
            "client_id": "1234.apps.example.com",
            "client_secret": "a-made-up-secret",
            "base_scopes": "imap",
        },
    )
    walker.call("PUT", "/oauth_app/{oauth_app_id}", made["id"], body={"name": "Google Workspace"})
    walker.call("DELETE", "/oauth_app/{oauth_app_id}", made["id"], dry_run="true")
    walker.call("DELETE", "/oauth_app/{oauth_app_id}", made["id"])


def tasks(walker: Walker) -> None:
    started = walker.call("POST", "/sync/", body={"dry_run": False})
    walker.ended(started["id"])
    started = walker.call("POST", "/recovery/start/", body={"accounts": [1]})
    walker.ended(started["id"])
    walker.call("GET", "/task/", ids=started["id"])
    report = walker.call("GET", "/recovery/report/", account=1)
    assert report["items"][0]["unaccounted"] == 0
    walker.call("GET", "/time-zone/", who="agent")


def writing(walker: Walker, account: int) -> None:
    begun = walker.call(
        "POST",
        "/conversation/",
        who="agent",
        body={
            "account": account,
            "subject": "Your order",
            "html": "<p>Hello Bo, it is on its way.</p>",
            "recipients": [{"email": "bo@example.org", "name": "Bo Berg"}],
        },
    )
    conversation = begun["conversation"]
    walker.call("GET", "/composer/", who="agent", conversation=conversation)
    walker.call("GET", "/recipients/", who="agent", q="anna", conversation=conversation)
    draft = {"conversation": conversation, "version": 0, "content": {"html": "<p>By the way</p>"}}
    walker.call("PUT", "/draft/", who="agent", body=draft)
    attached = {"conversation": conversation}
    files = [
        walker.call("POST", "/draft/file/", who="agent", body=attached, file=content)["id"]
        for content in (b"one", b"two")
    ]
    walker.call("DELETE", "/draft/file/{file_id}/", files[0], who="agent")
    walker.call("GET", "/draft/", who="agent", conversation=conversation)
    walker.call("DELETE", "/draft/", who="agent", conversation=conversation)
    later = walker.call(
        "POST",
        "/message/{account_id}/",
        account,
        who="agent",
        body={
            "conversation": conversation,
            "html": "<p>One more thing.</p>",
            "send_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds"),
        },
    )
    follower = walker.call(
        "POST",
        "/follower/",
        who="agent",
        body={"conversation": conversation, "email": "lisa@example.net", "name": "Lisa Lind"},
    )
    walker.call("PUT", "/follower/{follower_id}/", follower["id"], body={"active": False})
    messagefollower = later["messagefollowers"][0]
    walker.call("POST", "/message-follower/{messagefollower_id}/cancel/", messagefollower)
    walker.call("POST", "/message-follower/{messagefollower_id}/resend/", messagefollower)
    soon = walker.call(
        "POST",
        "/message/{account_id}/",
        account,
        who="agent",
        body={"conversation": conversation, "html": "<p>Never mind.</p>", "undo": True},
    )
    walker.call("POST", "/message/{message_id}/cancel/", soon["conversationmessage"])
    walker.call(
        "POST",
        "/message/{message_id}/forward/",
        begun["conversationmessage"],
        who="agent",
        body={"recipients": [{"email": "anna@example.org"}], "html": "<p>For you.</p>"},
    )
    walker.call("POST", "/message/{message_id}/split/", soon["conversationmessage"], body={})
    moved = walker.call(
        "POST",
        "/message/{message_id}/move/",
        soon["conversationmessage"],
        body={"conversation": conversation},
    )
    walker.call(
        "POST",
        "/conversation/{conversation_id}/merge/",
        conversation,
        body={"conversation": moved["source"]},
        expected=(200, 404),
    )
    snippet = walker.call("POST", "/snippet/", body={"title": "Hours", "text": "<p>9 to 17</p>"})
    walker.call("GET", "/snippet/", who="agent", title="hou")
    walker.call("GET", "/snippet/{id}/", snippet["id"])
    changed = {"title": "Opening hours", "text": "<p>9 to 17</p>"}
    walker.call("PUT", "/snippet/{id}/", snippet["id"], body=changed)
    walker.call("DELETE", "/snippet/{id}/", snippet["id"])
    walker.call("PUT", "/signature/", who="agent", body={"signature": "<p>Alva, support</p>"})
    walker.call("GET", "/signature/", who="agent")


def feed(walker: Walker, conversation: int) -> Any:
    return walker.call("GET", "/feed/", who="agent", limetype="conversation", id=conversation)


def reading(walker: Walker) -> None:
    first = feed(walker, 1)["items"][-1]["id"]
    walker.call("GET", "/unread/", who="agent", limetype="helpdesk", ids="1,2,3")
    walker.call("POST", "/read/", who="agent", body={"conversation": 1, "read": True})
    walker.call("GET", "/message/{message_id}/body", first, who="agent")
    walker.call("GET", "/message/{message_id}/trace/", first, who="agent")
    walker.call("POST", "/force-reload-message/{message_id}/", first, who="agent")
    ids = ",".join(str(number) for number in range(1, 15))
    walker.call("GET", "/messages/documents", who="agent", ids=ids)
    shown = re.search(r"/embedded-file/(\d+)/(\d+)/([\w-]+)", bodies(walker))
    assert shown, "no sample shows a picture"
    walker.call("GET", "/embedded-file/{file_id}", shown[1], who="agent")
    walker.call("GET", "/embedded-file/{file_id}/{until}/{signature}", *shown.groups(), who="")


def bodies(walker: Walker) -> str:
    pages = (
        walker.call("GET", "/message/{message_id}/body", number, who="agent", expected=(200, 404))
        for number in range(1, 15)
    )
    return "".join(map(str, pages))


def failures(walker: Walker, account: int, sandbox: Any) -> None:
    fault = {"action": "refuse", "method": "GET", "status": 400, "times": 100}
    sandbox("POST", "/faults", {**fault, "path": "/v1/account/support/*"})
    deliver(walker, "Cannot be read")
    deliver(walker, "Cannot be read either")

    def listed() -> Any:
        found = walker.call("GET", "/failed-messages/{account_id}/", account)["items"]
        return found if len(found) == 2 else None

    failed = walker.until("two failed mails", listed)
    sandbox("DELETE", "/faults")
    # The first answer was an empty list, which shows nothing.
    walker.calls = [
        each
        for each in walker.calls
        if each.path != "/failed-messages/{account_id}/" or each.response["items"]
    ]
    walker.call("GET", "/failed-message/{receipt_id}/raw", failed[0]["id"])
    walker.call("POST", "/failed-messages/retry/", body={"ids": [failed[0]["id"]]})
    walker.call("POST", "/failed-messages/discard/", body={"ids": [failed[1]["id"]]})
    walker.until(
        "the mail that was tried again",
        lambda: (
            walker.call("GET", "/receipts/", text=failed[0]["subject"])["items"][0]["disposition"]
            == "imported"
        ),
    )
    walker.call("GET", "/receipt/{receipt_id}/", failed[0]["id"])


def deliver(walker: Walker, subject: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bo@example.org", "support@example.com", subject
    mail.set_content("See the file.")
    mail.add_attachment(b"x" * 100, maintype="application", subtype="pdf", filename="x.pdf")
    with smtplib.SMTP(*walker.demo.smtp, timeout=60) as server:
        server.send_message(mail)


def administration(walker: Walker) -> None:
    walker.call("GET", "/settings/")
    walker.call("PUT", "/settings/", body={"vacuum_cleaner_grace_period": 3})
    walker.call("GET", "/extension/")
    walker.call("PUT", "/extension/", body={"name": "none", "enabled": False}, expected=(404,))
    walker.call("GET", "/setup/")
    walker.call("POST", "/setup/")
    walker.call("GET", "/log/")
    walker.call("GET", "/audit/")
    walker.call("GET", "/jobs/")
    walker.call("POST", "/jobs/retry/", body={"ids": [1]})
    walker.call("GET", "/metrics", expected=(200, 404))
    walker.call("GET", "/health/engine")
    walker.call("GET", "/health", who="")
    walker.call("GET", "/openapi.json", who="")
    walker.call("GET", "/documentation/", who="")
    walker.call("GET", "/documentation/{file}", "page.js", who="")


def webhook(walker: Walker, secret: str) -> None:
    event = {
        "account": "support",
        "date": "2026-11-22T12:00:00.000Z",
        "event": "accountInitialized",
        "data": {"initialized": True},
    }
    body = json.dumps(event).encode()
    signature = base64.urlsafe_b64encode(
        hmac.new(secret.encode(), body, hashlib.sha256).digest()
    ).decode()
    answer = requests.post(
        walker.base + "/webhook/",
        data=body,
        headers={"Content-Type": "application/json", "X-EE-Wh-Signature": signature.rstrip("=")},
        timeout=10,
    )
    assert answer.status_code in (202, 204), answer.text
    walker.note("POST", "/webhook/", answer.status_code, event, answer.text)
