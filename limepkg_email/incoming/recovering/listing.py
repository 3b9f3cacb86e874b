"""The pages of a folder, read so that no mail is missed while others come, go or are marked.

Where mails have numbers (uid), each page is asked for as "the newest ones below the last number",
so nothing that happens above shifts it. Elsewhere pages are counted: who needs all of them reads
the list again until nothing new is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.types import Message

PAGE: Final = 500
"""Mails per request: about a second of EmailEngine's time."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some mails, newest first. `below` is the lowest number among them, 0 where pages count."""

    messages: tuple[Message, ...]
    below: int


def pages(
    engine: EngineClient, account: str, path: str, terms: Mapping[str, Any], below: int = 0
) -> Iterator[Page]:
    """Yield the mails of a folder that match, from the newest on, or from below a number on.

    Raises what the engine's search raises; `EngineNotFound` when there is no such folder.
    """
    while below != 1:  # no uid is lower
        bounded = {**terms, "uid": f"1:{below - 1}"} if below else terms
        found = engine.search(account, path, bounded, 0, PAGE)
        if not found.messages:
            return
        if not _descending(found.messages):
            yield from _counted(engine, account, path, terms)
            return
        below = found.messages[-1].uid
        yield Page(found.messages, below)
        if found.total <= len(found.messages):
            return


def _descending(messages: tuple[Message, ...]) -> bool:
    numbers = [each.uid for each in messages]
    return numbers[-1] > 0 and all(above > each for above, each in pairwise(numbers))


def _counted(
    engine: EngineClient, account: str, path: str, terms: Mapping[str, Any]
) -> Iterator[Page]:
    number, many = 0, 1
    while number < many:
        found = engine.search(account, path, terms, number, PAGE)
        if not found.messages:
            return
        yield Page(found.messages, 0)
        number, many = number + 1, found.pages
