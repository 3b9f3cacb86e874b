from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from limepkg_email import audit, event_log
from limepkg_email.accounts import oauth_apps, sync
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.oauth_apps import OAUTH_APPS
from limepkg_email.db import table
from limepkg_email.errors import EngineUnavailable
from limepkg_email.models import Receipt, RunState
from limepkg_email.tasks import runs
from limepkg_email.tasks.jobs import NewJob, enqueue
from limepkg_email.tasks.runs import RunEntry
from tests.installation import NOW
from tests.statements import counted

from .engine_room import GMAIL, OUTLOOK, Room, room

RECEIPTS = table(Receipt)


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Room]:
    with room(tmp_path, database_url) as found:
        found.installation.integration.start()
        yield found
        found.installation.integration.stop()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        found.installation.integration.start()
        yield found
        found.installation.integration.stop()


def synced(room: Room) -> dict[str, Any]:
    planned = sync.plan(room.services)
    sync.apply(room.services, planned)
    return planned.shown()


def names(report: dict[str, Any], kind: str) -> dict[str, list[str]]:
    return {what: [each["name"] for each in found] for what, found in report[kind].items()}


NOTHING: dict[str, list[str]] = {"added": [], "updated": [], "missing": []}


def change(room: Room, target: Any, where: Any, **values: Any) -> None:
    with room.services.application.database.begin() as connection:
        assert connection.execute(update(target).where(where).values(**values)).rowcount == 1


def run_of(room: Room, guid: str) -> RunEntry:
    with room.services.application.database.connect() as connection:
        return runs.read(connection, guid)


def log(room: Room) -> list[tuple[str, str]]:
    return [(each.code, each.account) for each in event_log.listing(room.services)[0]]


def receipt(account: str, key: str) -> dict[str, Any]:
    return {
        "account": account,
        "mail_key": key,
        "content_key": "c" * 64,
        "disposition": "imported",
        "seen_at": NOW,
    }


# --- what turns up ------------------------------------------------------------------------------


def test_what_the_engine_has_and_we_do_not_is_added_accounts_disabled(office: Room) -> None:
    app = office.in_engine()
    office.account("ada", "Ada@Example.com", app=app)
    office.account("bob")
    report = synced(office)
    assert names(report, "apps") == {**NOTHING, "added": ["Outlook CRM"]}
    assert sorted(names(report, "accounts")["added"]) == ["ada@example.com", "bob@example.com"]
    (row,) = office.apps()
    assert (row["engine_app"], row["client_id"], row["authority"]) == (
        app,
        OUTLOOK.client_id,
        "common",
    )
    assert (row["provider"], row["missing"]) == ("outlook", False)
    ada, bob = sorted(office.rows(), key=lambda each: str(each["engine_account"]))
    assert (ada["type"], ada["oauth_app"], ada["email"]) == ("outlook", app, "ada@example.com")
    assert (bob["type"], bob["oauth_app"], bob["state"]) == ("imap", "", "connected")
    assert not ada["enabled"]
    assert not bob["enabled"]
    assert ada["activated_at"] == ada["state_at"] == office.installation.clock()
    assert sorted(log(office)) == [("account_found", "ada"), ("account_found", "bob")]


def test_once_more_finds_nothing_to_do(office: Room) -> None:
    office.account("ada", app=office.in_engine())
    synced(office)
    before = (office.apps(), office.rows())
    office.installation.clock.advance(60)
    report = synced(office)
    assert report == {"apps": NOTHING, "accounts": NOTHING}
    assert (office.apps(), office.rows()) == before
    assert len(log(office)) == 1


def test_the_engine_is_not_changed(office: Room) -> None:
    office.account("ada", app=office.in_engine())
    office.installation.connect("gone", "gone@example.com")
    before = (office.engine_apps(), office.engine_accounts())
    synced(office)
    assert (office.engine_apps(), office.engine_accounts()) == before


def test_all_pages_are_read(sqlite: Room) -> None:
    for number in range(5):
        sqlite.account(f"a{number}")
        sqlite.in_engine(replace(GMAIL, name=f"Gmail {number}"))
    engine = sqlite.services.engine
    assert len(list(engine.oauth2.all(page_size=2))) == 5
    assert len(list(engine.accounts(page_size=2))) == 5


