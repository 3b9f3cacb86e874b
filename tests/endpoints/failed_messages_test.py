"""The list of failed mails and what can be done with them, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from limepkg_email.incoming.receipts import RECEIPTS

from .crm import NOW, Crm, Person, statements


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def failures(crm: Crm, count: int, **values: Any) -> None:
    row = {
        "account": "support",
        "content_key": "c",
        "disposition": "failed",
        "reason": "The filter 'vat' failed.",
        "attempts": 2,
        "subject": "Offer",
        "sender": "anna@example.org",
        "message_id": "<m@example.org>",
        "trace": [],
        **values,
    }
    made = [
        {**row, "mail_key": f"h:{each}", "seen_at": NOW + timedelta(seconds=each)}
        for each in range(count)
    ]
    with crm.engine.begin() as connection:
        connection.execute(insert(RECEIPTS), made)


def test_failed_mails_are_listed_with_what_a_person_needs(crm: Crm, admin: Person) -> None:
    received = {"step": "received", "detail": "", "code": "received"}
    facts = {"folder": "INBOX", "date": "2026-03-01T10:00:00+00:00"}
    parked = {"code": "parked", "facts": {"folder": "Lime CRM Integration Failed"}}
    failures(crm, 1, trace=[{**received, "facts": facts}, parked])
    page = admin.get(f"/failed-messages/{crm.account.id}/").json
    (item,) = page["items"]
    assert item["id"] > 0
    assert {name: item[name] for name in ("subject", "sender", "reason", "attempts")} == {
        "subject": "Offer",
        "sender": "anna@example.org",
        "reason": "The filter 'vat' failed.",
        "attempts": 2,
    }
    assert (item["received"], item["in_failed_folder"]) == ("2026-03-01T10:00:00+00:00", True)
    assert (page["total"], page["total_is_exact"], page["next"]) == (1, True, None)


def test_ten_thousand_failed_mails_cost_as_many_statements_as_one(any_crm: Crm) -> None:
    admin = any_crm.person("administrator")
    path = f"/failed-messages/{any_crm.account.id}"
    failures(any_crm, 1)
    counts = []
    for more in (0, 9_999):
        if more:
            with any_crm.engine.begin() as connection:
                connection.execute(RECEIPTS.delete())
            failures(any_crm, 10_000)
        admin.get(path, limit=200)
        with statements(any_crm.engine) as executed:
            page = admin.get(path, limit=200).json
        counts.append(len(executed))
    assert (page["total"], page["total_is_exact"], len(page["items"])) == (10_000, True, 200)
    assert counts[0] == counts[1]


def test_every_failed_mail_is_on_one_of_the_pages(crm: Crm, admin: Person) -> None:
    failures(crm, 7)
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = admin.get(f"/failed-messages/{crm.account.id}/", limit=3, **before).json
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7


def test_each_of_the_chosen_mails_has_its_outcome(crm: Crm, admin: Person) -> None:
    failures(crm, 2)
    path = f"/failed-messages/{crm.account.id}/"
    one, two = (each["id"] for each in admin.get(path).json["items"])
    answer = admin.post("/failed-messages/retry/", ids=[one, 4711, one])
    assert answer.status_code == 202
    assert [(each["id"], each["outcome"]) for each in answer.json["items"]] == [
        (one, "queued"),
        (4711, "not_found"),
    ]
    thrown = admin.post("/failed-messages/discard/", ids=[one, two])
    assert thrown.status_code == 200
    assert [each["outcome"] for each in thrown.json["items"]] == ["discarded"] * 2
    receipt = admin.get(f"/receipt/{one}/").json
    assert (receipt["disposition"], receipt["reason"]) == (
        "filtered",
        "Discarded by Administrator. It had failed: The filter 'vat' failed.",
    )
    assert admin.get(path).json["total"] == 0


def test_without_the_engine_there_is_no_raw_mail_and_nobody_read_it(
    crm: Crm, admin: Person
) -> None:
    failures(crm, 1, engine_id="AAAA")
    id = admin.get(f"/failed-messages/{crm.account.id}/").json["items"][0]["id"]
    answer = admin.get(f"/failed-message/{id}/raw")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert admin.get("/audit/", subject="receipt").json["total"] == 0
    assert admin.get("/failed-message/4711/raw").status_code == 404


def test_only_administrators_see_and_change_failed_mails(crm: Crm) -> None:
    account = crm.account.id
    for person, status in ((crm.nobody(), 401), (crm.person("agent"), 403)):
        assert person.get(f"/failed-messages/{account}/").status_code == status
        assert person.get("/failed-message/1/raw").status_code == status
        for what in ("retry", "discard"):
            assert person.post(f"/failed-messages/{what}/", ids=[1]).status_code == status


@pytest.mark.parametrize("ids", [None, [], "1", [0], [-1], [2**60], ["1"], [1.5], [1] * 501])
@pytest.mark.parametrize("what", ["retry", "discard"])
def test_odd_ids_are_refused(admin: Person, what: str, ids: object) -> None:
    answer = admin.post(f"/failed-messages/{what}/", ids=ids)
    assert answer.status_code == 422
    assert any(name.startswith("ids") for name in answer.json["errors"])


def test_the_account_must_be_there_and_the_page_of_a_sane_size(crm: Crm, admin: Person) -> None:
    assert admin.get("/failed-messages/4711/").status_code == 404
    for query in ({"limit": 201}, {"offset": 10_001}, {"before": 0}, {"odd": 1}):
        answer = admin.get(f"/failed-messages/{crm.account.id}/", **query)
        assert (answer.status_code, list(answer.json["errors"])) == (422, list(query))
