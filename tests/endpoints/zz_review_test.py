from __future__ import annotations
from dataclasses import replace
from pathlib import Path
import pytest
from sqlalchemy import event
from limepkg_email import draft_files, drafts
from .crm import Crm
from .draft_files_test import attach, stored_files, uploads
from .sending_test import first

@pytest.mark.postgres
def test_race(postgresql_url: str, tmp_path: Path) -> None:
    crm = Crm(postgresql_url, tmp_path)
    crm.install()
    agent = crm.person()
    id = attach(agent).json["id"]
    engine = crm.engine
    user = crm.host.application("crm").users.find("agent").id
    other = engine.connect()
    tx = other.begin()
    (taken,) = draft_files.take(other, user, [id])
    def meanwhile(conn, cursor, statement, *_):
        if conn is not other and statement.startswith("DELETE FROM limepkg_email_draft_file"):
            if tx.is_active: tx.commit()
    event.listen(engine, "before_cursor_execute", meanwhile)
    system = crm.integration.services("crm")
    app = crm.host.application("crm")
    services = replace(system, application=app.as_user(app.users.find("agent").id) if False else app.as_user("agent"))
    try:
        drafts.discard(services, 0)
    finally:
        event.remove(engine, "before_cursor_execute", meanwhile)
    assert stored_files(crm) == 1
    crm.host.close()

def test_only_new(make_crm) -> None:
    crm = make_crm(max_draft_files_size=10)
    agent = crm.person()
    assert attach(agent, content=b"x"*8).status_code == 201
    assert attach(agent, content=b"x"*8).status_code == 422
