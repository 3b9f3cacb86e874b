"""The decision trace: what was decided about a mail, in order, so that a person can see why.

`incoming.why` reads it back and makes sentences of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_MAX_STEPS = 200
_MAX_DETAIL = 1000
_MAX_ITEMS = 50

JOBS = "jobs"
"""The fact of a failed mail's trace that names the jobs which failed with it."""

Step = dict[str, Any]
"""One decision as it is stored: `step` and `detail`, and `code` and `facts` where it has them."""


@dataclass(slots=True)
class Trace:
    """Collects the decisions of one import; bounded, because a hostile mail must not fill a row."""

    steps: list[Step] = field(default_factory=list)

    def note(self, step: str, detail: str, code: str = "", **facts: object) -> None:
        """Add a decision: a stable name of the step and a sentence or value.

        `code` is a stable name of what was decided and `facts` the values in it, as JSON: who may
        read them is found out from their names, so `conversation` is always an id of one.
        """
        if len(self.steps) >= _MAX_STEPS:
            return
        noted: Step = {"step": step, "detail": detail[:_MAX_DETAIL]}
        if code:
            noted |= {"code": code, "facts": _bounded(facts)}
        self.steps.append(noted)


def failed_jobs(steps: Iterable[Step]) -> list[int]:
    """Give the jobs that failed with the mail."""
    return [int(job) for each in steps for job in each.get("facts", {}).get(JOBS, ())]


def _bounded(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: _short(value) for name, value in facts.items()}


def _short(value: object) -> object:
    if isinstance(value, str):
        return value[:_MAX_DETAIL]
    if isinstance(value, list | tuple):
        return [_short(each) for each in value[:_MAX_ITEMS]]
    return value
