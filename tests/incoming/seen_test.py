"""Marking mails as seen: one mailbox that does not answer holds up no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import EngineNotFound, EngineUnavailable
from limepkg_email.incoming.seen import SeenMail, mark_seen


class Engine:
    """An engine with one account that works, one that is away and one that is gone."""

    def __init__(self) -> None:
        self.marked: list[str] = []

    def update_flags_bulk(
        self, account: str, path: str, search: Mapping[str, Any], add: Sequence[str]
    ) -> None:
        if account == "away":
            raise EngineUnavailable
        if account == "gone":
            raise EngineNotFound
        self.marked.append(search["uid"])


def test_an_account_that_is_away_or_gone_does_not_hold_up_the_others() -> None:
    engine = Engine()
    accounts = ("away", "gone", "works")
    mails = [SeenMail(each, f"{each}{n}", n) for each in accounts for n in (1, 2)]
    failed = mark_seen(cast(EngineClient, engine), mails)
    assert engine.marked == ["1,2"]
    assert list(failed) == ["away"]
