"""The instruments of the engine contract: the API over HTTP, and a receiver of webhooks."""

from __future__ import annotations

import http.server
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

_TIMEOUT = 30
SECRET = "shared-webhook-secret"  # noqa: S105 - the throw-away instance's


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """A webhook request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, read."""
        found: dict[str, Any] = json.loads(self.body) if self.body else {}
        return found


@dataclass(slots=True)
class WebhookReceiver:
    """A web server on loopback that keeps every webhook it gets.

    `answers` are the statuses of the next answers (0 closes the connection without one); when
    they are used up it answers 200.
    """

    answers: list[int] = field(default_factory=list)
    seconds: float = 0.0
    received: list[ReceivedWebhook] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    _server: http.server.ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> WebhookReceiver:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=5)
            self._server.server_close()

    @property
    def url(self) -> str:
        """The address for webhooks."""
        if self._server is None:
            raise RuntimeError("the receiver is not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """The events that came, those of one name or all."""
        return [
            one.json
            for one in list(self.received)
            if one.body and name in ("", one.json.get("event"))
        ]

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], *, seconds: float = _TIMEOUT
    ) -> dict[str, Any]:
        """The first event that is wanted; fails when none comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.events():
                if wanted(event):
                    return event
            time.sleep(0.02)
        names = [event["event"] for event in self.events()]
        raise AssertionError(f"the event did not come; these did: {names}")


def _handler(receiver: WebhookReceiver) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Be quiet."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            receiver.received.append(ReceivedWebhook(dict(self.headers.items()), body))
            if receiver.seconds:
                time.sleep(receiver.seconds)
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in receiver.answer_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


class EngineApi:
    """The API of an engine with its token, and the paths of one account."""

    def __init__(self, url: str, token: str, account: str) -> None:
        self.url = url.rstrip("/")
        self.account = account
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask anything under `/v1`; a path without slash is the account's."""
        if not path.startswith("/"):
            path = f"/account/{quote(self.account)}/{path}".rstrip("/")
        return self._session.request(method, f"{self.url}/v1{path}", timeout=_TIMEOUT, **options)

    def get(self, path: str, /, **query: Any) -> Any:
        """The JSON of a successful GET."""
        return checked(self.request("GET", path, params=query))

    def post(self, path: str, body: Any, **options: Any) -> Any:
        """The JSON of a successful POST."""
        return checked(self.request("POST", path, json=body, **options))

    def put(self, path: str, body: Any, /, **query: Any) -> Any:
        """The JSON of a successful PUT."""
        return checked(self.request("PUT", path, json=body, params=query))

    def delete(self, path: str, /, **query: Any) -> Any:
        """The JSON of a successful DELETE."""
        return checked(self.request("DELETE", path, params=query))

    def upload(self, path: str = "INBOX", **content: Any) -> dict[str, Any]:
        """Put a mail into a folder without sending it."""
        message_id = content.pop("messageId", None) or f"<{uuid.uuid4()}@example.org>"
        body = {
            "path": path,
            "from": {"name": "Anna Andersson", "address": "anna@example.org"},
            "to": [{"address": "support@example.com"}],
            "subject": "A question",
            "text": "Is it open today?",
            "messageId": message_id,
            **content,
        }
        found: dict[str, Any] = self.post("message", body)
        return found

    def search(self, path: str, terms: dict[str, Any]) -> list[str]:
        """Give the ids of the mails in a folder that match all terms."""
        answer = self.request("POST", "search", params={"path": path}, json={"search": terms})
        return [message["id"] for message in checked(answer)["messages"]]


def checked(response: requests.Response) -> Any:
    """Give the answer's JSON; raises for an error status."""
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    return response.json()


def letter() -> dict[str, Any]:
    """Give a small mail to submit."""
    return {"to": [{"address": "anna@example.org"}], "subject": "From CRM", "text": "Hello"}


def announces(event: dict[str, Any], message_id: str) -> bool:
    """Tell whether the event announces the mail with this Message-ID."""
    return bool(event["event"] == "messageNew" and event["data"].get("messageId") == message_id)
