from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from limepkg_email import event_log
from limepkg_email.event_log import Level
from limepkg_email.services import Services
from limepkg_email.tasks.retention import RETENTION
from tests.installation import NOW, installed
from tests.statements import counted


@pytest.fixture
def services(tmp_path: Path, database_url: str) -> Iterator[Services]:
    with installed(tmp_path, database_url) as found:
        yield found.services


def note(services: Services, text: str, level: Level = Level.INFO, **values: Any) -> None:
    at = values.pop("at", NOW)
    with services.application.database.begin() as connection:
        event_log.note(connection, at, level, "example", text, **values)


def texts(services: Services, **options: Any) -> list[str]:
    return [each.text for each in event_log.listing(services, **options)[0]]


def test_an_entry_is_read_as_it_was_noted(services: Services) -> None:
    note(services, "No login.", Level.ERROR, account="support", tries=3)
    ((found,), total) = event_log.listing(services)
    assert total == 1
    assert (found.at, found.level, found.code) == (NOW, "error", "example")
    assert (found.account, found.text, found.details) == ("support", "No login.", {"tries": 3})


def test_an_entry_goes_with_its_transaction(services: Services) -> None:
    with services.application.database.connect() as connection, connection.begin() as action:
        event_log.note(connection, NOW, Level.INFO, "example", "never")
        action.rollback()
    assert texts(services) == []


def test_the_list_is_paged_newest_first_by_level_and_account_in_two_statements(
    services: Services,
) -> None:
    for number in range(4):
        note(services, str(number), account="support" if number % 2 else "sales")
    note(services, "bad", Level.ERROR, account="support")
    with counted(services.application.database) as statements:
        assert texts(services, limit=2, offset=1) == ["3", "2"]
    assert len(statements) == 2
    assert texts(services, account="support") == ["bad", "3", "1"]
    assert texts(services, account="support", level="error") == ["bad"]
    assert event_log.listing(services, level="warning") == ([], 0)


def test_entries_that_are_older_than_they_are_kept_are_removed(services: Services) -> None:
    kept = timedelta(days=services.config.log_retention)
    note(services, "old", at=NOW - kept - timedelta(seconds=1))
    note(services, "kept", at=NOW - kept)
    note(services, "new")
    RETENTION.run(services)
    assert texts(services) == ["new", "kept"]


def test_a_long_log_is_removed_in_pieces(services: Services) -> None:
    with services.application.database.begin() as connection:
        for _ in range(12):
            event_log.note(connection, NOW - timedelta(days=1), Level.INFO, "example", "old")
    with services.application.database.begin() as connection:
        assert [event_log.prune(connection, NOW, 10) for _ in range(3)] == [10, 2, 0]