# --- what has changed ---------------------------------------------------------------------------


def test_what_the_engine_knows_better_is_changed_here_and_settings_stay(office: Room) -> None:
    app = oauth_apps.create(office.services, OUTLOOK)
    office.account("ada", app=app.engine_app)
    office.installation.connect("ada", "former@example.com", "Former")
    change(office, ACCOUNTS, ACCOUNTS.c.engine_account == "ada", signature="Bye", language="sv")
    values = {"name": "Renamed", "enabled": False, "baseScopes": "api"}
    office.services.engine.oauth2.update(app.engine_app, values)
    report = synced(office)
    ((found,), (account,)) = (report["apps"]["updated"], report["accounts"]["updated"])
    assert (found["name"], sorted(found["changed"])) == (
        "Renamed",
        ["base_scopes", "enabled", "name"],
    )
    assert sorted(account["changed"]) == ["email", "name", "oauth_app", "state", "type"]
    (row,), (stored,) = office.rows(), office.apps()
    assert (row["email"], row["name"]) == ("ada@example.com", "Ada")
    assert (row["type"], row["oauth_app"]) == ("outlook", app.engine_app)
    assert (row["signature"], row["language"], row["enabled"]) == ("Bye", "sv", True)
    assert (stored["id"], stored["name"], stored["enabled"]) == (app.id, "Renamed", False)


def test_a_paused_mailbox_stays_an_imap_account(sqlite: Room) -> None:
    sqlite.account("ada")
    sqlite.installation.connect("ada", "ada@example.com", "Ada")
    synced(sqlite)
    sqlite.services.engine.update_account("ada", {"imap": {"partial": True, "disabled": True}})
    synced(sqlite)
    assert next(sqlite.services.engine.accounts()).type == "sending"
    assert sqlite.rows()[0]["type"] == "imap"


def test_what_the_engine_lost_is_marked_and_kept(office: Room) -> None:
    app = oauth_apps.create(office.services, OUTLOOK)
    office.account("ada", app=app.engine_app)
    office.installation.connect("ada", "ada@example.com", "Ada")
    office.installation.connect("gone", "gone@example.com")
    synced(office)
    office.services.engine.oauth2.delete(app.engine_app)
    report = synced(office)
    assert names(report, "apps") == {**NOTHING, "missing": ["Outlook CRM"]}
    assert names(report, "accounts")["missing"] == ["gone@example.com"]
    assert office.apps()[0]["missing"] is True
    ada, gone = office.rows()
    assert (gone["state"], gone["enabled"]) == ("missing", True)
    # Deleting the application from here still finds the account that it left behind.
    assert (ada["type"], ada["oauth_app"]) == ("oauth2", app.engine_app)
    assert log(office).count(("account_missing", "gone")) == 1


def test_what_comes_back_is_not_missing_any_more(sqlite: Room) -> None:
    sqlite.installation.connect("ada", "ada@example.com")
    synced(sqlite)
    assert sqlite.rows()[0]["state"] == "missing"
    sqlite.account("ada")
    synced(sqlite)
    assert sqlite.rows()[0]["state"] == "connected"


# --- after a database was restored --------------------------------------------------------------


