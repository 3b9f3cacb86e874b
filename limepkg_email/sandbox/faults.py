"""Faults that somebody ordered: what goes wrong, how often, and where."""

import fnmatch
import itertools
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.validation import INTEGER, STRING, Field, check

ACTIONS = ("refuse", "delay", "drop", "fail", "twice")
_RULE: Mapping[str, Field] = {
    "action": Field("string", choices=ACTIONS, default="refuse"),
    "method": Field("string", default="*"),
    "path": Field("string", default="/v1/*"),
    "times": Field("integer", minimum=1, default=1),
    "status": Field("integer", minimum=100, maximum=599, default=500),
    "message": STRING,
    "code": STRING,
    "seconds": Field("any", default=0),
    "headers": Field("object"),
}
WEBHOOK_FAULTS = ("lose", "duplicate", "drop", "reorder")
_WEBHOOK: Mapping[str, Field] = dict.fromkeys(WEBHOOK_FAULTS, INTEGER)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order: do this to the next so many requests that match.

    `refuse` answers without doing the work; `drop` does the work and closes the connection;
    `fail` does the work and answers with the status; `delay` waits first; `twice` does the work
    two times and answers once.
    """

    id: int
    action: str
    method: str
    path: str
    times: int
    status: int
    seconds: float
    message: str
    code: str
    headers: tuple[tuple[str, str], ...]

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is meant."""
        return fnmatch.fnmatchcase(method, self.method.upper()) and fnmatch.fnmatchcase(
            path, self.path
        )

    def error(self) -> ApiError:
        """The answer of a refused request."""
        extra = {"code": self.code} if self.code else {}
        return ApiError(
            self.status,
            self.message or "A fault that was ordered",
            headers=dict(self.headers),
            **extra,
        )


class Faults:
    """The orders that are still open. They are not kept on disk: a restart repairs everything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._rules: list[Fault] = []
        self._webhook = dict.fromkeys(WEBHOOK_FAULTS, 0)
        self.webhooks_paused = False

    def add(self, body: Json) -> Fault:
        """Order a fault for requests."""
        values = check(body, _RULE)
        fault = Fault(
            id=next(self._numbers),
            action=values["action"],
            method=values["method"].upper(),
            path=values["path"],
            times=values["times"],
            status=values["status"],
            seconds=float(values["seconds"]),
            message=values.get("message", ""),
            code=values.get("code", ""),
            headers=tuple((str(k), str(v)) for k, v in values.get("headers", {}).items()),
        )
        with self._lock:
            self._rules.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, used up once."""
        if not self._rules:
            return None
        with self._lock:
            for index, fault in enumerate(self._rules):
                if fault.matches(method, path):
                    if fault.times > 1:
                        self._rules[index] = replace(fault, times=fault.times - 1)
                    else:
                        del self._rules[index]
                    return fault
        return None

    def order_webhook_faults(self, body: Json) -> None:
        """Order faults for the next webhooks."""
        values = check(body, _WEBHOOK)
        with self._lock:
            self._webhook.update(values)

    def take_webhook(self, kind: str) -> bool:
        """Whether the next webhook meets this fault, used up once."""
        with self._lock:
            if self._webhook[kind] <= 0:
                return False
            self._webhook[kind] -= 1
            return True

    def take_reorder(self) -> int:
        """How many webhooks to send in reverse, used up at once."""
        with self._lock:
            number, self._webhook["reorder"] = self._webhook["reorder"], 0
            return number

    @property
    def reorder(self) -> int:
        """How many webhooks are to be gathered before they are sent in reverse."""
        return self._webhook["reorder"]

    def remove(self, id_: int) -> bool:
        """Cancel one order for requests; tells whether it was still open."""
        with self._lock:
            left = [each for each in self._rules if each.id != id_]
            found = len(left) < len(self._rules)
            self._rules = left
            return found

    def clear(self) -> None:
        """Cancel all orders."""
        with self._lock:
            self._rules.clear()
            self._webhook = dict.fromkeys(WEBHOOK_FAULTS, 0)
            self.webhooks_paused = False

    def show(self) -> Json:
        """The open orders as JSON."""
        with self._lock:
            rules = [{**asdict(fault), "headers": dict(fault.headers)} for fault in self._rules]
            return {
                "requests": rules,
                "webhooks": {**self._webhook, "paused": self.webhooks_paused},
            }
