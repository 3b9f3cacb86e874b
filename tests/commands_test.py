"""`flask email …`, as whoever runs the server types it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from limepkg_email.accounts.accounts import ACCOUNTS, read_accounts
from limepkg_email.plugin import EmailIntegration
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.options import ReferenceApplicationOptions
from tests.incoming.recovering import Fragile
from tests.installation import SERVICE_SECRET
from tests.stack import SUPPORT, Stack, running


@pytest.fixture
def fragile() -> Fragile:
    return Fragile()


@pytest.fixture
def stack(tmp_path: Path, fragile: Fragile) -> Iterator[Stack]:
    url = f"sqlite:///{tmp_path}/crm.sqlite"
    with running(tmp_path, url, extensions=[fragile]) as found:
        found.settle()
        yield found


def runner(integration: EmailIntegration) -> FlaskCliRunner:
    app = Flask("crm")
    integration.register_blueprint(app)
    return app.test_cli_runner()


def run(stack: Stack, *words: str) -> str:
    result = runner(stack.installation.integration).invoke(args=["email", *words])
    assert result.exit_code == 0, result.output
    return result.output


def new_integration(tmp_path: Path, **config: object) -> EmailIntegration:
    options = ReferenceApplicationOptions(
        database_url=f"sqlite:///{tmp_path}/crm.sqlite",
        files_directory=tmp_path / "files",
        config={"emailengine_url": "http://127.0.0.1:9", **config},
        secrets={"emailengine_token": "t", "emailengine_service_secret": SERVICE_SECRET},
    )
    host = ReferenceHost(None, {"demo": options})
    host.create_databases()
    return EmailIntegration(host, load_entry_points=False)


def test_setup_says_what_it_would_do_does_it_and_has_nothing_left(tmp_path: Path) -> None:
    integration = new_integration(tmp_path)
    cli = runner(integration)
    planned = cli.invoke(args=["email", "setup", "--dry-run"]).output
    assert "Create the limetype conversation" in planned
    assert cli.invoke(args=["email", "setup", "--dry-run"]).output == planned
    assert cli.invoke(args=["email", "setup"]).output == planned
    assert cli.invoke(args=["email", "setup"]).output == "Nothing to do.\n"
    integration.host.close()  # type: ignore[attr-defined]


def test_commands_before_setup_name_the_setup(tmp_path: Path) -> None:
    integration = new_integration(tmp_path)
    for command in ("jobs", "receipts"):
        result = runner(integration).invoke(args=["email", command])
        assert result.exit_code == 1
        assert "flask email setup" in result.output
    integration.host.close()  # type: ignore[attr-defined]


def test_setup_that_conflicts_ends_with_a_sentence(tmp_path: Path) -> None:
    integration = new_integration(
        tmp_path, conversation_parents=[{"limetype": "helpdesk", "title": "headline"}]
    )
    result = runner(integration).invoke(args=["email", "setup"])
    assert result.exit_code == 1
    assert "helpdesk.headline does not exist" in result.output
    integration.host.close()  # type: ignore[attr-defined]


def test_mailbox_of_the_engine_is_connected_by_its_name(stack: Stack) -> None:
    login = {"host": "127.0.0.1", "port": 1, "auth": {"user": "sales", "pass": "x"}}
    account = {"account": "sales", "name": "Sales", "email": "sales@example.com"}
    stack.engine("POST", "/account", json={**account, "imap": login, "smtp": login})
    assert "sales@example.com is connected" in run(stack, "add-account", "sales")
    with stack.installation.services.application.database.connect() as connection:
        chosen = select(ACCOUNTS.c.type, ACCOUNTS.c.state, ACCOUNTS.c.state_at)
        row = connection.execute(chosen.where(ACCOUNTS.c.engine_account == "sales")).one()
    assert (row.type, row.state) == ("imap", "connected")
    assert row.state_at is not None
    result = runner(stack.installation.integration).invoke(args=["email", "add-account", "nobody"])
    assert result.exit_code == 1


def test_a_mailbox_is_not_connected_twice_under_two_names(stack: Stack) -> None:
    login = {"host": "127.0.0.1", "port": 1, "auth": {"user": "sales", "pass": "x"}}
    for name, email in (("sales", "sales@example.com"), ("again", "Sales@Example.com")):
        account = {"account": name, "name": "Sales", "email": email}
        stack.engine("POST", "/account", json={**account, "imap": login, "smtp": login})
    said = run(stack, "add-account", "sales")
    assert run(stack, "add-account", "sales") == said, "once more changes nothing"
    cli = runner(stack.installation.integration)
    result = cli.invoke(args=["email", "add-account", "again"])
    assert result.exit_code == 1
    assert "sales@example.com is connected already" in result.output
    with stack.installation.services.application.database.connect() as connection:
        assert read_accounts(connection).by_engine_account("again") is None


def deliver(stack: Stack, subject: str) -> None:
    raw = f"From: anna@example.org\r\nTo: {SUPPORT}\r\nSubject: {subject}\r\n\r\nText\r\n"
    stack.deliver(raw.encode())
    stack.settle()


def test_failed_mail_is_parked_with_its_reason_and_can_be_tried_again(
    stack: Stack, fragile: Fragile
) -> None:
    deliver(stack, "poison")
    deliver(stack, "after")
    assert [each["subject"] for each in stack.installation.all("conversationmessage")] == ["after"]
    folders = {each["subject"]: each["path"] for each in stack.mailbox(SUPPORT)}
    assert folders == {"poison": "Lime CRM Integration Failed", "after": "INBOX"}
    shown = run(stack, "receipts")
    assert "failed: 1" in shown
    assert "The filter 'fragile' failed: RuntimeError('no such rule')" in shown
    assert "failed: 1" in run(stack, "jobs", "--failed")

    fragile.broken = False
    run(stack, "jobs", "--retry")
    stack.settle()
    subjects = [each["subject"] for each in stack.installation.all("conversationmessage")]
    assert subjects == ["after", "poison"]
    assert "failed" not in run(stack, "receipts")
