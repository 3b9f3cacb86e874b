"""What is held about an address is found and removed, and nothing comes twice because of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, insert, select, text, update

from limepkg_email import audit, event_log
from limepkg_email.db import table
from limepkg_email.erasure import ERASED, erase, held, in_the_crm
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.event_log import Level
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.models import (
    Base,
    Disposition,
    Draft,
    DraftFile,
    Job,
    LogEntry,
    Outbox,
    Receipt,
)
from limepkg_email.services import Services
from tests.incoming.arriving import arriving
from tests.installation import NOW, Installation, installed

ANNA = "anna@example.org"
LONGER = ("joanna@example.org", "anna@example.org.uk", "anna@example.orgs")


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with installed(tmp_path, database_url) as found:
        found.connect("support", "support@example.com")
        yield found


@pytest.fixture
def services(installation: Installation) -> Services:
    return installation.services


@pytest.fixture
def engine(services: Services) -> Engine:
    return services.application.database


def add(engine: Engine, model: type[Base], **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table(model)).values(**values))


def rows(engine: Engine, model: type[Base]) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table(model))).all())


def receipt(engine: Engine, key: str, **values: Any) -> None:
    row = {"account": "support", "content_key": key, "disposition": "imported", "seen_at": NOW}
    add(engine, Receipt, **{**row, "mail_key": key, "trace": [], **values})


def mail(engine: Engine, guid: str, address: str = ANNA, **values: Any) -> None:
    payload = json.dumps({"to": [{"address": address}], "text": "Dear Anna"})
    row = {"messagefollower": 1, "account": "support", "state": "sent", "recipient": address}
    row |= {"guid": guid, "message_id": guid, "payload": payload}
    add(engine, Outbox, **{**row, "state_at": NOW, "created_at": NOW, **values})


def job(engine: Engine, state: str, payload: object) -> None:
    row = {"task": "t", "state": state, "run_at": NOW, "created_at": NOW}
    add(engine, Job, **row, payload=json.dumps(payload))


def draft(engine: Engine, user: int, *addresses: str, **content: Any) -> None:
    content["recipients"] = [{"email": each, "name": "Somebody"} for each in addresses]
    add(engine, Draft, user=user, content=content, changed_at=NOW)


def everything(engine: Engine) -> str:
    """All our tables as one text; the audit log is kept on purpose."""
    return "\n".join(
        json.dumps([str(value) for value in row], ensure_ascii=False)
        for model in Base.__subclasses__()
        if table(model).name != "limepkg_email_audit"
        for row in rows(engine, model)
    ).lower()


def fill(services: Services, engine: Engine) -> None:
    receipt(engine, "from", sender="Anna@example.org", subject="My illness")
    step = {"step": "participants", "detail": f"{ANNA} was new", "facts": {"who": [ANNA]}}
    receipt(engine, "among", sender="bob@example.org", subject="Hi", trace=[step])
    mail(engine, "sent")
    mail(engine, "quoted", "bob@example.org", payload=json.dumps({"text": f"{ANNA} wrote:"}))
    job(engine, "failed", {"data": {"from": {"address": ANNA}}})
    draft(engine, 1, ANNA, "bob@example.org", html=f"<p>Hello {ANNA}!</p>")
    with engine.begin() as connection:
        event_log.note(
            connection, NOW, Level.INFO, "x", f"A bounce for {ANNA}.", recipient=ANNA, tries=2
        )


def test_a_plan_says_what_is_held_and_changes_nothing(services: Services, engine: Engine) -> None:
    fill(services, engine)
    before = everything(engine)
    assert {each.what: each.count for each in held(services, " ANNA@example.org ")} == {
        "receipts of mails": 2,
        "mails that were sent": 2,
        "failed jobs": 1,
        "drafts": 1,
        "entries of the log": 1,
    }
    assert everything(engine) == before
    assert held(services, "nobody@example.org") == []


def test_nothing_of_the_address_is_left_in_any_table(services: Services, engine: Engine) -> None:
    fill(services, engine)
    assert ANNA in everything(engine)
    erase(services, ANNA)
    left = everything(engine)
    assert ANNA not in left
    assert "my illness" not in left
    assert "dear anna" not in left
    assert held(services, ANNA) == []
    (entry,) = rows(engine, LogEntry)
    assert entry.text == f"A bounce for {ERASED}."
    assert entry.details == {"recipient": ERASED, "tries": 2}
    (written,) = rows(engine, Draft)
    assert [each["email"] for each in written.content["recipients"]] == ["bob@example.org"]
    assert (written.content["html"], written.version) == (f"<p>Hello {ERASED}!</p>", 2)


def test_what_keeps_mails_from_coming_twice_stays(services: Services, engine: Engine) -> None:
    fill(services, engine)
    receipts, sent = rows(engine, Receipt), rows(engine, Outbox)
    erase(services, ANNA)
    for before, after in zip(receipts, rows(engine, Receipt), strict=True):
        kept = ("account", "mail_key", "content_key", "disposition", "seen_at", "conversation")
        assert [getattr(after, each) for each in kept] == [getattr(before, each) for each in kept]
    assert {row.guid: (row.state, row.recipient) for row in rows(engine, Outbox)} == {
        "sent": ("sent", ""),
        "quoted": ("sent", "bob@example.org"),
    }
    assert len(sent) == 2


def test_an_imported_mail_is_not_imported_again_after_the_erasure(
    installation: Installation, services: Services, engine: Engine
) -> None:
    letter = arriving("A question", sender=ANNA)
    assert import_message(services, "support", letter).disposition is Disposition.IMPORTED
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM limepkg_email_job"))
    erase(services, ANNA)
    assert ANNA not in everything(engine)
    import_message(services, "support", letter)
    assert len(installation.all("conversationmessage")) == 1
    installation.add("person", firstname="Anna", email="Anna@Example.ORG")
    assert in_the_crm(services, ANNA) == {"follower": 1, "person": 1}


def test_longer_addresses_that_contain_it_are_somebody_elses(
    services: Services, engine: Engine
) -> None:
    for number, address in enumerate(LONGER):
        receipt(engine, f"r{number}", sender=address)
        mail(engine, f"m{number}", address)
        draft(engine, number, address)
    before = everything(engine)
    assert held(services, ANNA) == []
    erase(services, ANNA)
    assert everything(engine) == before


def test_an_address_in_national_characters_is_found_in_json_too(
    services: Services, engine: Engine
) -> None:
    job(engine, "failed", {"from": "åsa@example.org"})
    draft(engine, 1, "åsa@example.org")
    draft(engine, 2, "ÅSA@example.org")
    receipt(engine, "capitals", sender="Åsa@example.org")
    erase(services, "Åsa@example.org")
    assert "sa@example.org" not in everything(engine)


@pytest.mark.parametrize("before", ["\n", "\r\n", "\t", "\f", '"', "\\", "/", ":"])
def test_an_address_is_found_after_whatever_json_escapes(
    services: Services, engine: Engine, before: str
) -> None:
    written = f"Hello{before}{ANNA}{before}wrote"
    mail(engine, "quoted", "bob@example.org", payload=json.dumps({"text": written}))
    draft(engine, 1, "bob@example.org", html=written)
    job(engine, "failed", {"text": written})
    receipt(engine, "among", trace=[{"step": "x", "facts": {"who": [written]}}])
    assert [each.count for each in held(services, ANNA)] == [1, 1, 1, 1]
    erase(services, ANNA)
    assert ANNA not in everything(engine)


def test_names_of_values_and_of_files_lose_the_address_too(
    services: Services, engine: Engine
) -> None:
    with engine.begin() as connection:
        event_log.note(connection, NOW, Level.INFO, "x", "Refused.", codes={ANNA: 550})
    row = {"user": 1, "conversation": 0, "key": "k", "file": "f", "content_type": "text/plain"}
    add(engine, DraftFile, **row, size=1, created_at=NOW, filename=f"From {ANNA} in May.txt")
    erase(services, ANNA)
    (entry,), (file,) = rows(engine, LogEntry), rows(engine, DraftFile)
    assert entry.details == {"codes": {ERASED: 550}}
    assert file.filename == f"From {ERASED} in May.txt"


def test_what_a_user_writes_meanwhile_is_not_lost(services: Services, engine: Engine) -> None:
    draft(engine, 1, ANNA, html="before")
    chosen = re.compile(r"\sFROM limepkg_email_draft\b")
    seen: list[str] = []

    def look(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.extend(chosen.findall(statement))

    def write(*_: Any) -> None:
        if len(seen) != 2:  # the plan has read it, and so has the page that is to be changed
            return
        seen.append("the user")
        content = {"recipients": [{"email": ANNA}], "html": "after"}
        with engine.begin() as connection:
            connection.execute(update(table(Draft)).values(content=content, version=7))

    event.listen(engine, "after_cursor_execute", look)
    event.listen(engine, "checkout", write)
    erase(services, ANNA)
    event.remove(engine, "after_cursor_execute", look)
    event.remove(engine, "checkout", write)
    (written,) = rows(engine, Draft)
    assert (written.content, written.version) == ({"recipients": [], "html": "after"}, 8)


@pytest.mark.parametrize("what", ["failed", "waits", "job", "own"])
def test_what_still_goes_on_has_to_be_dealt_with_before(
    services: Services, engine: Engine, what: str
) -> None:
    fill(services, engine)
    address = ANNA
    if what == "failed":
        receipt(engine, "bad", sender=ANNA, disposition="failed")
    elif what == "waits":
        mail(engine, "later", state="queued")
    elif what == "job":
        job(engine, "queued", {"from": ANNA})
    else:
        address = "support@example.com"
    before = everything(engine)
    with pytest.raises(Conflict, match=r"Nothing was removed\. First: 1 "):
        erase(services, address)
    assert everything(engine) == before
    assert [each.count for each in held(services, address) if each.stops] == [1]


def test_a_long_table_is_gone_through_page_by_page(services: Services, engine: Engine) -> None:
    row = {"account": "support", "disposition": "imported", "seen_at": NOW, "trace": []}
    mails = [
        {**row, "mail_key": f"k{n}", "content_key": f"k{n}", "sender": ANNA if n % 2 else "b@x.org"}
        for n in range(2400)
    ]
    with engine.begin() as connection:
        connection.execute(insert(table(Receipt)), mails)
    (found,) = erase(services, ANNA)
    assert found.count == 1200
    assert sum(row.sender == "" for row in rows(engine, Receipt)) == 1200


def test_the_erasure_is_audited_without_the_address(services: Services, engine: Engine) -> None:
    fill(services, engine)
    erase(services, ANNA)
    (entry, *_), _total = audit.listing(services)
    assert entry.action == "address.erase"
    assert entry.after["drafts"] == 1
    assert "anna" not in repr(entry)


def test_what_is_no_address_is_refused(services: Services) -> None:
    for wrong in ("", "anna", "%", "anna@"):
        with pytest.raises(InvalidInput):
            held(services, wrong)
        with pytest.raises(InvalidInput):
            erase(services, wrong)


def test_the_command_plans_first_and_does_it_with_yes(
    installation: Installation, services: Services, engine: Engine
) -> None:
    fill(services, engine)
    installation.add("person", firstname="Anna", email=ANNA)
    app = Flask("crm")
    installation.integration.register_blueprint(app)

    def run(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["email", "erase", *words])
        return result.exit_code, result.output

    code, said = run(ANNA)
    assert code == 0
    assert "2 receipts of mails: lose sender" in said
    assert "1 person in the CRM: left alone, remove it there" in said
    assert said.endswith("Nothing was removed; --yes does it.\n")
    assert ANNA in everything(engine)
    code, said = run(ANNA, "--yes")
    assert (code, "1 drafts" in said, "--yes" in said) == (0, True, False)
    assert ANNA not in everything(engine)
    assert run(ANNA)[1].startswith("Nothing is held about it.\n1 person")
    assert run("anna") == (1, "Error: 'anna' is not an e-mail address.\n")
