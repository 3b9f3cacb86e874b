"""What administrators choose, laid over the environment."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from limepkg_email import migrate
from limepkg_email.config import Editable, keys
from limepkg_email.db import table
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.models import AuditEntry
from limepkg_email.schema.settings import (
    FRESH_FOR,
    SETTING,
    Chosen,
    CurrentSettings,
    change_settings,
    list_settings,
    overlaid,
    settings_schema,
)
from limepkg_email.services import Services
from limepkg_email.tasks import leases
from tests.installation import TestClock, installed

from .sample import configuration


@pytest.fixture
def prepared(services: Services) -> Services:
    """Services with the package's tables and a clock that stands still."""
    migrate.upgrade(services.application.database)
    return replace(services, clock=TestClock())


class FailingSettings:
    """A store that is away."""

    def get(self, name: str) -> object:
        raise OSError(name)


class Counting:
    """An application whose settings are asked, and counted."""

    def __init__(self, **values: object) -> None:
        self.config: dict[str, object] = {}
        self.settings: Any = self
        self.stored: object = {"values": values}
        self.asked = 0

    def get(self, _: str) -> object:
        self.asked += 1
        return self.stored


def test_what_an_administrator_chose_wins_over_the_default() -> None:
    environment = configuration()
    assert overlaid(environment, {}, {"undo_seconds": 30}).undo_seconds == 30.0
    assert overlaid(environment, {}, {}) is environment


def test_what_the_environment_sets_is_the_operators() -> None:
    environment = configuration(undo_seconds=5.0)
    chosen = {"undo_seconds": 30}
    assert overlaid(environment, {"undo_seconds": 5.0}, chosen).undo_seconds == 5.0


def test_a_limit_of_the_environment_can_only_be_lowered() -> None:
    environment = configuration(max_recipients=50)
    given = {"max_recipients": 50}
    assert overlaid(environment, given, {"max_recipients": 20}).max_recipients == 20
    assert overlaid(environment, given, {"max_recipients": 500}).max_recipients == 50


@pytest.mark.parametrize(
    "chosen",
    [
        {"undo_seconds": -1},
        {"undo_seconds": 1e9},
        {"undo_seconds": "soon"},
        {"undo_seconds": {}},
        {"gone": 1},
        {"emailengine_url": "http://evil.example"},
        {"emailengine_token": "stolen"},
        {"webhook_url": "http://evil.example"},
    ],
)
def test_a_stored_value_that_may_not_be_chosen_has_no_effect(chosen: dict[str, Any]) -> None:
    environment = configuration()
    assert overlaid(environment, {}, chosen) == environment


def test_no_address_and_no_secret_can_be_changed() -> None:
    editable = {key.name for key in keys() if key.editable is not Editable.NEVER}
    assert set(settings_schema()().fields) == editable
    assert not [name for name in editable if "url" in name or "secret" in name or "token" in name]


def test_a_change_elsewhere_is_seen_in_bounded_time_without_asking_each_time() -> None:
    clock, application = TestClock(), Counting(undo_seconds=20)
    current = CurrentSettings(application, configuration(), clock)  # type: ignore[arg-type]
    first = current.get()
    assert first.config.undo_seconds == 20.0
    application.stored = {"values": {"undo_seconds": 40}}
    clock.advance(FRESH_FOR.total_seconds() - 1)
    assert current.get() is first
    assert application.asked == 1
    clock.advance(1)
    assert current.get().config.undo_seconds == 40.0
    assert application.asked == 2


def test_what_did_not_change_stays_the_same_object() -> None:
    clock, application = TestClock(), Counting(undo_seconds=20)
    current = CurrentSettings(application, configuration(), clock)  # type: ignore[arg-type]
    first = current.get()
    clock.advance(60)
    assert current.get() is first


def test_a_clock_that_is_set_back_does_not_keep_old_settings() -> None:
    clock, application = TestClock(), Counting(undo_seconds=20)
    current = CurrentSettings(application, configuration(), clock)  # type: ignore[arg-type]
    current.get()
    application.stored = {"values": {"undo_seconds": 40}}
    clock.advance(-3600)
    assert current.get().config.undo_seconds == 40.0


def test_while_the_settings_cannot_be_read_the_last_ones_hold(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, application = TestClock(), Counting(undo_seconds=20)
    current = CurrentSettings(application, configuration(), clock)  # type: ignore[arg-type]
    current.get()
    application.settings = FailingSettings()
    clock.advance(60)
    with caplog.at_level(logging.WARNING):
        assert current.get().config.undo_seconds == 20.0
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("stored", ["text", 7, [], {"values": []}, {"switched_off": "x"}, {}])
def test_a_setting_of_another_shape_counts_as_nothing_chosen(
    services: Services, stored: object
) -> None:
    services.application.settings.set(SETTING, stored)
    assert Chosen.read(services.application) == Chosen({})


def test_a_change_is_kept_and_recorded_with_before_and_after(prepared: Services) -> None:
    change_settings(prepared, {"undo_seconds": 20, "join_by_subject": False})
    change_settings(prepared, {"undo_seconds": 30})
    change_settings(prepared, {"join_by_subject": None})
    assert dict(Chosen.read(prepared.application).values) == {"undo_seconds": 30.0}
    entries = table(AuditEntry)
    with prepared.application.database.connect() as connection:
        found = connection.execute(
            select(entries.c.action, entries.c.before, entries.c.after).order_by(entries.c.id)
        ).all()
    assert [tuple(each) for each in found] == [
        (
            "settings.update",
            {"undo_seconds": None, "join_by_subject": None},
            {"undo_seconds": 20.0, "join_by_subject": False},
        ),
        ("settings.update", {"undo_seconds": 20.0}, {"undo_seconds": 30.0}),
        ("settings.update", {"join_by_subject": False}, {"join_by_subject": None}),
    ]


def test_nothing_is_changed_when_one_of_the_values_is_wrong(prepared: Services) -> None:
    with pytest.raises(InvalidInput) as caught:
        change_settings(
            prepared,
            {"undo_seconds": 20, "recovery_interval": 0, "emailengine_url": "x", "surprise": 1},
        )
    assert caught.value.errors == {
        "recovery_interval": [
            "Must be greater than 0.",
            "Must be greater than or equal to 1 and less than or equal to 1440.",
        ],
        "emailengine_url": ["Only whoever deploys the CRM can change this."],
        "surprise": ["There is no such setting."],
    }
    assert Chosen.read(prepared.application) == Chosen({})


def test_two_administrators_do_not_overwrite_each_other(prepared: Services) -> None:
    with prepared.application.database.begin() as connection:
        minute = timedelta(minutes=1)
        assert leases.acquire(connection, "settings", "other", prepared.clock(), minute)
    with pytest.raises(Conflict, match="Somebody else changes the settings"):
        change_settings(prepared, {"undo_seconds": 20})


def test_of_secrets_only_their_presence_is_shown(tmp_path: Path, database_url: str) -> None:
    with installed(tmp_path, database_url) as installation:
        found = {each.name: each for each in list_settings(installation.services)}
    for key in keys():
        assert not key.secret or found[key.name].value is None
    assert found["undo_seconds"].source == "default"
    assert (found["max_recipients"].least, found["max_recipients"].most) == (1, 100)
