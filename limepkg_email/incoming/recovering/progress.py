"""How far the recovery of one account is: small enough to go from one job to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Stage(StrEnum):
    """What is looked through, in this order."""

    UNREAD = "unread"
    WINDOW = "window"
    FAILED = "failed"
    ENDED = "ended"


STAGES = tuple(Stage)


@dataclass(slots=True)
class Tally:
    """How many mails met which end; what the names mean stands at `models.AccountReport`.

    `listed` is the sum of all the others.
    """

    listed: int = 0
    known: int = 0
    imported: int = 0
    recovered: int = 0
    second_sightings: int = 0
    filtered: int = 0
    own: int = 0
    too_old: int = 0
    before_activation: int = 0
    in_grace: int = 0
    failed: int = 0
    unaccounted: int = 0

    def add(self, name: str, number: int = 1) -> None:
        """Count so many more."""
        setattr(self, name, getattr(self, name) + number)

    def count(self, name: str) -> None:
        """Count one mail that was listed."""
        self.listed += 1
        self.add(name)

    def add_all(self, others: Mapping[str, int]) -> None:
        """Add other counts."""
        for name, number in others.items():
            self.add(name, number)


MOST_CARRIED: Final = 5000
"""Digests that go from job to job; mails above may be counted in two stages."""
TALLIED = tuple(each.name for each in fields(Tally))


@dataclass(slots=True)
class Progress:
    """Where the recovery of an account is; changed as it goes on.

    `met` and `failed` are digests of keys: mails that were met in the unread mail, and those
    counted as failed, so that no later stage counts them again; at most `MOST_CARRIED` of each.
    `since` is where its window begins, `whole` says that the window is everything since the
    activation. `below` is the uid below which the stage goes on, 0 at its beginning. `error` says
    why it ended early. With `patient` failed mail is tried at growing intervals only.
    """

    started_at: datetime
    since: datetime
    whole: bool
    patient: bool
    stage: Stage = Stage.UNREAD
    below: int = 0
    error: str = ""
    tally: Tally = field(default_factory=Tally)
    met: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def next_stage(self) -> None:
        """Go to the beginning of the next stage."""
        self.stage, self.below = STAGES[STAGES.index(self.stage) + 1], 0

    def as_payload(self) -> dict[str, Any]:
        """Give it as JSON."""
        instants = {"started_at": self.started_at.isoformat(), "since": self.since.isoformat()}
        return {**asdict(self), **instants}

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Progress:
        """Read it from JSON."""
        return cls(
            **{
                **payload,
                "started_at": datetime.fromisoformat(payload["started_at"]),
                "since": datetime.fromisoformat(payload["since"]),
                "stage": Stage(payload["stage"]),
                "tally": Tally(**payload["tally"]),
            }
        )
