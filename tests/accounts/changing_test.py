"""Settings of accounts, disabling and enabling them, deleting them, and what may be imported."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from limepkg_email import audit
from limepkg_email.accounts.access import ASSIGNED
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.outcomes import AccountOutcome
from limepkg_email.accounts.preview import preview
from limepkg_email.accounts.removal import UNSENT, remove
from limepkg_email.accounts.switching import switch
from limepkg_email.accounts.updating import update_account
from limepkg_email.errors import EngineError, EngineUnavailable, Forbidden, InvalidInput, NotFound
from limepkg_email.outgoing.abandonment import CODE, give_up
from limepkg_email.outgoing.compose import submit
from limepkg_email.outgoing.draft import Draft, Recipient
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.scheduled import cancel
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.reference.access import FULL_ACCESS, Role
from limepkg_email.templates.serving import create_defaults
from tests.installation import NOW
from tests.statements import counted

from .conftest import SALES, House

SUPPORT = "support@example.com"
BUDGET = 14
"""Statements of a new conversation, also for a user whom only the assignment lets send."""
RECOVERY = "limepkg_email.tasks.tasks.recovery_process"


def outcomes(done: list[AccountOutcome]) -> list[tuple[int, str]]:
    return [(each.id, each.outcome) for each in done]


# --- settings -----------------------------------------------------------------------------------


def test_settings_are_changed_one_by_one_and_each_change_is_audited(house: House) -> None:
    account = house.connected()
    kim = house.acting_as("kim").application.user.id
    templates = {each.purpose: each.id for each in create_defaults(house.services)}
    entry = update_account(
        house.services,
        account,
        {
            "name": " Sales \r\n team ",
            "aliases": ["Info@Example.com", "info@example.com"],
            "users": [kim, kim],
            "parent_limetype": "helpdesk",
            "time_zone": "Europe/Stockholm",
            "language": "sv",
            "message_template": templates["message"],
            "autoreply_template": templates["autoreply"],
            "relay_template": templates["relay"],
            "relay": False,
            "create_persons": True,
            "import_unread": False,
            "signature": "<p>Sales<script>x()</script></p>",
        },
    )
    assert (entry.name, entry.aliases, entry.users) == ("Sales team", ["info@example.com"], [kim])
    assert (entry.time_zone, entry.language, entry.relay) == ("Europe/Stockholm", "sv", False)
    assert "script" not in entry.signature
    assert "Sales" in entry.signature
    again = update_account(house.services, account, {"autoreply_template": None, "users": []})
    assert (again.autoreply_template, again.users) == (None, [])
    assert again.relay_template == templates["relay"], "what is left out stays"
    newest = audit.listing(house.services, subject="account")[0][0]
    assert newest.before == {"autoreply_template": templates["autoreply"], "users": [kim]}
    assert newest.after == {"autoreply_template": None, "users": []}
    before = len(house.audited())
    update_account(house.services, account, {"users": []})
    assert len(house.audited()) == before, "what changes nothing is no action"


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"aliases": ["nobody"]}, ["aliases"]),
        ({"aliases": [SUPPORT]}, ["aliases"]),
        ({"aliases": [f"a{each}@example.com" for each in range(51)]}, ["aliases"]),
        ({"users": [4711]}, ["users"]),
        ({"parent_limetype": "person"}, ["parent_limetype"]),
        ({"time_zone": "Mars/Olympus"}, ["time_zone"]),
        ({"time_zone": "/etc/localtime"}, ["time_zone"]),
        ({"language": "english!"}, ["language"]),
        ({"message_template": 4711}, ["message_template"]),
        ({"signature": "x" * 100_001}, ["signature"]),
        ({"state": "connected"}, ["state"]),
        ({"email": "other@example.com"}, ["email"]),
        ({"time_zone": "x", "language": ""}, ["language", "time_zone"]),
    ],
)
def test_settings_that_cannot_be_used_change_nothing(
    house: House, values: dict[str, Any], fields: list[str]
) -> None:
    house.connected(SUPPORT)
    account = house.connected()
    before = house.entry(account)
    with pytest.raises(InvalidInput) as refusal:
        update_account(house.services, account, {"name": "New", **values})
    assert sorted(refusal.value.errors) == fields
    assert house.entry(account) == before


def test_a_template_of_another_purpose_is_refused(house: House) -> None:
    account = house.connected()
    templates = {each.purpose: each.id for each in create_defaults(house.services)}
    with pytest.raises(InvalidInput) as refusal:
        update_account(house.services, account, {"relay_template": templates["message"]})
    assert "another purpose" in refusal.value.errors["relay_template"][0]


def test_an_account_that_is_not_there_is_not_changed(house: House) -> None:
    with pytest.raises(NotFound):
        update_account(house.services, 4711, {"name": "x"})


# --- disabling and enabling ---------------------------------------------------------------------


def test_a_disabled_account_is_paused_in_the_engine_and_catches_up_once_enabled(
    house: House,
) -> None:
    account = house.connected()
    assert outcomes(switch(house.services, [account], enabled=False)) == [(account, "changed")]
    assert not house.entry(account).enabled
    assert house.engine_account(account)["imap"]["disabled"] is True
    assert outcomes(switch(house.services, [account], enabled=False)) == [(account, "unchanged")]
    assert house.runs() == [RECOVERY]
    assert outcomes(switch(house.services, [account], enabled=True)) == [(account, "changed")]
    known = house.engine_account(account)
    assert (known["imap"]["disabled"], known["state"]) == (False, "connected")
    assert house.runs() == [RECOVERY, RECOVERY]
    assert outcomes(switch(house.services, [account], enabled=True)) == [(account, "unchanged")]
    assert house.runs() == [RECOVERY, RECOVERY], "nothing to catch up on"
    names = [name for name, _ in house.audited()]
    assert names == ["account.connect", "account.disable", "account.enable"]


def test_each_account_has_an_outcome_of_its_own(house: House) -> None:
    first, second, lost = (house.connected(f"{name}@example.com") for name in "abc")
    house.api("DELETE", f"/account/{house.entry(lost).engine_account}")
    switch(house.services, [second], enabled=False)
    done = switch(house.services, [first, second, lost, 4711, first], enabled=False)
    assert outcomes(done) == [
        (first, "changed"),
        (second, "unchanged"),
        (lost, "changed"),
        (4711, "failed"),
    ]
    assert done[3].reason == "There is no account 4711."
    assert house.entry(lost).state == "missing"
    done = switch(house.services, [first, lost], enabled=True)
    assert outcomes(done) == [(first, "changed"), (lost, "failed")]
    assert "connect it again" in done[1].reason
    assert not house.entry(lost).enabled


def test_what_the_engine_does_not_do_is_done_by_the_same_once_more(house: House) -> None:
    account = house.connected()
    fault = {"method": "PUT", "path": "/v1/account/*/reconnect", "status": 400}
    house.sandbox.control("POST", "/faults", fault)
    assert outcomes(switch(house.services, [account], enabled=False)) == [(account, "failed")]
    assert house.entry(account).enabled, "nothing is claimed that is not so"
    assert outcomes(switch(house.services, [account], enabled=False)) == [(account, "changed")]
    assert house.sandbox.control("GET", "/faults")["requests"] == []


def test_somebody_elses_pause_in_the_engine_is_put_right(house: House) -> None:
    account = house.connected()
    name = house.entry(account).engine_account
    block = {"imap": {"partial": True, "disabled": True}}
    house.api("PUT", f"/account/{name}", json=block).raise_for_status()
    assert outcomes(switch(house.services, [account], enabled=True)) == [(account, "changed")]
    assert house.engine_account(account)["imap"]["disabled"] is False


def test_while_the_engine_is_away_nothing_is_half_changed(house: House) -> None:
    first, second = house.connected("a@example.com"), house.connected("b@example.com")
    before = house.entry(first), house.entry(second), house.audited()
    with pytest.raises(EngineUnavailable):
        switch(house.without_engine, [first, second], enabled=False)
    with pytest.raises(EngineUnavailable):
        remove(house.without_engine, [first, second], give_up)
    with pytest.raises(EngineUnavailable):
        preview(house.without_engine, first)
    assert (house.entry(first), house.entry(second), house.audited()) == before


def test_an_engine_that_goes_away_meanwhile_is_the_reason_of_the_rest(house: House) -> None:
    accounts = [house.connected(f"{name}@example.com") for name in "abc"]
    second = house.entry(accounts[1]).engine_account
    fault = {"path": f"/v1/account/{second}", "status": 503, "times": 10}
    house.sandbox.control("POST", "/faults", fault)
    done = switch(house.services, accounts, enabled=False)
    assert [each.outcome for each in done] == ["changed", "failed", "failed"]
    assert [house.entry(each).enabled for each in accounts] == [False, True, True]


# --- deleting -----------------------------------------------------------------------------------


def written(house: House, account: int, **options: Any) -> int:
    """A message that waits to be sent; gives its message follower."""
    draft = Draft(
        account, "Hello", text="Hi", recipients=(Recipient("anna@example.org"),), **options
    )
    return submit(house.services, draft).messagefollowers[0]


def test_a_deleted_account_is_gone_everywhere_and_its_mails_do_not_hang(house: House) -> None:
    account, other = house.connected(), house.connected(SUPPORT)
    entry = house.entry(account)
    update_account(house.services, account, {"users": [house.services.application.user.id]})
    handed_over = written(house, account, send_at=house.services.clock() + timedelta(days=1))
    assert house.installation.runner.drain()
    waiting, elsewhere = written(house, account), written(house, other)
    assert outcomes(remove(house.services, [account], give_up)) == [(account, "deleted")]
    assert house.api("GET", f"/account/{entry.engine_account}").status_code == 404
    with pytest.raises(NotFound):
        house.entry(account)
    with house.database.connect() as connection:
        assert connection.execute(select(ASSIGNED)).all() == []
        states = dict(connection.execute(select(OUTBOX.c.messagefollower, OUTBOX.c.state)).all())  # type: ignore[arg-type]
    assert states == {handed_over: "failed", waiting: "failed", elsewhere: "queued"}
    errors = house.installation.all("conversationmessageerror")
    assert [(each["text"], each["code"]) for each in errors] == [(UNSENT, CODE)] * 2
    assert len(house.installation.all("conversation")) == 3, "conversations stay"
    house.installation.runner.drain()
    with house.database.connect() as connection:
        left = connection.scalars(select(OUTBOX.c.state).where(OUTBOX.c.account != "x"))
        assert sorted(left) == ["failed", "failed", "queued"]
    assert house.audited()[-1][0] == "account.delete"
    again = remove(house.services, [account], give_up)
    assert outcomes(again) == [(account, "unchanged")]


def test_a_deletion_that_broke_off_is_completed_by_the_same_once_more(house: House) -> None:
    account = house.connected()
    name = house.entry(account).engine_account
    waiting = written(house, account)

    def broken(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        remove(house.services, [account], broken)
    assert house.api("GET", f"/account/{name}").status_code == 404
    assert house.entry(account).engine_account == name
    assert outcomes(remove(house.services, [account], give_up)) == [(account, "deleted")]
    assert house.installation.one("messagefollower")["state"] == "failed"
    assert house.installation.one("messagefollower").id == waiting


def test_deleting_has_an_outcome_for_each_account(house: House) -> None:
    first, refused, lost = (house.connected(f"{name}@example.com") for name in "abc")
    house.api("DELETE", f"/account/{house.entry(lost).engine_account}")
    path = f"/v1/account/{house.entry(refused).engine_account}"
    house.sandbox.control("POST", "/faults", {"method": "DELETE", "path": path, "status": 400})
    done = remove(house.services, [first, refused, lost, 4711], give_up)
    assert outcomes(done) == [
        (first, "deleted"),
        (refused, "failed"),
        (lost, "deleted"),
        (4711, "unchanged"),
    ]
    assert done[1].reason
    assert house.entry(refused).enabled


# --- assigned users -----------------------------------------------------------------------------


def test_an_assigned_user_sends_from_the_account_and_others_do_not(house: House) -> None:
    account = house.connected()
    house.installation.host.application("demo").users.add_role(
        Role("writer", ("email.use",), FULL_ACCESS)
    )
    kim, max_ = house.acting_as("kim", "writer"), house.acting_as("max", "writer")
    update_account(house.services, account, {"users": [kim.application.user.id]})
    draft = Draft(account, "Hello", text="Hi", recipients=(Recipient("anna@example.org"),))
    with pytest.raises(Forbidden):
        submit(max_, draft)
    with counted(house.database) as seen:
        (mail,) = submit(kim, draft).messagefollowers
    assert len(seen) <= BUDGET, seen
    with pytest.raises(Forbidden):
        cancel(max_, mail)
    cancel(kim, mail)
    with pytest.raises(Forbidden):
        resend(max_, mail)
    resend(kim, mail)
    update_account(house.services, account, {"users": []})
    with pytest.raises(Forbidden):
        cancel(kim, mail)


# --- the preview --------------------------------------------------------------------------------


def mail(house: House, to: str, date: Any, *, seen: bool = False) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "anna@example.org", to, "Hello"
    letter["Message-ID"], letter["Date"] = f"<{id(letter)}@example.org>", format_datetime(date)
    letter.set_content("Hi")
    flags = "&flags=%5CSeen" if seen else ""
    path = f"/deliver?mailbox={to}&sender=anna@example.org{flags}"
    house.sandbox.control("POST", path, letter.as_bytes())


def test_the_preview_counts_unread_mail_from_before_the_activation(house: House) -> None:
    account = house.connected()
    for days in (1, 2, 3):
        mail(house, SALES, NOW - timedelta(days=days))
    mail(house, SALES, NOW + timedelta(minutes=5))
    found = preview(house.services, account)
    assert (found.unread, found.exact, found.import_unread) == (3, True, True)
    assert found.activated_at == NOW
    with pytest.raises(NotFound):
        preview(house.services, 4711)


def test_the_preview_of_a_mailbox_that_cannot_be_looked_into_says_so(house: House) -> None:
    account = house.connected(password="wrong")
    with pytest.raises(EngineError) as refusal:
        preview(house.services, account)
    assert refusal.value.status == 503


def test_accounts_of_earlier_versions_are_shown_and_switched(house: House) -> None:
    login = {"host": "127.0.0.1", "port": 1, "auth": {"user": SALES, "pass": "right"}}
    body = {"account": "old", "name": "Old", "email": SALES, "imap": login, "smtp": login}
    house.api("POST", "/account", json=body).raise_for_status()
    with house.database.begin() as connection:
        row = {"engine_account": "old", "email": SALES, "name": "Old", "activated_at": NOW}
        account = connection.execute(
            insert(ACCOUNTS).values(**row).returning(ACCOUNTS.c.id)
        ).scalar_one()
        connection.execute(update(ACCOUNTS).values(state="authenticationSuccess"))
    assert house.entry(account).standing.next_step == "wait"
    assert outcomes(switch(house.services, [account], enabled=False)) == [(account, "changed")]