def test_stale_ids_are_repaired_and_everything_hangs_together_again(office: Room) -> None:
    app = oauth_apps.create(office.services, OUTLOOK)
    office.account("new-ada", "ada@example.com", app=app.engine_app)
    office.installation.connect("old-ada", "Ada@example.com", "Ada")
    change(office, OAUTH_APPS, OAUTH_APPS.c.id == app.id, engine_app="OLD")
    old = ACCOUNTS.c.engine_account == "old-ada"
    change(office, ACCOUNTS, old, oauth_app="OLD", signature="Bye")
    office.installation.connect("lost", "lost@example.com")
    change(office, ACCOUNTS, ACCOUNTS.c.engine_account == "lost", oauth_app="OLD")
    with office.services.application.database.begin() as connection:
        connection.execute(insert(RECEIPTS), [receipt("old-ada", "1"), receipt("old-ada", "2")])
        connection.execute(insert(RECEIPTS), [receipt("new-ada", "2"), receipt("lost", "1")])
    report = synced(office)
    assert [each["changed"] for each in report["apps"]["updated"]] == [["engine_id"]]
    assert "engine_id" in report["accounts"]["updated"][0]["changed"]
    assert names(report, "accounts")["added"] == []
    ada, lost = office.rows()
    assert (ada["engine_account"], ada["oauth_app"], ada["signature"], ada["enabled"]) == (
        "new-ada",
        app.engine_app,
        "Bye",
        True,
    )
    assert (lost["engine_account"], lost["oauth_app"]) == ("lost", app.engine_app)
    assert office.apps()[0]["engine_app"] == app.engine_app
    with office.services.application.database.connect() as connection:
        found = connection.execute(select(RECEIPTS.c.account, RECEIPTS.c.mail_key)).all()
    # The second one was seen under both ids; a receipt is unique.
    assert sorted(map(tuple, found)) == [
        ("lost", "1"),
        ("new-ada", "1"),
        ("new-ada", "2"),
        ("old-ada", "2"),
    ]
    assert ("account_id_repaired", "new-ada") in log(office)
    assert synced(office)["apps"] == NOTHING


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_an_address_that_fits_twice_repairs_nothing(office: Room, side: str) -> None:
    office.account("new", "ada@example.com")
    office.installation.connect("old", "ada@example.com")
    if side == "ours":
        office.installation.connect("older", "ada@example.com")
    else:
        office.account("newer", "ada@example.com")
    report = names(synced(office), "accounts")
    assert report["updated"] == []
    assert set(report["missing"]) == set(report["added"]) == {"ada@example.com"}
    found = {each["engine_account"]: each["state"] for each in office.rows()}
    assert found["old"] == "missing"
    assert found["new"] == "connected"


def test_an_account_that_is_known_by_its_id_is_not_taken_for_another_of_its_address(
    sqlite: Room,
) -> None:
    sqlite.account("one", "ada@example.com")
    sqlite.account("two", "ada@example.com")
    sqlite.installation.connect("one", "ada@example.com", "One")
    report = names(synced(sqlite), "accounts")
    assert (report["added"], report["missing"]) == (["ada@example.com"], [])
    assert [each["engine_account"] for each in sqlite.rows()] == ["one", "two"]


def test_an_application_is_recognised_by_name_and_client_id_together(sqlite: Room) -> None:
    app = oauth_apps.create(sqlite.services, OUTLOOK)
    sqlite.services.engine.oauth2.delete(app.engine_app)
    sqlite.in_engine(OUTLOOK, clientId="another")
    report = names(synced(sqlite), "apps")
    assert report == {**NOTHING, "added": ["Outlook CRM"], "missing": ["Outlook CRM"]}


def test_a_row_that_changed_after_it_was_compared_is_left_alone(sqlite: Room) -> None:
    sqlite.account("ada")
    sqlite.installation.connect("ada", "former@example.com")
    planned = sync.plan(sqlite.services)
    change(sqlite, ACCOUNTS, ACCOUNTS.c.engine_account == "ada", engine_account="other")
    sync.apply(sqlite.services, planned)
    assert sqlite.rows()[0]["email"] == "former@example.com"


def test_what_is_connected_while_the_plan_is_made_is_not_added_twice(sqlite: Room) -> None:
    sqlite.account("ada")
    planned = sync.plan(sqlite.services)
    sqlite.installation.connect("ada", "ada@example.com")
    sync.apply(sqlite.services, planned)
    (row,) = sqlite.rows()
    assert row["enabled"] is True


def test_the_statements_do_not_depend_on_the_number_of_accounts(sqlite: Room) -> None:
    # Schedules count and remove in the background, on the same database.
    sqlite.installation.integration.stop()
    counts = []
    for start, number in ((0, 2), (2, 20)):
        for each in range(start, start + number):
            sqlite.account(f"new{each}")
            sqlite.account(f"changed{each}")
            sqlite.installation.connect(f"changed{each}", "former@example.com")
        with counted(sqlite.services.application.database) as statements:
            synced(sqlite)
        counts.append(len([each for each in statements if "limepkg_email_log" not in each]))
    assert counts[0] == counts[1] <= 8


