"""What the engine tells of accounts: late, doubled and out of order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from limepkg_email import event_log
from limepkg_email.accounts.events import note_event
from limepkg_email.engine.webhook import AccountEvent, parse_event
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob
from tests.installation import NOW

from .conftest import House

WRONG = {"response": "2 NO [AUTHENTICATIONFAILED] no", "serverResponseCode": "AUTHENTICATIONFAILED"}


@pytest.fixture
def support(house: House) -> str:
    house.installation.connect("support", "support@example.com")
    return "support"


def payload(name: str, at: datetime, **data: Any) -> dict[str, Any]:
    return {"event": name, "account": "support", "date": at.isoformat(), "data": data}


def told(house: House, name: str, seconds: float, **data: Any) -> bool:
    event = parse_event(payload(name, NOW + timedelta(seconds=seconds), **data))
    assert isinstance(event, AccountEvent)
    return note_event(house.services, event)


def state(house: House) -> tuple[str, str]:
    found = house.entry(house.installation.accounts["support"].id)
    return found.state, found.standing.next_step.value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accountInitialized", ("connected", "none")),
        ("authenticationSuccess", ("connected", "none")),
        ("authenticationError", ("authenticationError", "sign_in_again")),
        ("connectError", ("connectError", "check_server")),
        ("accountDeleted", ("missing", "reconnect")),
    ],
)
def test_an_event_becomes_a_state(
    house: House, support: str, name: str, expected: tuple[str, str]
) -> None:
    assert told(house, name, 1)
    assert state(house) == expected


def test_an_older_event_is_old_news_and_a_repeated_one_changes_nothing(
    house: House, support: str
) -> None:
    assert told(house, "authenticationError", 10, **WRONG)
    assert told(house, "authenticationSuccess", 20)
    assert not told(house, "authenticationError", 10, **WRONG)
    assert not told(house, "connectError", 19.9)
    assert state(house) == ("connected", "none")
    assert house.logged() == ["account_failing", "account_recovered"]


def test_that_an_account_was_added_says_nothing_of_one_that_works(
    house: House, support: str
) -> None:
    assert told(house, "authenticationSuccess", 10)
    assert not told(house, "accountAdded", 11)
    assert state(house) == ("connected", "none")
    assert told(house, "accountDeleted", 12)
    assert told(house, "accountAdded", 13)
    assert state(house) == ("init", "wait")


def test_the_log_says_when_an_account_begins_to_fail_and_when_it_recovers(
    house: House, support: str
) -> None:
    for seconds in (1, 2, 3):
        told(house, "authenticationError", seconds, **WRONG)
    told(house, "authenticationSuccess", 4)
    told(house, "authenticationSuccess", 5)
    recovered, failing = event_log.listing(house.services)[0]
    assert (failing.level, failing.code, failing.account) == ("error", "account_failing", "support")
    assert "AUTHENTICATIONFAILED" in failing.text
    assert "Sign in to the mailbox again." in failing.text
    assert (recovered.level, recovered.code) == ("info", "account_recovered")


def test_events_of_accounts_that_are_not_ours_are_left_alone(house: House) -> None:
    assert not told(house, "authenticationError", 1)
    assert house.logged() == []


def test_the_task_takes_the_event_over(house: House, support: str) -> None:
    job = NewJob(
        "limepkg_email.tasks.tasks.account_event", payload("authenticationError", NOW, **WRONG)
    )
    with house.database.begin() as connection:
        jobs.enqueue(connection, [job], NOW)
    assert house.installation.runner.drain() == 1
    assert state(house)[0] == "authenticationError"


def test_what_was_read_from_the_engine_is_not_undone_by_what_led_to_it(house: House) -> None:
    """The events of signing in are delivered after the account was read back."""
    account = house.connected()
    name = house.entry(account).engine_account
    before = house.entry(account).state_at
    assert before is not None
    older = {
        "event": "authenticationError",
        "account": name,
        "date": (before - timedelta(seconds=1)).isoformat(),
        "data": WRONG,
    }
    event = parse_event(older)
    assert isinstance(event, AccountEvent)
    assert not note_event(house.services, event)
    assert house.entry(account).state == "connected"
