import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine, func, select

from limepkg_email.clock import utc_now
from limepkg_email.models import JobState
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob
from limepkg_email.testing.runner_contract import EFFECT

JOBS = 200
LEASE = "2"


def _start(engine: Engine) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("worker_process.py")
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen([sys.executable, str(script), url, LEASE])


def _effects(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(EFFECT)) or 0


def test_each_job_has_its_effect_once_though_a_process_is_killed(engine: Engine) -> None:
    with engine.begin() as connection:
        jobs.enqueue(connection, [NewJob("slow", number) for number in range(JOBS)], utc_now())
    victim, survivor = _start(engine), _start(engine)
    try:
        until = time.monotonic() + 60
        while _effects(engine) < JOBS // 4:
            assert time.monotonic() < until
            time.sleep(0.02)
        victim.kill()
        assert _effects(engine) < JOBS
        assert survivor.wait(60) == 0
    finally:
        for process in (victim, survivor):
            process.kill()
            process.wait()
    with engine.connect() as connection:
        assert Counter(connection.scalars(select(EFFECT.c.number))) == Counter(range(JOBS))
        assert jobs.counts(connection)[JobState.DONE] == JOBS
