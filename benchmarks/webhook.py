"""The webhook's answer against a bare Flask handler that inserts one row, and its latency."""

from __future__ import annotations

import http.client
import io
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, request
from sqlalchemy import insert

from benchmarks.importing import application
from benchmarks.mails import webhook_body
from benchmarks.measuring import cost
from limepkg_email.db import table
from limepkg_email.engine.webhook import signature
from limepkg_email.models import Job
from limepkg_email.reference.server import WebServer
from tests.installation import NOW, SERVICE_SECRET, Installation

PATH = "/demo/limepkg-email/webhook/"
BARE = "/bare"


@contextmanager
def crm() -> Iterator[tuple[Installation, Flask]]:
    """A CRM with the integration mounted and, beside it, the bare handler."""
    with application() as installation:
        app = Flask("crm")
        installation.integration.register_blueprint(app)
        engine, jobs = installation.services.application.database, table(Job)

        @app.post(BARE)
        def bare() -> tuple[str, int]:
            with engine.begin() as connection:
                connection.execute(
                    insert(jobs),
                    {
                        "task": "bare",
                        "payload": request.get_data(as_text=True),
                        "state": "done",
                        "attempts": 0,
                        "run_at": NOW,
                        "created_at": NOW,
                    },
                )
            return "", 202

        yield installation, app


def against_floor(count: int) -> dict[str, float]:
    """Give the processor milliseconds of our answer and of the bare handler's, in turns."""
    with crm() as (_, app):
        spent = {PATH: 0.0, BARE: 0.0}
        for batch in range(10):
            numbers = range(batch * count // 10, (batch + 1) * count // 10)
            for path in (PATH, BARE) if batch % 2 else (BARE, PATH):
                requests = [_environment(path, number) for number in numbers]
                with cost() as taken:
                    for each in requests:
                        _call(app, each)
                if batch:  # the first one warms up
                    spent[path] += taken.cpu
        measured = count * 0.9
        return {
            "ours_ms": spent[PATH] / measured * 1000,
            "bare_ms": spent[BARE] / measured * 1000,
        }


def latency(count: int, per_second: float) -> dict[str, float]:
    """Send webhooks one after another at a steady rate over HTTP; give milliseconds."""
    with crm() as (_, app), WebServer(app, "127.0.0.1", 0) as server:
        waits = _send(server.port, count, per_second)
    ordered = sorted(waits)
    return {
        "median_ms": statistics.median(ordered) * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "worst_ms": ordered[-1] * 1000,
    }


def _send(port: int, count: int, per_second: float) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    waits = []
    begin = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
        body = webhook_body(number).encode()
        sent = time.perf_counter()
        connection.request("POST", PATH, body, _headers(body, number))
        answer = connection.getresponse()
        answer.read()
        waits.append(time.perf_counter() - sent)
        assert answer.status == 202, answer.status
    connection.close()
    return waits[10:]


def _headers(body: bytes, number: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-EE-Wh-Signature": signature(SERVICE_SECRET, body),
        "X-EE-Wh-Event-Id": f"event-{number}",
    }


def _environment(path: str, number: int) -> dict[str, Any]:
    body = webhook_body(number).encode()
    headers = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in _headers(body, number).items()
    }
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }


def _call(app: Callable[..., Any], environment: dict[str, Any]) -> None:
    statuses: list[str] = []
    answer = app(environment, lambda status, *_: statuses.append(status))
    b"".join(answer)
    answer.close()
    assert statuses[0].startswith("202"), statuses
