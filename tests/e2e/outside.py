"""The world outside the CRM: customers with their mailboxes, and the engine's moods."""

from __future__ import annotations

import json
import smtplib
from base64 import b64decode
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.request import Request, urlopen

from limepkg_email.reference.demo import STATE_FILE, SUPPORT, Demo


class Outside:
    """What happens beyond the CRM, told to the sandbox engine and its SMTP server."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    def deliver(self, subject: str, text: str, html: str = "", **headers: str) -> None:
        """A customer writes to the support, or `to`; `headers` as `In_Reply_To="<a@b>"`."""
        mail = EmailMessage()
        mail["From"] = headers.pop("sender", "Anna Andersson <anna@example.org>")
        mail["To"], mail["Subject"] = headers.pop("to", SUPPORT), subject
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        self.post(mail)

    def post(self, *mails: EmailMessage) -> None:
        """Hand mails in to the support's server as they are."""
        with smtplib.SMTP(*self._demo.smtp, timeout=60) as door:
            for each in mails:
                door.send_message(each)

    def mails(self, address: str, text: str) -> list[EmailMessage]:
        """Give the mails in somebody's mailbox whose HTML has this text."""
        raw = self.control(f"/mailboxes/{address}/messages?raw=true")["messages"]
        parsed = [message_from_bytes(b64decode(each["raw"]), policy=policy.default) for each in raw]
        return [each for each in parsed if text in html_of(each)]

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox for something."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(
            Request(f"{self._demo.engine_url}/control{path}", data, headers), timeout=60
        ) as answer:
            return json.load(answer)

    def control_delete(self, path: str) -> None:
        """Take back what was ordered of the sandbox."""
        urlopen(
            Request(f"{self._demo.engine_url}/control{path}", method="DELETE"), timeout=60
        ).close()

    def make_in_engine(self, path: str, body: dict[str, Any]) -> None:
        """Make something at the engine by its own API, past the CRM."""
        kept = json.loads((self._demo.options.directory / STATE_FILE).read_text("utf-8"))
        authorization = f"Bearer {kept['token']}"
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        address = f"{self._demo.engine_url}/v1/{path}"
        urlopen(Request(address, json.dumps(body).encode(), headers), timeout=60).close()

    def fail_once(self, path: str, status: int, times: int = 1) -> None:
        """Let the engine refuse the next requests to a path."""
        fault = {"action": "refuse", "path": path, "status": status, "times": times}
        self.control("/faults", fault)


def html_of(mail: EmailMessage) -> str:
    """Give a mail's HTML, or nothing."""
    body = mail.get_body(("html",))
    return body.get_content() if body is not None else ""
