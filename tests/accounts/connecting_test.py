"""Connecting a mailbox through the engine's hosted form, as a person does it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import insert, select, update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.connecting import connect, told
from limepkg_email.accounts.form import LIFETIME, create_link, digest_of
from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import (
    Conflict,
    EmailIntegrationError,
    EngineUnavailable,
    Forbidden,
    InvalidInput,
    NotFound,
)
from limepkg_email.models import FormState, OAuthApp
from limepkg_email.templates.serving import create_defaults
from tests.installation import NOW

from .conftest import REDIRECT, SALES, House

RECOVERY = "limepkg_email.tasks.tasks.recovery_process"


def test_a_mailbox_is_connected_with_what_was_chosen_and_catches_up(house: House) -> None:
    kim = house.acting_as("kim").application.user.id
    template = {each.purpose: each.id for each in create_defaults(house.services)}["autoreply"]
    choices = {
        "users": [kim],
        "parent_limetype": "helpdesk",
        "import_unread": False,
        "autoreply_template": template,
        "time_zone": "Europe/Stockholm",
        "back": "/demo/accounts?x=1",
    }
    said = house.fill_in(house.link(email=SALES, choices=choices))
    assert said["state"] == "new"
    house.installation.clock.advance(60)
    entry, back = connect(house.services, said["token"], said["account"])
    assert (entry.email, entry.type, entry.state, entry.enabled) == (
        SALES,
        "imap",
        "connected",
        True,
    )
    assert (entry.users, entry.import_unread, entry.parent_limetype) == ([kim], False, "helpdesk")
    assert (entry.autoreply_template, entry.time_zone) == (template, "Europe/Stockholm")
    assert entry.activated_at == NOW, "mail that came while the form was filled in is new mail"
    assert entry.standing.next_step == "none"
    assert back == "/demo/accounts?x=1"
    assert house.runs() == [RECOVERY]
    assert house.audited()[-1][0] == "account.connect"
    known = house.engine_account(entry.id)
    assert known["path"] == ["INBOX"]
    assert known["notifyFrom"] == "2026-11-22T12:00:00.000Z"


def test_a_wrong_password_is_stored_with_its_cause_and_mended_by_signing_in_again(
    house: House,
) -> None:
    account = house.connected(password="wrong")
    entry = house.entry(account)
    assert (entry.state, entry.standing.next_step) == ("authenticationError", "sign_in_again")
    assert "refuses the login" in entry.standing.cause
    assert "AUTHENTICATIONFAILED" in entry.standing.cause
    link = house.link(account=account, kind="", choices={"back": "/x"})
    said = house.fill_in(link)
    assert (said["state"], said["account"]) == ("existing", entry.engine_account)
    again, _ = connect(house.services, said["token"], said["account"])
    assert (again.id, again.state, again.standing.cause) == (account, "connected", "")
    assert again.activated_at == entry.activated_at
    assert house.logged() == ["account_failing", "account_recovered"]
    assert [name for name, _ in house.audited()] == ["account.connect", "account.sign_in"]


def test_a_state_serves_once(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    connect(house.services, said["token"], said["account"])
    with pytest.raises(Conflict) as refusal:
        connect(house.services, said["token"], said["account"])
    assert list(refusal.value.errors) == ["token"]
    assert house.runs() == [RECOVERY]


def test_a_state_expires(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    house.installation.clock.advance(LIFETIME.total_seconds())
    with pytest.raises(Conflict, match="more than an hour") as refusal:
        connect(house.services, said["token"], said["account"])
    assert list(refusal.value.errors) == ["token"]


def test_a_state_that_was_made_up_or_is_somebody_elses_is_refused(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    for token in ("x", said["token"] + "x", "\ud800", digest_of(said["token"])):
        with pytest.raises(InvalidInput) as refusal:
            connect(house.services, token, said["account"])
        assert list(refusal.value.errors) == ["token"]
    with pytest.raises(Forbidden) as forbidden:
        connect(house.acting_as("other", "administrator"), said["token"], said["account"])
    assert list(forbidden.value.errors) == ["token"]
    assert connect(house.services, said["token"], said["account"])[0].email == SALES


def test_what_the_browser_says_of_the_account_is_not_believed(house: House) -> None:
    account = house.connected()
    new = house.fill_in(house.link(email="b@example.com"), "b@example.com")
    again = house.fill_in(house.link(account=account, kind=""))
    for said, claimed in (
        (new, "nosuchaccount"),
        (again, new["account"]),
        (new, "../settings"),
        (new, ".."),
        (new, ""),
        (new, "\ud800"),
        (new, "x" * 257),
        (new, "?x=1#%2F"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            connect(house.services, said["token"], claimed)
        assert list(refusal.value.errors) == ["account"]
    # None of it used the state up.
    assert connect(house.services, new["token"], new["account"])[0].email == "b@example.com"


def test_an_engine_that_is_away_does_not_use_the_state_up(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    with pytest.raises(EngineUnavailable):
        connect(house.without_engine, said["token"], said["account"])
    with pytest.raises(EngineUnavailable):
        create_link(house.without_engine, redirect_url=REDIRECT, email="n@example.com")
    entry, _ = connect(house.services, said["token"], said["account"])
    assert entry.state == "connected"
    with house.database.connect() as connection:
        states = table(FormState)
        assert len(connection.execute(select(states)).all()) == 1, "no link, no state"


def test_only_the_digest_of_a_state_is_kept_and_old_ones_are_cleared_away(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    states = table(FormState)
    with house.database.connect() as connection:
        (row,) = connection.execute(select(states)).all()
    assert row.digest == digest_of(said["token"])
    assert said["token"] not in str(row)
    assert len(said["token"]) >= 43, "256 random bits"
    house.installation.clock.advance(timedelta(days=2).total_seconds())
    house.link(email=SALES)
    with house.database.connect() as connection:
        assert [each.digest for each in connection.execute(select(states))] != [row.digest]
        assert len(connection.execute(select(states)).all()) == 1


def test_an_account_may_begin_disabled(house: House) -> None:
    account = house.connected(enabled=False)
    entry = house.entry(account)
    assert (entry.enabled, entry.standing.next_step) == (False, "enable")
    assert house.runs() == []


def test_a_mailbox_signs_in_with_an_application_of_ours(house: House) -> None:
    app = {"name": "G", "provider": "gmail", "clientId": "c", "clientSecret": "s"}
    engine_app = house.api(
        "POST", "/oauth2", json={**app, "redirectUrl": "http://127.0.0.1/oauth"}
    ).json()["id"]
    apps = table(OAuthApp)
    row = {"engine_app": engine_app, "name": "G", "provider": "gmail"}
    with house.database.begin() as connection:
        times = {"created_at": NOW, "changed_at": NOW}
        added = insert(apps).values(**row, **times).returning(apps.c.id)
        number = connection.execute(added).scalar_one()
    said = house.fill_in(house.link(email="g@example.com", kind=str(number)), "g@example.com")
    entry, _ = connect(house.services, said["token"], said["account"])
    assert (entry.type, entry.oauth_app) == ("gmail", engine_app)
    again = house.link(account=entry.id, kind="")
    assert parse_qs(urlsplit(again).query)["type"] == [engine_app]
    with house.database.begin() as connection:
        connection.execute(update(apps).values(missing=True))
    with pytest.raises(InvalidInput) as refusal:
        house.link(email="h@example.com", kind=str(number))
    assert list(refusal.value.errors) == ["type"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": f"{'x' * 400}@example.com"}, "email"),
        ({"email": SALES, "kind": "gmail"}, "type"),
        ({"email": SALES, "kind": "4711"}, "type"),
        ({"email": SALES, "kind": "²"}, "type"),
        ({"email": SALES, "choices": {"users": [4711]}}, "users"),
        ({"email": SALES, "choices": {"parent_limetype": "person"}}, "parent_limetype"),
        ({"email": SALES, "choices": {"relay_template": 4711}}, "relay_template"),
        ({"email": SALES, "choices": {"time_zone": "../etc/passwd"}}, "time_zone"),
        ({"email": SALES, "choices": {"language": "x" * 17}}, "language"),
    ],
)
def test_a_link_is_refused_with_the_field_and_a_reason(
    house: House, options: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        house.link(**options)
    assert list(refusal.value.errors) == [field]


def test_a_mailbox_is_not_connected_twice_and_unknown_accounts_do_not_sign_in(
    house: House,
) -> None:
    house.connected()
    with pytest.raises(InvalidInput, match="connected already"):
        house.link(email=SALES.upper())
    with pytest.raises(NotFound):
        house.link(account=4711)


def test_an_address_that_the_engine_refuses_is_the_callers_fault(house: House) -> None:
    with pytest.raises(EmailIntegrationError) as refusal:
        house.link(email="support@example.test")
    assert refusal.value.status == 422


def test_signing_in_again_brings_an_account_back_that_the_engine_had_lost(house: House) -> None:
    account = house.connected()
    name = house.entry(account).engine_account
    house.api("DELETE", f"/account/{name}").raise_for_status()
    said = house.fill_in(house.link(account=account, kind=""))
    assert said["account"] == name
    entry, _ = connect(house.services, said["token"], said["account"])
    assert (entry.id, entry.state) == (account, "connected")


def test_two_ends_of_one_sign_in_make_one_account(house: House) -> None:
    said = house.fill_in(house.link(email=SALES))
    begun: list[int] = []

    def meanwhile(*_: object, **__: object) -> None:
        # The first one has read the state and asks the engine when the second one ends.
        if not begun:
            begun.append(connect(house.services, said["token"], said["account"])[0].id)

    def session() -> requests.Session:
        made = requests.Session()
        made.hooks["response"].append(meanwhile)
        return made

    engine = EngineClient(house.sandbox.url, house.sandbox.token, session_factory=session)
    with pytest.raises(Conflict):
        connect(replace(house.services, engine=engine), said["token"], said["account"])
    assert len(begun) == 1
    assert house.runs() == [RECOVERY]


def test_an_orphan_keeps_its_application_and_says_to_choose_another(house: House) -> None:
    app = {"name": "G", "provider": "gmail", "clientId": "c", "clientSecret": "s"}
    made = house.api("POST", "/oauth2", json={**app, "redirectUrl": "http://127.0.0.1/oauth"})
    engine_app = made.json()["id"]
    auth = {"provider": engine_app, "auth": {"user": SALES}, "accessToken": "a"}
    account = house.connected()
    name = house.entry(account).engine_account
    body = {"account": name, "name": "S", "email": SALES, "oauth2": auth}
    house.api("POST", "/account", json=body).raise_for_status()
    seen = told(house.services.engine.account(name), house.services.clock())
    assert (seen["type"], seen["oauth_app"]) == ("gmail", engine_app)
    with house.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(**seen))
    house.api("DELETE", f"/oauth2/{engine_app}").raise_for_status()
    seen = told(house.services.engine.account(name), house.services.clock())
    with house.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(**seen))
    entry = house.entry(account)
    assert (entry.type, entry.oauth_app) == ("oauth2", engine_app)
    assert entry.standing.next_step == "check_app"
    with pytest.raises(InvalidInput, match="choose another") as refusal:
        house.link(account=account, kind="")
    assert list(refusal.value.errors) == ["type"]
    assert house.link(account=account, kind="imap")


def engine_accounts(house: House) -> list[str]:
    return sorted(each.account for each in house.services.engine.accounts())


@pytest.mark.parametrize("typed", [SALES, SALES.upper(), "sales@alias.example.com"])
def test_the_address_of_another_account_is_not_connected_twice(house: House, typed: str) -> None:
    first = house.connected(aliases=["sales@alias.example.com"])
    before, runs = engine_accounts(house), house.runs()
    audited = house.audited()
    said = house.fill_in(house.link(email="other@example.com"), typed)
    assert len(engine_accounts(house)) == 2
    with pytest.raises(Conflict, match="connected already") as refusal:
        connect(house.services, said["token"], said["account"])
    assert list(refusal.value.errors) == ["account"]
    assert engine_accounts(house) == before == [house.entry(first).engine_account]
    assert (house.runs(), house.audited()) == (runs, audited)


def test_an_engine_account_that_the_form_did_not_make_is_refused_but_left_alone(
    house: House,
) -> None:
    house.connected()
    login = {"host": "127.0.0.1", "port": 1, "auth": {"user": SALES, "pass": "x"}}
    foreign = {"account": "neighbours", "name": "N", "email": SALES, "imap": login, "smtp": login}
    house.api("POST", "/account", json=foreign).raise_for_status()
    said = house.fill_in(house.link(email="b@example.com"), "b@example.com")
    with pytest.raises(Conflict, match="connected already"):
        connect(house.services, said["token"], "neighbours")
    assert "neighbours" in engine_accounts(house)
    assert connect(house.services, said["token"], said["account"])[0].email == "b@example.com"


def test_signing_in_again_with_another_accounts_address_changes_nothing_here(
    house: House,
) -> None:
    first, second = house.connected(), house.connected("b@example.com")
    before = house.entry(second)
    said = house.fill_in(house.link(account=second, kind=""), SALES)
    assert said["account"] == before.engine_account
    with pytest.raises(Conflict, match="connected already"):
        connect(house.services, said["token"], said["account"])
    assert house.entry(second) == before
    assert len(engine_accounts(house)) == 2
    again = house.fill_in(house.link(account=second, kind=""), "b@example.com")
    assert connect(house.services, again["token"], again["account"])[0].id == second
    assert first != second
