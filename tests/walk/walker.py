"""Calls endpoints, remembers what was sent and answered, and makes a table and examples of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from limepkg_email.reference.demo import Demo

PATIENCE = 30.0
_LONG = 300


@dataclass(frozen=True)
class Call:
    """One call as it was made; `path` is the one of the documentation."""

    method: str
    path: str
    status: int
    request: Any
    response: Any
    line: str

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Walker:
    """Somebody with a key for the API of the demo."""

    demo: Demo
    keys: Mapping[str, str]
    calls: list[Call] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.demo.url}/demo/limepkg-email"

    def call(
        self,
        method: str,
        path: str,
        *ids: object,
        who: str = "admin",
        body: Any = None,
        file: bytes | None = None,
        expected: Iterable[int] = (200, 201, 202, 204),
        **query: object,
    ) -> Any:
        """Make a call; `ids` fill the braces of the path. Gives the JSON, or the text.

        With a `file` the body is a form.
        """
        parts = iter(ids)
        concrete = "/".join(
            str(next(parts)) if part.startswith("{") else part for part in path.split("/")
        )
        headers = {"x-api-key": self.keys[who]} if who else {}
        body = {} if body is None and method == "POST" else body
        answer = requests.request(
            method,
            self.base + concrete,
            params={name: str(value) for name, value in query.items()},
            json=body if file is None else None,
            data=None if file is None else {"message": json.dumps(body)},
            files=None if file is None else {"files": ("order.txt", file)},
            headers=headers,
            timeout=30,
        )
        assert answer.status_code in expected, (method, concrete, answer.status_code, answer.text)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        found = answer.json() if is_json and answer.content else answer.text
        line = " ".join(answer.text.split())[:_LONG]
        self.calls.append(Call(method, path, answer.status_code, body, found, line))
        return found

    def note(self, method: str, path: str, status: int, request: Any, text: str) -> None:
        """Remember a call that was made in another way."""
        self.calls.append(Call(method, path, status, request, text, text))

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        """Ask again and again until there is something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = found()
            if answer:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"waited in vain: {what}")

    def ended(self, task: str) -> Any:
        """Wait for a task to end and give it."""

        def asked() -> Any:
            run = self.call("GET", "/task/{task_id}/", task)
            return run if run["status"] in ("SUCCESS", "FAILURE") else None

        found = self.until(f"task {task}", asked)
        assert found["status"] == "SUCCESS", found
        return found


def first_calls(calls: Iterable[Call]) -> dict[str, Call]:
    """The first call of each endpoint."""
    found: dict[str, Call] = {}
    for each in calls:
        found.setdefault(each.endpoint, each)
    return found


def table(calls: Mapping[str, Call], order: Iterable[str], width: int = 100) -> str:
    """Method, path, status and one line of the answer."""
    rows = []
    for endpoint in order:
        call = calls[endpoint]
        rows.append(f"{call.method:6} {call.path:40} {call.status}  {call.line[:width]}".rstrip())
    return "\n".join(rows)


def examples(calls: Mapping[str, Call]) -> str:
    """What was sent and answered, shortened, as the OpenAPI document shows it."""
    found = {}
    for endpoint, call in sorted(calls.items()):
        entry: dict[str, Any] = {"status": call.status}
        if call.request:
            entry["request"] = shortened(call.request)
        if isinstance(call.response, (dict, list)):
            entry["response"] = shortened(call.response)
        found[endpoint] = entry
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def shortened(value: Any) -> Any:
    """The same with at most two entries in each list and no long texts."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value[:2]]
    if isinstance(value, str) and len(value) > _LONG:
        return value[: _LONG - 1] + "…"
    return value
