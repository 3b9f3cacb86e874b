"""A recovery reads a folder page by page, and none of its mails is left out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from limepkg_email.incoming import receipts
from limepkg_email.incoming.preparation import identify
from limepkg_email.incoming.recovering import listing
from limepkg_email.incoming.recovering.progress import Progress
from limepkg_email.incoming.recovery import begin, go_on
from limepkg_email.models import Disposition
from tests.incoming.recovering import (
    account_of,
    found,
    later,
    mail,
    move,
    run,
    subjects,
)
from tests.stack import Stack
from tests.statements import counted


def test_pages_of_any_size_hold_every_mail_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for number in range(10):
        mail(stack, f"mail {number}")
    later(stack)
    assert found(run(stack)) == {"listed": 10, "imported": 10}


def test_mails_that_come_and_go_between_the_pages_shift_none_out(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    ids = [mail(stack, f"mail {number}") for number in range(10)]
    later(stack)
    services, account = stack.installation.services, account_of(stack)
    progress = begin(services, account, patient=False)
    pauses = iter(range(100))

    def disturb() -> bool:
        step = next(pauses)
        if step == 0:  # mails of the first page leave, others come
            for id in ids[-2:]:
                move(stack, id, "Trash")
            mail(stack, "late")
        return True

    while progress.stage != "ended":
        go_on(services, account, progress, enough=disturb)
        # As a job that hands on to the next one.
        progress = Progress.of_payload(json.loads(json.dumps(progress.as_payload())))
    assert not progress.error
    assert subjects(stack) == {f"mail {number}": 1 for number in range(10)}


class CountedPages:
    """The engine without uids, as with the interfaces of Gmail and Microsoft."""

    def __init__(self, stack: Stack) -> None:
        self._engine = stack.installation.services.engine

    def search(self, *arguments: object) -> object:
        found = self._engine.search(*arguments)  # type: ignore[arg-type]
        return replace(found, messages=tuple(replace(each, uid=0) for each in found.messages))

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def test_folders_without_numbers_are_read_until_nothing_new_is_in_them(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for number in range(10):
        mail(stack, f"mail {number}")
    later(stack)
    engine = CountedPages(stack)
    services = replace(stack.installation.services, engine=engine)  # type: ignore[arg-type]
    # Everything is marked as seen between the pages, so the list of unread mail shrinks.
    read_all = {"search": {"unseen": True}, "update": {"flags": {"add": ["\\Seen"]}}}
    progress = begin(services, account_of(stack), patient=False)

    def mark() -> None:
        stack.engine("PUT", "/account/support/messages?path=INBOX", json=read_all)

    go_on(services, account_of(stack), progress, keep=mark)
    assert subjects(stack) == {f"mail {number}": 1 for number in range(10)}
    assert progress.tally.unaccounted == 0


@pytest.mark.parametrize("number", [20, 1000])
def test_finding_nothing_new_costs_a_fixed_number_of_statements(stack: Stack, number: int) -> None:
    for each in range(number):
        mail(stack, f"mail {each}")
    later(stack)
    services = stack.installation.services
    keys = run_with_receipts(stack)
    assert keys == number
    with counted(services.application.database) as statements:
        report = run(stack)
    assert found(report) == {"listed": number, "known": number}
    pages = -(-number // listing.PAGE)
    # The unread mail and the window are two lists of the same mails here.
    assert len(statements) <= 2 * pages + 14, statements


def run_with_receipts(stack: Stack) -> int:
    """Let every mail of the inbox have a receipt, without importing each."""
    services, number = stack.installation.services, 0
    with services.application.database.begin() as connection:
        for page in listing.pages(services.engine, "support", "INBOX", {}):
            for each in page.messages:
                receipts.record(
                    connection, identify("support", each), Disposition.IMPORTED, services.clock()
                )
                number += 1
    return number
