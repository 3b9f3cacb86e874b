"""What is old is removed, in bounded transactions, and what exactly-once needs never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from limepkg_email import audit
from limepkg_email.config import keys
from limepkg_email.db import table
from limepkg_email.models import AuditEntry, Base, Job, Receipt, ThreadEntry
from limepkg_email.services import Services
from limepkg_email.tasks.retention import KEPT, MOST_BATCHES, RETENTION, TOGETHER
from tests.installation import NOW, Installation, installed

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "retention.md"


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with installed(tmp_path, database_url) as found:
        yield found


@pytest.fixture
def services(installation: Installation) -> Services:
    return installation.services


def count(services: Services, model: type[Base]) -> int:
    with services.application.database.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table(model))) or 0


def old_jobs(services: Services, number: int) -> None:
    long_ago = NOW - timedelta(days=3000)
    row = {"task": "a", "state": "done", "run_at": long_ago, "created_at": long_ago}
    with services.application.database.begin() as connection:
        connection.execute(insert(table(Job)), [{**row, "finished_at": long_ago}] * number)


def test_what_administrators_did_is_kept_for_two_years(
    installation: Installation, services: Services
) -> None:
    def delete(name: str) -> None:
        with services.application.database.begin() as connection:
            audit.record(connection, services, "account.delete", "account", name)

    delete("old")
    installation.clock.advance(730 * 86400)
    delete("new")
    RETENTION.run(services)
    assert [each.subject_id for each in audit.listing(services)[0]] == ["new", "old"]
    installation.clock.advance(1)
    RETENTION.run(services)
    assert [each.subject_id for each in audit.listing(services)[0]] == ["new"]
    assert count(services, AuditEntry) == 1


def test_a_long_past_is_removed_in_bounded_transactions_and_a_bounded_number_of_them(
    services: Services,
) -> None:
    left = 5
    old_jobs(services, TOGETHER * MOST_BATCHES + left)
    removed: list[int] = []

    @event.listens_for(services.application.database, "commit")
    def _note(_: object) -> None:
        removed.append(1)

    RETENTION.run(services)
    event.remove(services.application.database, "commit", _note)
    assert len(removed) == MOST_BATCHES + len(KEPT) - 1
    assert count(services, Job) == left
    RETENTION.run(services)
    assert count(services, Job) == 0


def test_what_cannot_be_removed_keeps_nothing_else(
    installation: Installation, services: Services
) -> None:
    with services.application.database.begin() as connection:
        audit.record(connection, services, "account.delete", "account", "old")
        table(Job).drop(connection)
    installation.clock.advance(731 * 86400)
    with pytest.raises(SQLAlchemyError):
        RETENTION.run(services)
    assert count(services, AuditEntry) == 0


def test_the_memory_by_which_nothing_comes_twice_is_never_removed(services: Services) -> None:
    long_ago = NOW - timedelta(days=36500)
    receipt = {"account": "support", "content_key": "c", "disposition": "imported"}
    with services.application.database.begin() as connection:
        connection.execute(insert(table(Receipt)).values(**receipt, mail_key="m", seen_at=long_ago))
        connection.execute(insert(table(ThreadEntry)).values(digest="d", conversation=1))
    RETENTION.run(services)
    assert (count(services, Receipt), count(services, ThreadEntry)) == (1, 1)


def test_the_page_names_every_table_and_every_key_of_retention() -> None:
    page = DOCUMENT.read_text("utf-8")
    for model in Base.__subclasses__():
        assert f"| `{table(model).name}` |" in page
    for key in keys():
        assert not key.name.endswith("_retention") or f"`{key.name}`" in page


def test_it_is_one_of_the_schedules(installation: Installation) -> None:
    assert RETENTION in installation.integration.register_scheduled_tasks()
