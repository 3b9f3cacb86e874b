"""A worker process for `processes_test`: works until no job is left."""

import sys
import threading
import time

from sqlalchemy import create_engine

from limepkg_email.clock import utc_now
from limepkg_email.db import configure_sqlite
from limepkg_email.models import JobState
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob
from limepkg_email.tasks.registry import Outcome, TaskRegistry, task
from limepkg_email.tasks.threads import ThreadRunner
from limepkg_email.tasks.worker import Worker
from limepkg_email.testing.runner_contract import APPLICATION, effect, ledger_services


@task("slow")
def slow(services: Services, job: ClaimedJob, payload: int) -> Outcome:
    time.sleep(0.01)
    return effect(services, job, payload)


def main(database_url: str, lease: float) -> None:
    engine = configure_sqlite(create_engine(database_url))
    services = ledger_services(engine, utc_now, lambda: None, lease=lease)
    runner = ThreadRunner(threads=2, poll=0.1)
    registry = TaskRegistry()
    registry.add(slow)
    worker = Worker(lambda _: services, registry)
    runner.start(worker.work, lambda: [APPLICATION])
    pause = threading.Event()
    while True:
        pause.wait(0.2)
        with engine.connect() as connection:
            counts = jobs.counts(connection)
        if not counts[JobState.QUEUED] + counts[JobState.RUNNING]:
            break
    worker.stop()
    runner.stop()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