# --- as a run -----------------------------------------------------------------------------------


def test_a_run_does_the_sync_and_has_its_report(office: Room) -> None:
    office.account("ada")
    started = sync.start(office.services)
    assert (started.state, started.total) == (RunState.PENDING, 2)
    assert office.rows() == []
    office.installation.runner.drain()
    run = run_of(office, started.guid)
    assert (run.state, run.done, run.total) == (RunState.SUCCESS, 2, 2)
    assert names(run.result, "accounts")["added"] == ["ada@example.com"]
    assert len(office.rows()) == 1
    entry = audit.listing(office.services)[0][0]
    assert (entry.action, entry.subject_id) == ("sync.start", started.guid)


def test_a_second_start_joins_the_one_under_way_and_a_later_one_is_new(office: Room) -> None:
    first = sync.start(office.services)
    assert sync.start(office.services).guid == first.guid
    assert len(audit.listing(office.services)[0]) == 1
    office.installation.runner.drain()
    assert sync.start(office.services).guid != first.guid


def test_an_engine_that_is_away_is_asked_again_and_then_the_run_fails(office: Room) -> None:
    office.account("ada")
    office.away()
    guid = sync.start(office.services).guid
    office.installation.runner.drain()
    run = run_of(office, guid)
    assert run.state is RunState.STARTED
    assert "WorkerNotAvailable" in run.reason
    reason = run.reason
    for seconds in (5, 30):
        office.installation.clock.advance(seconds)
        office.installation.runner.drain()
    run = run_of(office, guid)
    assert (run.state, run.reason) == (RunState.FAILURE, reason)
    assert office.rows() == []
    office.heal()
    again = sync.start(office.services).guid
    assert again != guid
    office.installation.runner.drain()
    assert run_of(office, again).state is RunState.SUCCESS


def test_an_engine_that_comes_back_in_time_lets_the_run_succeed(sqlite: Room) -> None:
    sqlite.account("ada")
    sqlite.away()
    guid = sync.start(sqlite.services).guid
    sqlite.installation.runner.drain()
    sqlite.heal()
    sqlite.installation.clock.advance(5)
    sqlite.installation.runner.drain()
    run = run_of(sqlite, guid)
    assert (run.state, run.reason) == (RunState.SUCCESS, "")


def test_a_run_that_was_given_up_without_its_lease_does_not_lock_the_sync(sqlite: Room) -> None:
    first = sync.start(sqlite.services).guid
    with sqlite.services.application.database.begin() as connection:
        runs.fail(connection, first, sqlite.services.clock(), "lost")
    second = sync.start(sqlite.services).guid
    assert second != first
    assert sync.start(sqlite.services).guid == second


@pytest.mark.parametrize("former", ["none", "ended"])
def test_of_many_starts_at_once_one_makes_the_run_and_the_others_join(
    office: Room, former: str
) -> None:
    ended = ""
    if former == "ended":
        ended = sync.start(office.services).guid
        with office.services.application.database.begin() as connection:
            runs.fail(connection, ended, office.services.clock(), "lost")
    with ThreadPoolExecutor(6) as threads:
        started = [threads.submit(sync.start, office.services) for _ in range(12)]
        guids = {each.result().guid for each in started}
    assert len(guids) == 1
    assert ended not in guids


def test_the_task_can_be_started_by_its_name_without_a_run(sqlite: Room) -> None:
    sqlite.account("ada")
    database = sqlite.services.application.database
    with database.begin() as connection:
        enqueue(connection, [NewJob(sync.TASK)], sqlite.services.clock())
    sqlite.installation.runner.drain()
    assert len(sqlite.rows()) == 1


def test_a_plan_of_an_engine_that_is_away_is_its_error(sqlite: Room) -> None:
    sqlite.away()
    with pytest.raises(EngineUnavailable):
        sync.plan(sqlite.services)
