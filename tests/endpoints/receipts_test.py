"""Receipts over HTTP, a million of them too, and why a message is where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select, text

from limepkg_email.addresses import normalise
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.incoming.receipt_search import MOST_COUNTED
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.reference.access import Access, Role
from limepkg_email.services import Services
from tests.incoming.arriving import arriving

from .crm import NOW, Crm, Person, statements

MILLION = 1_000_000
FEWER = 100_000
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)",
    "postgresql": "WITH n AS (SELECT generate_series(1, :count) AS i)",
}
_MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 1772000000 + i, 'unixepoch')",
    "postgresql": "to_timestamp(1772000000 + i)",
}


def fill(engine: Engine, count: int) -> None:
    """Write receipts with one statement; one in a hundred has failed."""
    name = engine.dialect.name
    statement = f"""INSERT INTO limepkg_email_receipt
        (account, mail_key, content_key, disposition, reason, attempts, engine_id, message_id,
         subject, sender, trace, seen_at)
        {_NUMBERS[name]}
        SELECT CASE i % 10 WHEN 0 THEN 'support' ELSE 'other' END, 'h:' || i, 'c' || i,
               CASE i % 100 WHEN 0 THEN 'failed' ELSE 'imported' END, '', 1, '', '',
               'Subject ' || i, 'user' || (i % 1000) || '@example.org', '[]', {_MOMENT[name]}
        FROM n"""
    if name == "sqlite":  # a common table expression stands before INSERT's SELECT
        statement = statement.replace(_NUMBERS[name], "", 1)
        statement = f"{_NUMBERS[name]} {statement}"
    with engine.begin() as connection, without_indexes(connection):
        connection.execute(text(statement), {"count": count})
    with engine.connect() as connection:
        connection.execute(text("ANALYZE limepkg_email_receipt"))
        connection.commit()


@contextmanager
def without_indexes(connection: Connection) -> Iterator[None]:
    """Let PostgreSQL build the indexes in one go afterwards, and write no log for any of it."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("ALTER TABLE limepkg_email_receipt SET UNLOGGED"))
    definitions = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table"
    rows = connection.execute(text(definitions), {"table": "limepkg_email_receipt"}).all()
    indexes = [each for each in rows if each.indexname.startswith("ix_")]
    for each in indexes:
        connection.execute(text(f"DROP INDEX {each.indexname}"))
    yield
    for each in indexes:
        connection.execute(text(each.indexdef))


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def receipt(crm: Crm, **values: Any) -> None:
    row = {
        "account": "support",
        "mail_key": str(values),
        "content_key": "c",
        "disposition": "imported",
        "reason": "",
        "subject": "Offer 7",
        "sender": "anna@example.org",
        "trace": [],
        "seen_at": NOW,
        **values,
    }
    with crm.engine.begin() as connection:
        connection.execute(insert(RECEIPTS).values(row))


def found(admin: Person, **query: object) -> list[str]:
    answer = admin.get("/receipts/", **query)
    assert answer.status_code == 200, answer.json
    return [each["subject"] for each in answer.json["items"]]


def test_receipts_are_filtered(crm: Crm, admin: Person) -> None:
    receipt(crm, subject="Offer", seen_at=NOW - timedelta(hours=2))
    receipt(crm, subject="100% off", sender="Bob@Example.org", disposition="filtered")
    receipt(crm, subject="Office", account="gone", seen_at=NOW + timedelta(hours=1))
    assert found(admin) == ["Office", "100% off", "Offer"]
    assert found(admin, account=crm.account.id) == ["100% off", "Offer"]
    assert found(admin, disposition="filtered") == ["100% off"]
    assert found(admin, since=NOW.isoformat()) == ["Office", "100% off"]
    assert found(admin, until=NOW.isoformat()) == ["Offer"]
    assert found(admin, text="off") == ["Office", "Offer"]
    assert found(admin, text="100%") == ["100% off"]
    assert found(admin, text="%") == []
    assert found(admin, text="bob@example.org") == ["100% off"]
    assert found(admin, text="example.org") == []
    (item,) = admin.get("/receipts/", text="Office").json["items"]
    assert (item["account"], item["email"]) == (None, "")


