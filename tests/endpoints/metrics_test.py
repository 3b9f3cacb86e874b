"""Figures for Prometheus, and whether the engine works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from limepkg_email.db import table
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import AccountReport
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob

from . import crm as module
from .crm import NOW, SECRETS, Crm

TOKEN = "a-token-for-metrics-only"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def figures(crm: Crm) -> dict[tuple[str, str], float]:
    answer = crm.person("administrator").get("/metrics")
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
