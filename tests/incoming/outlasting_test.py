"""Imports that are interrupted, take long, or meet another one: no mail is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO, cast

import pytest
from sqlalchemy import Connection, Engine, event, select

from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.types import Attachment, Message
from limepkg_email.incoming.pipeline import Outcome, import_message
from limepkg_email.models import Job
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob, NewJob
from tests.incoming.arriving import arriving
from tests.installation import Installation, installed

IMPORT = "limepkg_email.tasks.tasks.message_to_limeobjects"


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_before_commit_of(database: str) -> Iterator[None]:
    """End the process just before the database commits."""

    def kill(connection: Connection) -> None:
        if str(connection.engine.url.database).endswith(database):
            connection.connection.rollback()
            raise Killed

    event.listen(Engine, "commit", kill)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        event.remove(Engine, "commit", kill)


def claimed(installation: Installation, payload: object = None) -> ClaimedJob:
    """Claim a job, a new one with this payload or else one that waits."""
    services = installation.services
    with services.application.database.begin() as connection:
        if payload is not None:
            jobs.enqueue(connection, [NewJob(IMPORT, payload)], services.clock())
        while found := jobs.claim(connection, services.clock(), services.config.lease):
            if found.task == IMPORT:
                return found
    raise AssertionError("there is no such job")


def states(installation: Installation) -> list[str]:
    job = table(Job)
    with installation.services.application.database.connect() as connection:
        return list(connection.scalars(select(job.c.state).where(job.c.task == IMPORT)))


def test_mail_is_imported_though_the_objects_were_not_committed(tmp_path: Path) -> None:
    separate = f"sqlite:///{tmp_path}/plugin.sqlite"
    with installed(
        tmp_path, f"sqlite:///{tmp_path}/crm.sqlite", separate_plugin_database=separate
    ) as installation:
        installation.connect("support", "support@example.com")
        mail = arriving(message_id="<one@example.org>")
        job = claimed(installation, 1)
        with killed_before_commit_of("crm.sqlite"):
            import_message(installation.services, "support", mail, job)
        assert installation.all("conversationmessage") == []

        # Somebody else's mail takes the numbers that were given to the first one.
        other = arriving("Other", sender="bo@example.net")
        import_message(installation.services, "support", other)
        installation.clock.advance(2 * installation.services.config.job_lease)
        import_message(installation.services, "support", mail, claimed(installation))
        import_message(installation.services, "support", mail)
        subjects = [each["subject"] for each in installation.all("conversationmessage")]
        assert subjects == ["Other", "Booking"]
        assert len(installation.all("conversation")) == 2
        assert states(installation) == ["done"]


class SlowEngine:
    """An engine that takes minutes for each file, as one with a slow mail server does."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.others: list[object] = []

    def download_attachment(self, _: str, id: str, target: IO[bytes], *, max_size: int) -> int:
        services = self.installation.services
        self.installation.clock.advance(0.7 * services.config.job_lease)
        with services.application.database.begin() as connection:
            self.others.append(jobs.claim(connection, services.clock(), timedelta(minutes=5)))
        return target.write(id.encode())


def test_a_mail_whose_files_take_longer_than_a_lease_is_imported_by_one_worker(
    installation: Installation,
) -> None:
    engine = SlowEngine(installation)
    services = replace(installation.services, engine=cast(EngineClient, engine))
    files = tuple(Attachment(f"file{n}", "text/plain", 100, f"{n}.txt") for n in range(5))
    mail = replace(arriving(), attachments=files)
    import_message(services, "support", mail, claimed(installation, 1))
    assert engine.others == [None] * 5
    assert len(installation.all("document")) == 5
    assert states(installation) == ["done"]


def test_workers_that_settle_one_mail_at_once_do_not_fail(installation: Installation) -> None:
    long_ago = installation.clock() - timedelta(days=30)
    mails = [arriving(f"Old {number}", date=long_ago, unseen=False) for number in range(6)]

    def settle(mail: Message) -> Outcome:
        return import_message(installation.services, "support", mail)

    with ThreadPoolExecutor(6) as pool:
        for mail in mails:
            outcomes = list(pool.map(settle, [mail] * 6))
            assert sum(each.disposition is not None for each in outcomes) == 1