def plan_of(engine: Engine, executed: list[str], values: list[Any]) -> list[str]:
    plans = []
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        for statement, parameters in zip(executed, values, strict=True):
            if "limepkg_email_receipt" in statement:
                rows = connection.exec_driver_sql(explain + statement, parameters)
                plans.append("\n".join(str(row) for row in rows))
    return plans


@pytest.fixture
def million(any_crm: Crm) -> Crm:
    """A million receipts on PostgreSQL; on SQLite, whose planner looks at no sizes, fewer do."""
    fill(any_crm.engine, MILLION if any_crm.engine.dialect.name == "postgresql" else FEWER)
    return any_crm


def test_a_million_receipts_are_paged_by_indexes_alone(million: Crm) -> None:
    crm, admin = million, million.person("administrator")
    with crm.engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(RECEIPTS)) or 0
    queries: list[dict[str, object]] = [
        {},
        {"account": crm.account.id},
        {"disposition": "failed"},
        {"account": crm.account.id, "disposition": "failed"},
        {"since": "2026-02-25T00:00:00Z", "until": "2026-03-05T00:00:00Z"},
        {"before": count // 2},
        {"text": "user7@example.org"},
        {"text": "Subject 89", "before": count * 9 // 10},
    ]
    for query in queries:
        admin.get("/receipts/", **query)
        with executed(crm.engine) as (ran, values):
            answer = admin.get("/receipts/", limit=200, **query)
        assert answer.status_code == 200, answer.json
        assert len(answer.json["items"]) > 0, query
        touching = plan_of(crm.engine, ran, values)
        assert 2 <= len(touching) <= 4
        for plan in touching:
            assert "ix_limepkg_email_receipt" in plan, (query, plan)
            assert "SCAN limepkg_email_receipt\n" not in plan
            assert "Seq Scan" not in plan, (query, plan)
    page = admin.get("/receipts/").json
    assert (page["total"], page["total_is_exact"]) == (MOST_COUNTED, False)
    failed = admin.get(f"/failed-messages/{crm.account.id}/").json
    assert (failed["total"], failed["total_is_exact"]) == (count // 100, True)


def executed(engine: Engine) -> Any:
    return _Executed(engine)


class _Executed:
    """Collects statements with their parameters."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: tuple[list[str], list[Any]] = ([], [])

    def _note(self, _: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if not statement.startswith("BEGIN"):
            self._found[0].append(statement)
            self._found[1].append(parameters)

    def __enter__(self) -> tuple[list[str], list[Any]]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self._found

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)


def test_paging_on_finds_every_receipt_once_text_or_not(crm: Crm, admin: Person) -> None:
    fill(crm.engine, 25_000)
    for query, expected in (({}, 25_000), ({"text": "user7@example.org"}, 25)):
        seen: list[int] = []
        before: dict[str, int] = {}
        while True:
            page = admin.get("/receipts/", limit=200, **query, **before).json
            seen += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
        assert len(seen) == len(set(seen)) == expected
        assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"disposition": "lost"}, "disposition"),
        ({"account": "x"}, "account"),
        ({"since": "yesterday"}, "since"),
        ({"text": "x" * 321}, "text"),
        ({"limit": "0"}, "limit"),
        ({"limit": "100000"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "10001"}, "offset"),
        ({"before": "0"}, "before"),
        ({"odd": "1"}, "odd"),
    ],
)
def test_odd_filters_are_refused_by_name(admin: Person, query: dict[str, str], field: str) -> None:
    answer = admin.get("/receipts/", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_what_is_not_there_is_not_found(admin: Person) -> None:
    assert admin.get("/receipts/", account=4711).status_code == 404
    assert admin.get("/receipt/4711/").status_code == 404
    assert admin.get("/message/4711/trace/").status_code == 404
    assert found(admin, before=4711) == []


# --- why is this mail here? -----------------------------------------------------------------------


def services(crm: Crm) -> Services:
    return crm.integration.services("crm")


def arrive(crm: Crm, **values: Any) -> int:
    """Import a mail; gives its message."""
    outcome = import_message(services(crm), "support", arriving(date=crm.now, **values))
    assert outcome.imported is not None, outcome
    return outcome.imported.conversationmessage


def told(person: Person, message: int) -> dict[str, dict[str, Any]]:
    answer = person.get(f"/message/{message}/trace/")
    assert answer.status_code == 200, answer.json
    return {each["code"]: each for each in answer.json["entries"]}


def test_a_trace_says_what_was_decided_about_a_new_thread(any_crm: Crm) -> None:
    crm = any_crm
    anna = crm.add("person", firstname="Anna", lastname="A", email="Anna@Example.org")
    crowd = tuple(f"user{number}@example.net" for number in range(50))
    script = '<p>Hi</p><script>x()</script><img src="https://example.org/a.png">'
    message = arrive(crm, cc=crowd, plain="", html=script)
    entries = told(crm.person(), message)
    assert (
        entries["imported"]["sentence"] == "It came through support@example.com and was imported."
    )
    assert entries["new_conversation"]["sentence"] == "It began a new conversation."
    assert entries["verdict"]["details"]["kind"] == "human"
    assert entries["matched"]["details"] == {
        "address": normalise("anna@example.org"),
        "limetype": "person",
        "object": anna,
    }
    assert entries["matched"]["sentence"] == f"anna@example.org is the person {anna}."
    assert entries["followers_left_out"]["details"]["count"] == 11
    assert entries["sanitised"]["details"] == {"removed": {"script": 1}}
    assert entries["remote_images"]["details"] == {"count": 1}
    for each in entries.values():
        assert each["sentence"].strip().endswith((".", ")"))
        assert "{" not in each["sentence"]


def test_a_trace_says_by_which_evidence_a_mail_joined(crm: Crm) -> None:
    first = arrive(crm, message_id="<start@example.org>")
    answer = arrive(crm, subject="Re: Booking", in_reply_to="<start@example.org>")
    entries = told(crm.person(), answer)
    assert entries["joined"]["details"]["strategy"] == "reference"
    assert entries["joined"]["details"]["evidence"] == "<start@example.org>"
    assert "<start@example.org>" in entries["joined"]["sentence"]
    assert entries["sender_follows"]["sentence"]
    assert "new_conversation" in told(crm.person(login="second"), first)


def test_a_trace_tells_of_other_accounts_attempts_and_mails_sent_on(crm: Crm) -> None:
    message = arrive(crm, message_id="<start@example.org>")
    receipt(
        crm,
        account="sales",
        disposition="second_sighting",
        conversationmessage=message,
        attempts=3,
    )
    entries = told(crm.person(), message)
    seen = entries["second_sighting"]
    assert seen["details"]["account"] == "sales"
    assert seen["sentence"].endswith("This took 3 attempts.")


def test_a_message_of_ours_says_who_wrote_it_and_who_got_it(crm: Crm) -> None:
    agent = crm.person()
    to = [{"email": "anna@example.org", "name": "Anna"}]
    first = {"subject": "Hello", "html": "<p>Hello</p>", "recipients": to}
    ids = agent.post("/conversation/", account=crm.account.id, **first).json
    entries = told(agent, ids["conversationmessage"])
    assert entries["written_here"]["sentence"] == "Agent wrote it in the CRM."
    assert entries["sent"]["details"]["state"] == "queued"
    assert entries["sent"]["sentence"] == "A mail went to anna@example.org: queued."


def test_a_moved_message_says_so(crm: Crm) -> None:
    agent = crm.person()
    message, other = arrive(crm), crm.conversation()
    assert agent.post(f"/message/{message}/move/", conversation=other).status_code == 200
    assert "moved" in told(agent, message)


def test_what_names_objects_out_of_sight_is_withheld(crm: Crm) -> None:
    crm.add("person", firstname="Anna", lastname="A", email="anna@example.org")
    arrive(crm, message_id="<start@example.org>", sender="boss@else.example")
    message = arrive(crm, subject="Re: Booking", in_reply_to="<start@example.org>")
    users = crm.host.application("crm").users
    users.add_role(Role("clerk", ("email.use",), Access({"*": "crud", "person": ""})))
    users.add_role(Role("mailer", ("email.use",), Access({"*": "crud", "conversation": ""})))
    assert "matched" in told(crm.person(), message)
    clerk = told(crm.person("clerk"), message)
    assert ("matched" in clerk, "sender_unknown" in clerk, "withheld" in clerk) == (
        False,
        True,
        True,
    )
    mailer = told(crm.person("mailer"), message)
    assert ("matched" in mailer, "sender_unknown" in mailer) == (True, False)
    assert mailer["withheld"]["details"] == {}


@pytest.mark.parametrize("hidden", ["follower", "person"])
def test_who_may_not_see_the_followers_learns_no_address_from_a_trace(
    crm: Crm, hidden: str
) -> None:
    crm.add("person", firstname="Lisa", lastname="L", email="lisa@secret.example")
    crowd = tuple(f"user{number}@secret.example" for number in range(60))
    arrive(crm, message_id="<start@example.org>", cc=("lisa@secret.example", "x@y", *crowd))
    message = arrive(
        crm,
        subject="Re: Booking",
        in_reply_to="<start@example.org>",
        cc=("lisa@secret.example", "new@secret.example", *crowd[::-1]),
    )
    role = Role("narrow", ("email.use",), Access({"*": "crud", hidden: ""}))
    crm.host.application("crm").users.add_role(role)
    narrow, agent = (
        crm.person(each).get(f"/message/{message}/trace/") for each in ("narrow", "agent")
    )
    assert "lisa@secret.example" in agent.text
    assert "followers_left_out" in agent.text
    assert ("secret.example" in narrow.text) is (hidden == "person")
    admin = crm.person("administrator").get(f"/message/{message}/trace/")
    assert admin.text == agent.text


def test_the_author_of_a_message_is_named_to_who_sees_the_message(crm: Crm) -> None:
    arrive(crm, message_id="<start@example.org>", sender="boss@else.example")
    message = arrive(crm, subject="Re: Booking", in_reply_to="<start@example.org>")
    role = Role("narrow", ("email.use",), Access({"*": "crud", "follower": ""}))
    crm.host.application("crm").users.add_role(role)
    narrow = told(crm.person("narrow"), message)
    assert narrow["sender_unknown"]["details"]["sender"] == "anna@example.org"


def test_decisions_in_the_words_of_another_version_are_for_administrators(crm: Crm) -> None:
    message = arrive(crm)
    old = [{"step": "threading", "detail": "reference: 12"}]
    with crm.engine.begin() as connection:
        connection.execute(RECEIPTS.update().values(trace=old))
    assert "withheld" in told(crm.person(), message)
    assert told(crm.person("administrator"), message)["note"]["sentence"] == "reference: 12"


def test_the_trace_of_a_receipt_is_for_administrators(crm: Crm, admin: Person) -> None:
    message = arrive(crm)
    (id,) = crm.person().get(f"/message/{message}/trace/").json["receipts"]
    answer = admin.get(f"/receipt/{id}/").json
    assert (answer["conversationmessage"], answer["account"]) == (message, crm.account.id)
    assert {"imported", "verdict", "new_conversation"} <= {
        each["code"] for each in answer["entries"]
    }
    assert crm.person("reader").get(f"/receipt/{id}/").status_code == 403


def test_a_trace_costs_the_same_for_any_number_of_followers(crm: Crm) -> None:
    crowd = tuple(f"user{number}@example.net" for number in range(30))
    agent, counts = crm.person(), []
    for message in (arrive(crm), arrive(crm, cc=crowd)):
        told(agent, message)
        with statements(crm.engine) as ran:
            told(agent, message)
        counts.append(len(ran))
    assert counts[0] == counts[1]
