"""Figures for Prometheus, and whether the engine works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert, text, update

from limepkg_email.db import table
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import AccountReport, Job
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.tasks import jobs
from limepkg_email.tasks.counts import COUNTING
from limepkg_email.tasks.jobs import NewJob

from . import crm as module
from .crm import NOW, SECRETS, Crm
from .receipts_test import FEWER, MILLION, executed, fill

TOKEN = "a-token-for-metrics-only"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def figures(crm: Crm, login: str = "reading") -> dict[tuple[str, str], float]:
    answer = crm.person("administrator", login).get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_tell_of_jobs_receipts_and_what_is_unaccounted(crm: Crm) -> None:
    row = {
        "account": "support",
        "content_key": "c",
        "disposition": "failed",
        "reason": "",
        "trace": [],
        "seen_at": NOW,
    }
    report = {"account": "support", "started_at": NOW, "finished_at": NOW}
    reports = table(AccountReport)
    with crm.engine.begin() as connection:
        connection.execute(insert(RECEIPTS), [{**row, "mail_key": str(each)} for each in range(3)])
        connection.execute(insert(reports).values(**report, unaccounted=7))
        connection.execute(insert(reports).values(**report, unaccounted=2))
        jobs.enqueue(connection, [NewJob("some.task")], NOW - timedelta(seconds=90))
    found = figures(crm)
    assert found["limepkg_email_receipts", "failed"] == 3
    assert found["limepkg_email_unaccounted", "support"] == 2
    assert found["limepkg_email_jobs", "queued"] == 1
    assert found["limepkg_email_oldest_waiting_job_seconds", ""] == 90


def test_what_is_counted_once_in_a_while_is_told_and_numbers_go_down_too(crm: Crm) -> None:
    services = crm.integration.services("crm")
    row = {"account": "support", "content_key": "c", "trace": [], "seen_at": NOW}
    send = {"account": "support", "messagefollower": 1, "payload": "", "created_at": NOW}
    done = {"task": "a", "run_at": NOW, "created_at": NOW, "finished_at": NOW}
    with crm.engine.begin() as connection:
        for number in range(3):
            mail = {**row, "mail_key": str(number), "disposition": "imported"}
            connection.execute(insert(RECEIPTS).values(mail))
            mail = {**send, "guid": str(number), "message_id": str(number), "state_at": NOW}
            connection.execute(insert(OUTBOX).values(**mail, state="sent"))
            connection.execute(insert(table(Job)).values(**done, state="failed"))
    before = figures(crm, "early")
    assert ("limepkg_email_receipts", "imported") not in before, "nobody has counted yet"
    COUNTING.run(services)
    found = figures(crm, "later")
    assert found["limepkg_email_receipts", "imported"] == 3
    assert found["limepkg_email_outbox", "sent"] == 3
    assert found["limepkg_email_jobs", "failed"] == 3
    with crm.engine.begin() as connection:
        connection.execute(update(RECEIPTS).values(disposition="own"))
    COUNTING.run(services)
    found = figures(crm, "last")
    assert found["limepkg_email_receipts", "imported"] == 0
    assert found["limepkg_email_receipts", "own"] == 3


@pytest.fixture
def large(any_crm: Crm) -> Crm:
    """A million receipts on PostgreSQL, fewer on SQLite, and many jobs that are done."""
    fill(any_crm.engine, MILLION if any_crm.engine.dialect.name == "postgresql" else FEWER)
    done = {"task": "a", "state": "done", "run_at": NOW, "created_at": NOW, "finished_at": NOW}
    with any_crm.engine.begin() as connection:
        connection.execute(insert(table(Job)), [done] * 20_000)
        jobs.enqueue(connection, [NewJob("some.task")] * 3, NOW - timedelta(seconds=90))
    with any_crm.engine.connect() as connection:
        connection.execute(text(f"ANALYZE {Job.__tablename__}"))
        connection.commit()
    return any_crm


def test_a_scrape_reads_no_large_table_whole(large: Crm) -> None:
    COUNTING.run(large.integration.services("crm"))
    figures(large)
    key = large.person("administrator", "scraper").key
    with executed(large.engine) as (ran, values):
        answer = large.nobody().send("GET", "/metrics", headers={"x-api-key": key})
    assert answer.status_code == 200
    failed = (MILLION if large.engine.dialect.name == "postgresql" else FEWER) // 100
    assert f'receipts{{disposition="failed"}} {failed}.0' in answer.text
    assert 'jobs{state="queued"} 3.0' in answer.text
    assert "oldest_waiting_job_seconds 90.0" in answer.text
    plans = plans_of(large.engine, ran, values)
    assert [name for name in LARGE if any(name in each for each in ran)] == list(LARGE)
    for plan in plans:
        assert "Seq Scan" not in plan, plan
        assert "USING" in plan or "Index" in plan, plan


LARGE = ("limepkg_email_receipt", "limepkg_email_job")


def plans_of(engine: Engine, ran: list[str], values: list[Any]) -> list[str]:
    """How the database reads the large tables."""
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        return [
            "\n".join(str(row) for row in connection.exec_driver_sql(explain + each, parameters))
            for each, parameters in zip(ran, values, strict=True)
            if any(name in each for name in LARGE)
        ]


def test_the_token_reads_figures_and_nothing_else(
    make_crm: Callable[..., Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECRETS", {**SECRETS, "metrics_token": TOKEN})
    nobody = make_crm().nobody()
    assert nobody.send("GET", "/metrics", headers=BEARER).status_code == 200
    assert nobody.send("GET", "/receipts/", headers=BEARER).status_code == 401
    for wrong in ("Bearer wrong", "Bearer ", "Basic " + TOKEN, "Bearer é"):
        refused = nobody.send("GET", "/metrics", headers={"Authorization": wrong})
        assert refused.status_code == 401


def test_without_a_configured_token_no_token_is_right(crm: Crm) -> None:
    for given in (BEARER, {"Authorization": "Bearer "}, {}):
        assert crm.nobody().send("GET", "/metrics", headers=given).status_code == 401
    assert crm.person("agent").get("/metrics").status_code == 403


def test_without_the_extra_there_are_no_figures(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    answer = crm.person("administrator").get("/metrics")
    assert answer.status_code == 404
    assert "limepkg-email[metrics]" in answer.json["message"]


def test_an_engine_that_cannot_be_reached_is_not_healthy_but_the_process_is(crm: Crm) -> None:
    answer = crm.person("administrator").get("/health/engine")
    assert (answer.status_code, answer.json["code"]) == (503, "engine_unavailable")
    assert answer.headers["Retry-After"]
    assert crm.nobody().get("/health").json == {"status": "ok"}
