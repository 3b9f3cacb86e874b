from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from limepkg_email import audit
from limepkg_email.accounts import oauth_apps
from limepkg_email.accounts.access import ASSIGNED
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.oauth_apps import OAUTH_APPS, NewOAuthApp, OAuthAppEntry
from limepkg_email.accounts.oauth_removal import Outcome, Removal, plan_removal
from limepkg_email.accounts.oauth_removal import remove as removing
from limepkg_email.errors import Conflict, EngineUnavailable, InvalidInput, NotFound
from limepkg_email.outgoing.abandonment import give_up
from limepkg_email.services import Services
from limepkg_email.tasks import leases
from tests.statements import counted

from .engine_room import GMAIL, OUTLOOK, Room, room

AWAY = 503


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Room]:
    with room(tmp_path, database_url) as found:
        yield found


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        yield found


def create(room: Room, new: NewOAuthApp = OUTLOOK) -> OAuthAppEntry:
    return oauth_apps.create(room.services, new)


def remove(services: Services, id: int) -> Removal:
    return removing(services, id, give_up)


def actions(room: Room) -> list[str]:
    return [each.action for each in reversed(audit.listing(room.services)[0])]


def connect(room: Room, account: str, app: str) -> int:
    """Connect an account that signs in with the application, in the engine and here."""
    room.account(account, app=app)
    found = room.installation.connect(account, f"{account}@example.com")
    with room.services.application.database.begin() as connection:
        row = ACCOUNTS.c.id == found.id
        connection.execute(update(ACCOUNTS).where(row).values(oauth_app=app))
        connection.execute(insert(ASSIGNED).values(account=found.id, user=1))
    return found.id


def outcomes(found: Any) -> dict[str, Outcome]:
    return {each.engine_account: each.outcome for each in found.accounts}


# --- making -------------------------------------------------------------------------------------


def test_an_application_is_made_in_the_engine_and_noted_here_without_its_secret(
    office: Room,
) -> None:
    made = create(office)
    (there,) = office.engine_apps()
    assert (made.engine_app, made.name, made.provider) == (there.id, "Outlook CRM", "outlook")
    assert (there.client_id, there.authority, there.base_scopes) == (
        OUTLOOK.client_id,
        "common",
        "imap",
    )
    assert there.has_secret
    assert made.redirect_url == there.redirect_url == f"{office.sandbox.url}/oauth"
    assert (made.enabled, made.missing, made.accounts) == (True, False, 0)
    assert OUTLOOK.client_secret not in repr(office.apps())


def test_gmail_by_its_api_is_made_as_well(sqlite: Room) -> None:
    made = create(sqlite, GMAIL)
    (there,) = sqlite.engine_apps()
    assert (made.base_scopes, there.base_scopes, there.provider) == ("api", "api", "gmail")


def test_the_redirect_address_is_below_the_public_address_of_the_engine(sqlite: Room) -> None:
    sqlite.services.engine.settings_set({"serviceUrl": "https://mail.example.com"})
    assert oauth_apps.redirect_url(sqlite.services) == "https://mail.example.com/oauth"
    assert create(sqlite).redirect_url == "https://mail.example.com/oauth"


