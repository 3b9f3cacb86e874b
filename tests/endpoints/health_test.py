"""What is told of an engine that works, that only answers, and that is away; and its raw mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert, update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.sandbox import Sandbox, SandboxOptions

from .crm import NOW, SECRETS, Crm, Person

SUPPORT = "support@example.com"
LOGIN = {"host": "127.0.0.1", "port": 1, "auth": {"user": SUPPORT, "pass": "right"}}
RAW = b"From: anna@example.org\r\nSubject: <script>\r\nMessage-ID: <a@b.c>\r\n\r\n<b>Text</b>\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    token = SECRETS["emailengine_token"]
    options = SandboxOptions(directory=tmp_path_factory.mktemp("engine"), token=token)
    with Sandbox(options) as found:
        yield found


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.control("POST", "/reset", {})
    running.control("POST", "/resume")
    return running


@pytest.fixture
def crm(make_crm: Callable[..., Crm], sandbox: Sandbox) -> Crm:
    """The CRM with an engine that knows its account."""
    made = make_crm(emailengine_url=sandbox.url)
    account = {"account": "support", "name": "Support", "email": SUPPORT}
    engine = made.integration.services("crm").engine
    engine.create_account({**account, "imap": LOGIN, "smtp": LOGIN})
    return made


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def test_an_engine_that_works_is_asked_to_look_into_a_mailbox(crm: Crm, admin: Person) -> None:
    answer = admin.get("/health/engine")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "account": crm.account.id})


def test_an_engine_with_a_suspended_licence_is_not_well_although_it_answers(
    sandbox: Sandbox, admin: Person
) -> None:
    sandbox.control("POST", "/suspend")
    answer = admin.get("/health/engine")
    assert answer.status_code == 503
    assert "licence is suspended" in answer.json["message"]
    assert int(answer.headers["Retry-After"]) > 0
    assert admin.get("/health").status_code == 200, "the CRM goes on"
    sandbox.control("POST", "/resume")
    assert admin.get("/health/engine").status_code == 200


def test_an_engine_without_workers_is_not_well(sandbox: Sandbox, admin: Person) -> None:
    fault = {"action": "refuse", "path": "/v1/account/*", "status": 503, "times": 9}
    sandbox.control("POST", "/faults", fault)
    assert admin.get("/health/engine").status_code == 503


def test_an_account_with_a_wrong_password_says_nothing_about_the_engine(
    crm: Crm, sandbox: Sandbox, admin: Person
) -> None:
    sandbox.control("PUT", "/accounts/support/state", {"state": "authenticationError"})
    with crm.engine.begin() as connection:
        connection.execute(update(ACCOUNTS).values(state="authenticationError"))
    answer = admin.get("/health/engine")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "account": None})


def test_a_raw_mail_is_a_file_that_no_browser_shows(
    crm: Crm, sandbox: Sandbox, admin: Person
) -> None:
    id = sandbox.control("POST", f"/deliver?mailbox={SUPPORT}&exact=true", RAW)["id"]
    values = {"account": "support", "mail_key": "k", "content_key": "c", "disposition": "failed"}
    row = {**values, "engine_id": id, "message_id": "<a@b.c>", "seen_at": NOW, "trace": []}
    with crm.engine.begin() as connection:
        added = insert(RECEIPTS).values(row).returning(RECEIPTS.c.id)
        receipt = connection.execute(added).scalar_one()
    answer = admin.get(f"/failed-message/{receipt}/raw")
    assert answer.status_code == 200
    assert answer.data == RAW
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="mail-{receipt}.eml"'
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    (read,) = admin.get("/audit/", subject="receipt").json["items"]
    assert (read["action"], read["subject_id"]) == ("failed_message.read", str(receipt))
