"""How much a template may do: bounded steps, text and time, whatever its author wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


class Refused(Exception):
    """The template does what it may not; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The greatest lengths in characters, number of rounds of loops, and time.

    `source` is the length of a subject or body, `output` of what becomes of it, `made` of all the
    texts made on the way, `parts` the number of values, operators and tags, `loops` how deep loops
    may be nested, `depth` expressions and blocks.
    """

    source: int = 50_000
    parts: int = 5_000
    output: int = 1_000_000
    made: int = 20_000_000
    rounds: int = 10_000
    loops: int = 3
    depth: int = 40
    seconds: float = 2.0


class Budget:
    """What is left of the limits while one template is rendered."""

    __slots__ = ("_clock", "_deadline", "_limits", "_made", "_output", "_rounds", "line")

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._deadline = clock() + limits.seconds
        self._made = self._rounds = self._output = 0
        self.line = 0
        """Where the template is, as far as is known."""

    def tick(self) -> None:
        """Refuse to go on once the time is up."""
        if self._clock() > self._deadline:
            raise Refused(f"The template takes longer than {self._limits.seconds:g} seconds.")

    def make(self, length: int) -> None:
        """Account for a text before it is made, so that a huge one is never made."""
        self.tick()
        self._made += length
        if length > self._limits.output or self._made > self._limits.made:
            raise Refused(
                f"The template makes texts of more than {self._limits.output:,} characters."
            )

    def write(self, length: int) -> None:
        """Account for text that is written."""
        self.tick()
        self._output += length
        if self._output > self._limits.output:
            raise Refused(f"The result is longer than {self._limits.output:,} characters.")

    def counted(self, items: Iterable[object], line: int) -> Iterator[object]:
        """Give the items one by one, as long as there are rounds and time left."""
        for each in items:
            self.line = line
            self._rounds += 1
            if self._rounds > self._limits.rounds:
                raise Refused(f"The loops go round more than {self._limits.rounds:,} times.")
            self.tick()
            yield each
