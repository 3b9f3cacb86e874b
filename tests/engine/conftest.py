"""Captures of a real EmailEngine, and a small HTTP server that answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from limepkg_email.engine.client import EngineClient

CAPTURES = Path(__file__).parent / "captures"
TOKEN = "f00d" * 16


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds of silence before the answer."""
    cut: int | None = None
    """Send so many bytes of the body only, then close the connection."""
    drop: bool = False
    """Close the connection without a word."""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class ScriptedServer:
    """Answers requests in the order of `script`, then with 200 and an empty object."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.asked: list[Asked] = []
        self.connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True  # the client went away, as a test wanted

            def answer(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(sent) if sent else None
                outer.asked.append(Asked(self.command, self.path, headers, body))
                answer = outer.script.pop(0) if outer.script else Answer()
                time.sleep(answer.delay)
                self.close_connection = answer.drop or answer.cut is not None
                if answer.drop:
                    return
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.content)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.content[: answer.cut])

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64  # with 5, threads that connect together wait a second

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def will(self, *answers: Answer) -> None:
        self.script.extend(answers)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def session_without_environment() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the machine must not stand between test and server
    return session


def capture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text("utf-8"))
    return found


def captured_answer(name: str) -> Answer:
    response = capture(name)["response"]
    kept = ("x-ratelimit", "content-disposition")
    headers = {k: v for k, v in response.get("headers", {}).items() if k.startswith(kept)}
    body = response["body"]
    return Answer(response["status"], body.encode() if isinstance(body, str) else body, headers)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def make_client(server: ScriptedServer) -> Iterator[Callable[..., EngineClient]]:
    made: list[EngineClient] = []

    def make(url: str = server.url, **options: Any) -> EngineClient:
        options.setdefault("session_factory", session_without_environment)
        made.append(EngineClient(url, TOKEN, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., EngineClient]) -> EngineClient:
    return make_client()
