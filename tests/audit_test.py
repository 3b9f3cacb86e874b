from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limepkg_email import audit
from limepkg_email.audit import SECRET, Audited
from limepkg_email.services import Services
from tests.installation import Installation, installed
from tests.statements import counted


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with installed(tmp_path, database_url) as found:
        yield found


@pytest.fixture
def services(installation: Installation) -> Services:
    installation.host.application("demo").users.add(
        "ada", name="Ada Admin", email="ada@example.com", role="administrator"
    )
    application = installation.host.application("demo").as_user("ada")
    return replace(installation.services, application=application)


def record(services: Services, *arguments: Any, **values: Any) -> None:
    with services.application.database.begin() as connection:
        audit.record(connection, services, *arguments, **values)


def entries(services: Services) -> list[Audited]:
    return audit.listing(services)[0]


def test_an_entry_says_who_did_what_when_and_to_which(
    services: Services, installation: Installation
) -> None:
    record(services, "account.delete", "account", 7, before={"email": "a@example.com"})
    (found,) = entries(services)
    assert (found.user, found.user_name) == (services.application.user.id, "Ada Admin")
    assert (found.action, found.subject, found.subject_id) == ("account.delete", "account", "7")
    assert found.at == installation.clock()
    assert (found.before, found.after) == ({"email": "a@example.com"}, None)


def test_only_what_changed_is_kept(services: Services) -> None:
    before = {"name": "Support", "relay": True, "aliases": ["a@example.com"]}
    after = {"name": "Help", "relay": True, "aliases": ["a@example.com"], "language": "sv"}
    record(services, "account.update", "account", 1, before=before, after=after)
    (found,) = entries(services)
    assert found.before == {"name": "Support", "language": None}
    assert found.after == {"name": "Help", "language": "sv"}


def test_a_change_of_nothing_leaves_no_entry(services: Services) -> None:
    record(services, "account.update", "account", 1, before={"a": 1, "b": 2}, after={"a": 1})
    assert entries(services) == []


def test_secrets_are_hidden_at_any_depth_and_empty_ones_shown_as_empty(services: Services) -> None:
    after = {
        "client_secret": "s3cret",
        "password": "",
        "apiToken": None,
        "imap": {"host": "mail", "auth": {"user": "u", "pass": "s3cret"}},
        "headers": [{"name": "x", "token": "s3cret"}],
        "secrets": {"one": {"secret": "s3cret"}},
        "tokens": ["s3cret"],
    }
    record(services, "oauth_app.create", "oauth_app", 1, after=after)
    (found,) = entries(services)
    assert "s3cret" not in repr(found)
    assert found.after["client_secret"] == SECRET
    assert (found.after["password"], found.after["apiToken"]) == ("", None)
    assert found.after["imap"] == {"host": "mail", "auth": {"user": "u", "pass": SECRET}}
    assert found.after["headers"] == [{"name": "x", "token": SECRET}]


def test_an_entry_goes_with_the_transaction_of_its_action(services: Services) -> None:
    with services.application.database.connect() as connection, connection.begin() as action:
        audit.record(connection, services, "account.delete", "account", 1)
        action.rollback()
    assert entries(services) == []


def test_the_list_is_paged_newest_first_and_narrowed_to_one_thing(services: Services) -> None:
    for number in range(5):
        record(services, "account.delete", "account", number)
    record(services, "oauth_app.delete", "oauth_app", 3)
    with counted(services.application.database) as statements:
        page, total = audit.listing(services, limit=2, offset=1)
    assert len(statements) == 2
    assert ([each.subject_id for each in page], total) == (["4", "3"], 6)
    page, total = audit.listing(services, subject="account", subject_id="3")
    assert ([each.subject for each in page], total) == (["account"], 1)