def test_another_redirect_address_can_be_given(sqlite: Room) -> None:
    behind = replace(OUTLOOK, redirect_url="https://proxy.example.com/oauth")
    assert create(sqlite, behind).redirect_url == "https://proxy.example.com/oauth"
    assert sqlite.engine_apps()[0].redirect_url == "https://proxy.example.com/oauth"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(replace(OUTLOOK, authority=""), "tenant"), (replace(GMAIL, authority="common"), "Microsoft")],
)
def test_only_microsoft_has_a_tenant_and_needs_one(
    sqlite: Room, wrong: NewOAuthApp, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        create(sqlite, wrong)
    assert list(refused.value.errors) == ["authority"]
    assert (sqlite.engine_apps(), sqlite.apps()) == ([], [])


def test_what_the_engine_refuses_is_told_in_the_names_of_our_fields(sqlite: Room) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(sqlite, replace(OUTLOOK, redirect_url="nonsense"))
    assert list(refused.value.errors) == ["redirect_url"]
    assert sqlite.apps() == []


def test_the_same_once_more_is_a_conflict_and_makes_no_second_one(office: Room) -> None:
    create(office)
    with pytest.raises(Conflict, match="already"):
        create(office)
    assert len(office.engine_apps()) == len(office.apps()) == 1
    create(office, replace(OUTLOOK, name="Another one"))
    assert len(office.engine_apps()) == len(office.apps()) == 2


def test_what_an_interrupted_attempt_left_in_the_engine_is_taken_over(office: Room) -> None:
    office.order("POST", "/v1/oauth2", "drop", times=1)
    with pytest.raises(EngineUnavailable):
        create(office)
    (left,) = office.engine_apps()
    assert office.apps() == []
    made = create(office, replace(OUTLOOK, base_scopes="api"))
    assert made.engine_app == left.id
    (there,) = office.engine_apps()
    assert there.base_scopes == "api"


def test_an_engine_that_is_away_leaves_nothing_behind_and_no_lease(office: Room) -> None:
    office.away()
    with pytest.raises(EngineUnavailable):
        create(office)
    office.heal()
    assert (office.engine_apps(), office.apps()) == ([], [])
    create(office)


def test_two_at_once_do_not_make_two(sqlite: Room) -> None:
    now = sqlite.services.clock()
    with sqlite.services.application.database.begin() as connection:
        leases.acquire(connection, "oauth_app:create", "other", now, timedelta(minutes=1))
    with pytest.raises(Conflict, match="in a moment"):
        create(sqlite)
    assert sqlite.engine_apps() == []
    sqlite.installation.clock.advance(61)
    create(sqlite)


# --- reading ------------------------------------------------------------------------------------


def test_applications_are_listed_by_name_with_the_number_of_our_accounts(office: Room) -> None:
    outlook, gmail = create(office), create(office, GMAIL)
    connect(office, "ada", outlook.engine_app)
    connect(office, "bob", outlook.engine_app)
    with counted(office.services.application.database) as statements:
        page, total = oauth_apps.listing(office.services)
    assert len(statements) == 2
    assert [(each.id, each.accounts) for each in page] == [(gmail.id, 0), (outlook.id, 2)]
    assert total == 2
    page, total = oauth_apps.listing(office.services, limit=1, offset=1)
    assert ([each.id for each in page], total) == ([outlook.id], 2)


def test_whether_there_is_a_secret_is_what_the_engine_says(sqlite: Room) -> None:
    made = create(sqlite)
    other = sqlite.services.engine.oauth2.create({"name": "Service", "provider": "gmailService"})
    assert oauth_apps.secrets(sqlite.services) == {made.engine_app: True, other: False}


def test_an_unknown_application_is_not_found(sqlite: Room) -> None:
    for act in (oauth_apps.read, plan_removal, remove):
        with pytest.raises(NotFound, match="4711"):
            act(sqlite.services, 4711)
    with pytest.raises(NotFound):
        oauth_apps.change(sqlite.services, 4711, {"name": "x"})


# --- changing -----------------------------------------------------------------------------------


def test_what_is_given_is_changed_in_the_engine_and_here(office: Room) -> None:
    made = create(office)
    office.installation.clock.advance(5)
    changed = oauth_apps.change(office.services, made.id, {"name": "Renamed", "enabled": False})
    (there,) = office.engine_apps()
    assert (there.name, there.enabled, there.has_secret) == ("Renamed", False, True)
    assert (there.client_id, there.authority) == (OUTLOOK.client_id, "common")
    assert changed == replace(
        made, name="Renamed", enabled=False, changed_at=made.changed_at + timedelta(seconds=5)
    )


def test_a_change_of_nothing_asks_the_engine_nothing(sqlite: Room) -> None:
    made = create(sqlite)
    sqlite.away()
    assert oauth_apps.change(sqlite.services, made.id, {}) == made


def test_an_engine_that_is_away_leaves_the_application_as_it_was(office: Room) -> None:
    made = create(office)
    office.away()
    with pytest.raises(EngineUnavailable):
        oauth_apps.change(office.services, made.id, {"name": "Renamed"})
    office.heal()
    assert oauth_apps.read(office.services, made.id) == made
    assert office.engine_apps()[0].name == made.name


def test_a_change_that_was_interrupted_is_completed_by_the_same_once_more(sqlite: Room) -> None:
    made = create(sqlite)
    # `fail` does the work and answers with an error.
    sqlite.order("PUT", "/v1/oauth2/*", "fail", status=AWAY)
    with pytest.raises(EngineUnavailable):
        oauth_apps.change(sqlite.services, made.id, {"name": "Renamed"})
    sqlite.heal()
    assert sqlite.engine_apps()[0].name == "Renamed"
    assert oauth_apps.read(sqlite.services, made.id).name == made.name
    assert oauth_apps.change(sqlite.services, made.id, {"name": "Renamed"}).name == "Renamed"


def test_an_application_that_the_engine_lost_is_a_conflict_and_shown_as_missing(
    office: Room,
) -> None:
    made = create(office)
    office.services.engine.oauth2.delete(made.engine_app)
    with pytest.raises(Conflict, match="Run the sync"):
        oauth_apps.change(office.services, made.id, {"enabled": False})
    found = oauth_apps.read(office.services, made.id)
    assert (found.missing, found.enabled) == (True, True)


def test_changes_are_checked_against_provider_and_others(sqlite: Room) -> None:
    gmail = create(sqlite, GMAIL)
    create(sqlite, replace(GMAIL, name="Second"))
    for wrong in ({"authority": "common"},):
        with pytest.raises(InvalidInput):
            oauth_apps.change(sqlite.services, gmail.id, wrong)
    with pytest.raises(Conflict):
        oauth_apps.change(sqlite.services, gmail.id, {"name": "Second"})
    outlook = create(sqlite)
    with pytest.raises(InvalidInput, match="tenant"):
        oauth_apps.change(sqlite.services, outlook.id, {"authority": ""})


# --- deleting -----------------------------------------------------------------------------------


def test_a_dry_run_lists_the_accounts_that_would_go_and_deletes_nothing(office: Room) -> None:
    app = create(office)
    ours = connect(office, "ada", app.engine_app)
    office.account("stranger", app=app.engine_app)
    office.account("plain")
    planned = plan_removal(office.services, app.id)
    assert [(each.id, each.engine_account) for each in planned.accounts] == [
        (ours, "ada"),
        (None, "stranger"),
    ]
    assert set(outcomes(planned).values()) == {Outcome.KEPT}
    assert not planned.deleted
    assert office.engine_accounts() == ["ada", "plain", "stranger"]
    assert (len(office.apps()), len(office.rows())) == (1, 1)


def test_the_accounts_are_deleted_first_and_then_the_application(office: Room) -> None:
    app, other = create(office), create(office, GMAIL)
    connect(office, "ada", app.engine_app)
    kept = connect(office, "bob", other.engine_app)
    office.account("stranger", app=app.engine_app)
    done = remove(office.services, app.id)
    assert (done.deleted, done.reason, done.left) == (True, "", 0)
    assert set(outcomes(done).values()) == {Outcome.DELETED}
    assert office.engine_accounts() == ["bob"]
    assert [each.id for each in office.engine_apps()] == [other.engine_app]
    assert [each["id"] for each in office.apps()] == [other.id]
    assert [each["id"] for each in office.rows()] == [kept]
    with office.services.application.database.connect() as connection:
        assert [row.account for row in connection.execute(ASSIGNED.select())] == [kept]


def test_what_the_accounts_still_had_to_send_is_given_up_once_they_are_deleted(
    sqlite: Room,
) -> None:
    app = create(sqlite)
    connect(sqlite, "ada", app.engine_app)
    told: list[tuple[str, list[str]]] = []

    def note(services: Services, account: str, reason: str) -> None:
        told.append((account, sqlite.engine_accounts()))

    sqlite.away("/v1/account/*", "DELETE")
    with pytest.raises(EngineUnavailable):
        removing(sqlite.services, app.id, note)
    assert told == []
    sqlite.heal()
    removing(sqlite.services, app.id, note)
    assert told == [("ada", [])]


def test_an_account_that_signs_in_otherwise_by_now_is_left_alone(sqlite: Room) -> None:
    app, other = create(sqlite), create(sqlite, GMAIL)
    connect(sqlite, "ada", app.engine_app)
    connect(sqlite, "bob", app.engine_app)
    sqlite.account("ada", app=other.engine_app)
    sqlite.account("bob")
    assert plan_removal(sqlite.services, app.id).accounts == ()
    assert remove(sqlite.services, app.id).deleted
    assert sqlite.engine_accounts() == ["ada", "bob"]


def test_an_account_that_cannot_be_deleted_keeps_the_application_and_the_rest_goes(
    office: Room,
) -> None:
    app = create(office)
    for name in ("ada", "bob", "cid"):
        connect(office, name, app.engine_app)
    office.order("DELETE", "/v1/account/bob", status=400, message="No, not this one")
    done = remove(office.services, app.id)
    assert outcomes(done) == {
        "ada": Outcome.DELETED,
        "bob": Outcome.FAILED,
        "cid": Outcome.DELETED,
    }
    assert "not this one" in done.accounts[1].reason
    assert (done.deleted, bool(done.reason)) == (False, True)
    assert [each["engine_account"] for each in office.rows()] == ["bob"]
    office.heal()
    done = remove(office.services, app.id)
    assert (done.deleted, outcomes(done)) == (True, {"bob": Outcome.DELETED})
    assert (office.apps(), office.engine_apps(), office.engine_accounts()) == ([], [], [])


def test_an_engine_that_goes_away_on_the_way_keeps_the_rest_and_is_not_asked_again(
    office: Room,
) -> None:
    app = create(office)
    for name in ("ada", "bob", "cid"):
        connect(office, name, app.engine_app)
    office.away("/v1/account/bob", "DELETE")
    done = remove(office.services, app.id)
    assert list(outcomes(done).values()) == [Outcome.DELETED, Outcome.KEPT, Outcome.KEPT]
    assert not done.deleted
    assert office.engine_accounts() == ["bob", "cid"]
    office.heal()
    assert remove(office.services, app.id).deleted


def test_an_engine_that_is_away_from_the_beginning_changes_nothing(office: Room) -> None:
    app = create(office)
    connect(office, "ada", app.engine_app)
    office.away()
    for act in (plan_removal, remove):
        with pytest.raises(EngineUnavailable):
            act(office.services, app.id)
    office.heal()
    office.away("/v1/account/*", "DELETE")
    with pytest.raises(EngineUnavailable):
        remove(office.services, app.id)
    office.heal()
    assert (office.engine_accounts(), len(office.rows()), len(office.apps())) == (["ada"], 1, 1)


@pytest.mark.parametrize("path", ["/v1/account/*", "/v1/oauth2/*"])
def test_a_deletion_that_broke_off_is_completed_by_the_same_once_more(
    office: Room, path: str
) -> None:
    app = create(office)
    for name in ("ada", "bob"):
        connect(office, name, app.engine_app)
    # Done in the engine, but nobody hears of it: as if we had crashed.
    office.order("DELETE", path, "fail", status=500)
    done = remove(office.services, app.id)
    assert not done.deleted
    office.heal()
    assert remove(office.services, app.id).deleted
    assert (office.apps(), office.rows(), office.engine_apps()) == ([], [], [])
    assert office.engine_accounts() == []


def test_an_application_that_the_engine_lost_goes_with_its_orphans(office: Room) -> None:
    app = create(office)
    connect(office, "ada", app.engine_app)
    assert office.services.engine.oauth2.delete(app.engine_app) == 1
    done = remove(office.services, app.id)
    assert (done.deleted, outcomes(done)) == (True, {"ada": Outcome.DELETED})
    assert (office.engine_accounts(), office.rows(), office.apps()) == ([], [], [])


# --- the audit ----------------------------------------------------------------------------------


def test_every_change_is_audited_and_no_secret_with_it(office: Room) -> None:
    app = create(office)
    connect(office, "ada", app.engine_app)
    changes = {"client_secret": "a-newer-secret", "name": "Renamed"}
    oauth_apps.change(office.services, app.id, changes)
    oauth_apps.change(office.services, app.id, {"name": "Renamed"})
    remove(office.services, app.id)
    assert actions(office) == [
        "oauth_app.create",
        "oauth_app.update",
        "account.delete",
        "oauth_app.delete",
    ]
    entries, _ = audit.listing(office.services)
    assert "secret" not in repr([(each.before, each.after) for each in entries]).replace(
        "'client_secret': '******'", ""
    ).replace("'client_secret': ''", "")
    update_of = entries[2]
    assert update_of.before == {"client_secret": "", "name": "Outlook CRM"}
    assert update_of.after == {"client_secret": "******", "name": "Renamed"}


def test_the_table_never_holds_a_secret() -> None:
    assert not [each.name for each in OAUTH_APPS.columns if "secret" in each.name]
