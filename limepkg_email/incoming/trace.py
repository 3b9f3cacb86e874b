"""The decision trace: what was decided about a mail, in order, so that a person can see why."""

from __future__ import annotations

from dataclasses import dataclass, field

_MAX_STEPS = 200
_MAX_DETAIL = 1000


@dataclass(slots=True)
class Trace:
    """Collects the decisions of one import; bounded, because a hostile mail must not fill a row."""

    steps: list[dict[str, str]] = field(default_factory=list)

    def note(self, step: str, detail: str) -> None:
        """Add a decision: a stable name of the step and a sentence or value."""
        if len(self.steps) < _MAX_STEPS:
            self.steps.append({"step": step, "detail": detail[:_MAX_DETAIL]})
