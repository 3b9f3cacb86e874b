from __future__ import annotations
import json
from tests.erasure_test import *
from tests.erasure_test import add, rows, receipt, mail, job, draft, everything
from limepkg_email import drafts
from limepkg_email.models import DraftFile, Run, AccountReport

@pytest.mark.parametrize("before", ["\n", "\t", "\r\n", "\f", "/", "'", '"', "\\"])
def test_newline(services, engine, before):
    mail(engine, "quoted", "bob@example.org", payload=json.dumps({"text": f"Hello{before}{ANNA}{before}wrote"}))
    draft(engine, 1, "bob@example.org", html=f"Hello{before}{ANNA}{before}wrote")
    job(engine, "failed", {"text": f"Hello{before}{ANNA}{before}wrote"})
    erase(services, ANNA)
    assert ANNA not in everything(engine)

def test_upper(services, engine):
    receipt(engine, "a", sender="Åsa@example.org")
    job(engine, "failed", {"from": "ÅSA@example.org"})
    draft(engine, 1, "Åsa@example.org")
    erase(services, "åsa@example.org")
    assert "sa@example.org" not in everything(engine)

def test_file(services, engine):
    add(engine, DraftFile, user=1, conversation=0, key="k", file="f", filename=f"Claim of {ANNA}.pdf", content_type="x", size=1, created_at=NOW)
    erase(services, ANNA)
    assert ANNA not in everything(engine)

def test_done_job(services, engine):
    row = {"task": "t", "state": "done", "run_at": NOW, "created_at": NOW}
    add(engine, Job, **row, payload=None, result=f"failed for {ANNA}")
    erase(services, ANNA)
    assert ANNA not in everything(engine)
def test_key(services, engine):
    draft(engine, 1, "bob@example.org", **{"x": {ANNA: 1}})
    with engine.begin() as connection:
        event_log.note(connection, NOW, Level.INFO, "x", "A", codes={ANNA: 1})
    erase(services, ANNA)
    assert ANNA not in everything(engine)
