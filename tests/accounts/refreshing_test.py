"""What the engine says of an account when a recovery asks it, whatever events were lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from limepkg_email import event_log
from limepkg_email.accounts.events import note_event
from limepkg_email.accounts.listing import AccountEntry, read_entry
from limepkg_email.accounts.refreshing import ask, take_over
from limepkg_email.accounts.switching import switch
from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.webhook import AccountEvent, parse_event
from limepkg_email.incoming import recovery_runs
from limepkg_email.incoming.recovery import recover
from tests.incoming.recovering import GRACE, later, mail, subjects
from tests.stack import Stack, running
from tests.statements import counted

WRONG = {"response": "2 NO [AUTHENTICATIONFAILED] no", "serverResponseCode": "AUTHENTICATIONFAILED"}
UNREACHED = {"response": "connect ECONNREFUSED", "serverResponseCode": "ECONNREFUSED"}


@pytest.fixture
def stack(database_url: str, tmp_path: Path) -> Iterator[Stack]:
    """A CRM that no event of an account reaches any more."""
    with running(tmp_path, database_url) as found:
        found.settle()
        found.sandbox.control("POST", "/webhooks/pause")
        yield found


def engine_says(stack: Stack, state: str, error: dict[str, str] | None = None) -> None:
    said: dict[str, Any] = {"state": state, **({"error": error} if error else {})}
    stack.sandbox.control("PUT", "/accounts/support/state", said)


def entry(stack: Stack) -> AccountEntry:
    with stack.installation.services.application.database.connect() as connection:
        return read_entry(connection, stack.installation.accounts["support"].id)


def recovered(stack: Stack) -> AccountEntry:
    recover(stack.installation.services, stack.installation.accounts["support"])
    return entry(stack)


def logged(stack: Stack) -> list[tuple[str, str]]:
    found, _ = event_log.listing(stack.installation.services)
    return [(each.code, each.text) for each in found[::-1]]


def test_a_lost_connection_is_shown_after_a_recovery_and_so_is_its_return(stack: Stack) -> None:
    assert recovered(stack).state == "connected"
    engine_says(stack, "disconnected")
    shown = recovered(stack)
    assert (shown.state, shown.standing.next_step) == ("disconnected", "reconnect")
    assert shown.recovery_error
    mail(stack, "meanwhile")
    engine_says(stack, "connected")
    later(stack, GRACE)
    shown = recovered(stack)
    assert (shown.state, shown.standing.next_step) == ("connected", "none")
    assert shown.recovery_error == ""
    assert subjects(stack) == {"meanwhile": 1}
    codes, texts = zip(*logged(stack), strict=True)
    assert codes == ("recovery_error", "account_failing", "account_recovered")
    assert all(each.startswith("support@example.com: ") for each in texts)


def test_a_run_asks_as_well(stack: Stack) -> None:
    engine_says(stack, "connectError", UNREACHED)
    recovery_runs.start(stack.installation.services, None)
    stack.settle()
    assert entry(stack).standing.next_step == "check_server"
    assert "ECONNREFUSED" in entry(stack).standing.cause


def test_a_refused_login_stays_one_while_the_engine_tries_again(stack: Stack) -> None:
    """The engine says in turns that it is connecting, with the last error beside it."""
    for state in ("connecting", "authenticationError", "connecting"):
        engine_says(stack, state, WRONG)
        shown = recovered(stack)
        assert (shown.state, shown.standing.next_step) == ("authenticationError", "sign_in_again")
    assert [code for code, _ in logged(stack)].count("account_failing") == 1
    engine_says(stack, "connecting", UNREACHED)
    assert recovered(stack).state == "authenticationError"
    engine_says(stack, "connecting")
    assert recovered(stack).state == "connecting"


def test_an_account_that_the_engine_lost_is_missing(stack: Stack) -> None:
    stack.engine("DELETE", "/account/support").raise_for_status()
    shown = recovered(stack)
    assert (shown.state, shown.standing.next_step) == ("missing", "reconnect")


def test_an_event_that_came_after_the_question_counts_and_an_older_one_does_not(
    stack: Stack,
) -> None:
    services, account = stack.installation.services, entry(stack).id
    answer = ask(services, "support")
    assert answer is not None
    after = (answer.at + timedelta(seconds=1)).isoformat()
    body = {"event": "connectError", "account": "support", "date": after, "data": UNREACHED}
    event = parse_event(body)
    assert isinstance(event, AccountEvent)
    assert note_event(services, event)
    with services.application.database.begin() as connection:
        take_over(connection, services, account, answer)
    assert entry(stack).state == "connectError"
    later(stack, 600)
    assert recovered(stack).state == "connected"
    assert not note_event(services, event)
    assert entry(stack).state == "connected"


def test_an_engine_that_is_away_says_nothing(stack: Stack) -> None:
    before = recovered(stack)
    nowhere = EngineClient("http://127.0.0.1:9", "t", retries=0)
    away = replace(stack.installation.services, engine=nowhere)
    assert ask(away, "support") is None
    assert recover(away, stack.installation.accounts["support"]).error
    assert entry(stack) == replace(before, recovery_error=entry(stack).recovery_error)


def test_an_account_that_was_disabled_meanwhile_is_not_news(stack: Stack) -> None:
    services, account = stack.installation.services, entry(stack).id
    recovered(stack)
    switch(services, [account], enabled=False)
    engine_says(stack, "connectError", UNREACHED)
    answer = ask(services, "support")
    assert answer is not None
    database = services.application.database
    with counted(database) as statements, database.begin() as connection:
        take_over(connection, services, account, answer)
    assert len(statements) == 2
    assert (entry(stack).state, logged(stack)) == ("connectError", [])
