"""The accounts as administrators and users see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Select, insert, text, update

from limepkg_email.accounts import listing
from limepkg_email.accounts.access import assign, may_send
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.listing import list_accounts, read_entry, sending_accounts
from limepkg_email.accounts.standing import Step, standing
from limepkg_email.db import table
from limepkg_email.errors import NotFound
from limepkg_email.models import AccountReport, Outbox, Receipt
from tests.installation import NOW, Installation, installed
from tests.statements import counted

MANY = 1000
REFUSED = ((3, "refused"), (4, "refused"))


@pytest.fixture
def many(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """A thousand accounts, each with receipts, sent mails, reports and a user."""
    with installed(tmp_path, database_url) as found:
        names = [f"a{number:04}" for number in range(MANY)]
        with found.services.application.database.begin() as connection:
            connection.execute(
                insert(ACCOUNTS),
                [
                    {
                        "engine_account": name,
                        "email": f"{name}@example.com",
                        "name": f"Mailbox {name}",
                        "aliases": [f"alias-of-{name}@example.com"],
                        "activated_at": NOW,
                        "state": "connectError" if name.endswith("7") else "connected",
                    }
                    for name in names
                ],
            )
            for number in range(1, MANY + 1):
                assign(connection, number, [number % 10 + 1])
            receipts = [
                {
                    "account": name,
                    "mail_key": f"{disposition}{day}",
                    "content_key": "c",
                    "disposition": disposition,
                    "seen_at": NOW + timedelta(days=day),
                }
                for name in names
                for day, disposition in ((1, "imported"), (2, "imported"), (3, "filtered"))
            ]
            connection.execute(insert(table(Receipt)), receipts)
            mails = [
                {
                    "guid": f"{name}-{day}",
                    "messagefollower": 1,
                    "account": name,
                    "message_id": f"<{name}-{day}>",
                    "payload": "{}",
                    "state": state,
                    "state_at": NOW + timedelta(days=day),
                    "created_at": NOW,
                }
                for name in names
                for day, state in ((4, "sent"), (5, "failed"))
            ]
            connection.execute(insert(table(Outbox)), mails)
            reports = [
                {
                    "account": name,
                    "started_at": NOW,
                    "finished_at": NOW + timedelta(hours=hour),
                    "error": error,
                }
                for name in names
                for hour, error in ((1, "was away"), (2, ""), *(REFUSED if name == "a0007" else ()))
            ]
            connection.execute(insert(table(AccountReport)), reports)
        yield found


def test_a_thousand_accounts_take_as_many_statements_as_one(many: Installation) -> None:
    services = many.services
    with counted(services.application.database) as seen:
        found, total = list_accounts(services, limit=1000)
    assert (len(found), total, len(seen)) == (MANY, MANY, 3)
    with counted(services.application.database) as seen:
        assert len(list_accounts(services, limit=1)[0]) == 1
    assert len(seen) == 3
    entry = found[123]
    assert (entry.engine_account, entry.users) == ("a0123", [5])
    assert entry.last_seen == NOW + timedelta(days=3)
    assert entry.last_imported == NOW + timedelta(days=2)
    assert entry.last_sent == NOW + timedelta(days=4)
    assert (entry.last_recovery, entry.recovery_error) == (NOW + timedelta(hours=2), "")


def test_a_recovery_that_did_not_get_to_the_end_is_not_the_last_success(
    many: Installation,
) -> None:
    ((entry,), _) = list_accounts(many.services, query="a0007")
    assert (entry.last_recovery, entry.recovery_error) == (NOW + timedelta(hours=2), "refused")
    with many.services.application.database.begin() as connection:
        ended = table(AccountReport).c.error == ""
        connection.execute(table(AccountReport).delete().where(ended))
        entry = read_entry(connection, entry.id)
    assert (entry.last_recovery, entry.recovery_error) == (None, "refused")


def plan_of(installation: Installation, chosen: Select[tuple[object]]) -> str:
    database = installation.services.application.database
    with database.connect() as connection:
        options = {"literal_binds": True}
        compiled = str(chosen.compile(connection, compile_kwargs=options))
        if connection.dialect.name == "sqlite":
            rows = connection.execute(text("EXPLAIN QUERY PLAN " + compiled.replace(":", "\\:")))
            return "\n".join(str(each[3]) for each in rows)
        connection.execute(text("ANALYZE"))
        rows = connection.execute(text("EXPLAIN " + compiled.replace(":", "\\:")))
        return "\n".join(str(each[0]) for each in rows)


def test_the_last_successes_are_found_through_indexes(many: Installation) -> None:
    page = listing._entries().order_by(ACCOUNTS.c.id).limit(50)
    plan = plan_of(many, page)
    for index in (
        "receipt_account_seen_at",
        "receipt_of_account",
        "outbox_account_state_at",
        "account_report_account_id",
    ):
        assert index in plan, plan
    if many.services.application.database.dialect.name == "sqlite":
        assert re.findall(r"SCAN (\S+)", plan) == ["limepkg_email_account"], plan
        assert "TEMP B-TREE" not in plan, plan
    else:
        assert re.findall(r"Seq Scan on (\S+)", plan) in ([], ["limepkg_email_account"]), plan
        # One step in the index each, no sorting of what an account has.
        assert plan.count("Limit") == 6, plan


def test_accounts_are_found_by_what_is_known_of_them(many: Installation) -> None:
    services = many.services
    for query in ("A0123", "a0123@example", "mailbox A0123", "ALIAS-of-a0123@"):
        found, total = list_accounts(services, query=query)
        assert ([each.engine_account for each in found], total) == (["a0123"], 1), query
    assert list_accounts(services, query="%")[1] == 0, "a per cent sign is one"
    assert list_accounts(services, query="_0123")[1] == 0
    found, total = list_accounts(services, state="connectError", limit=3, offset=2)
    assert total == MANY // 10
    assert [each.engine_account for each in found] == ["a0027", "a0037", "a0047"]
    assert list_accounts(services, query="a0007", state="connected") == ([], 0)
    assert list_accounts(services, offset=5000) == ([], MANY)


def test_accounts_are_found_by_the_state_in_which_people_see_them(many: Installation) -> None:
    services, database = many.services, many.services.application.database
    with database.begin() as connection:
        for name, change in {
            "a0001": {"enabled": False},
            "a0002": {"state": "init"},
            "a0003": {"state": "unset", "enabled": False},
        }.items():
            connection.execute(
                update(ACCOUNTS).where(ACCOUNTS.c.engine_account == name).values(change)
            )

    def accounts(state: str) -> list[str]:
        found, _ = list_accounts(services, state=state, limit=MANY)
        return [each.engine_account for each in found]

    assert accounts("disabled") == ["a0001", "a0003"]
    assert accounts("connecting") == ["a0002"]
    assert accounts("disconnected") == ["a0003"], "what is wrong with it is found all the same"
    assert not {"a0001", "a0002", "a0003"} & set(accounts("connected"))


def test_an_account_that_is_not_there_is_not_found(many: Installation) -> None:
    with many.services.application.database.connect() as connection:
        assert read_entry(connection, 1).engine_account == "a0000"
        with pytest.raises(NotFound):
            read_entry(connection, 4711)


def test_users_see_the_enabled_accounts_from_which_they_may_send(many: Installation) -> None:
    users = many.host.application("demo").users
    users.add("rita", role="reader", grants=["email.send_as:a0500"])
    rita = many.host.application("demo").as_user("rita")
    database = many.services.application.database
    with database.begin() as connection:
        for account in range(1, MANY + 1):
            assign(connection, account, [])
        assign(connection, 3, [rita.user.id])
        assign(connection, 4, [rita.user.id])
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == 4).values(enabled=False))
    acting = many.integration.services("demo")
    acting = type(acting)(
        rita, acting.config, acting.engine, acting.hooks, acting.clock, acting.wake
    )
    with counted(database) as seen:
        found = sending_accounts(acting)
    assert [each.engine_account for each in found] == ["a0002", "a0500"]
    assert len(seen) == 1
    with database.connect() as connection:
        assert may_send(acting, connection, "a0002")
        assert may_send(acting, connection, "a0500")
        assert not may_send(acting, connection, "a0001")
        assert not may_send(acting, connection, "nosuch")
    assert len(sending_accounts(many.services)) == MANY - 1, "an administrator may all of them"


@pytest.mark.parametrize(
    ("state", "enabled", "kind", "step", "words"),
    [
        ("connected", True, "imap", Step.NONE, ""),
        ("syncing", True, "imap", Step.NONE, ""),
        ("init", True, "imap", Step.WAIT, ""),
        ("connecting", True, "imap", Step.WAIT, ""),
        ("paused", True, "imap", Step.WAIT, ""),
        ("authenticationError", True, "imap", Step.SIGN_IN_AGAIN, "login"),
        ("connectError", True, "imap", Step.CHECK_SERVER, "reached"),
        ("disconnected", True, "imap", Step.RECONNECT, "no connection"),
        ("unset", True, "imap", Step.RECONNECT, "no connection"),
        ("missing", True, "imap", Step.RECONNECT, "not know"),
        ("missing", False, "imap", Step.RECONNECT, "not know"),
        ("connected", False, "imap", Step.ENABLE, "disabled"),
        ("connectError", False, "imap", Step.ENABLE, "disabled"),
        ("authenticationError", False, "imap", Step.SIGN_IN_AGAIN, "login"),
        ("connected", False, "oauth2", Step.ENABLE, "disabled"),
        ("authenticationError", False, "oauth2", Step.CHECK_APP, "application"),
        ("connected", True, "oauth2", Step.CHECK_APP, "application"),
    ],
)
def test_every_state_says_what_to_do(
    state: str, enabled: bool, kind: str, step: Step, words: str
) -> None:
    found = standing(enabled=enabled, state=state, last_error="535 no", kind=kind)
    assert found.next_step == step
    assert words in found.cause
    assert bool(found.advice) == (step != Step.NONE)
    quoted = step in (Step.SIGN_IN_AGAIN, Step.CHECK_SERVER) or state in (
        "missing",
        "unset",
        "disconnected",
    )
    assert ("535 no" in found.cause) == quoted
