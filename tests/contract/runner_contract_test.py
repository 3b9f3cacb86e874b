from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging

from limepkg_email.tasks.celery import CeleryRunner, create_app
from limepkg_email.tasks.inline import InlineRunner
from limepkg_email.tasks.runner import Runner, Work
from limepkg_email.tasks.threads import ThreadRunner
from limepkg_email.testing.runner_contract import RunnerContract


class TestInlineRunner(RunnerContract):
    @pytest.fixture
    def runner(self) -> Runner:
        return InlineRunner()


class TestThreadRunner(RunnerContract):
    @pytest.fixture
    def runner(self) -> Runner:
        return ThreadRunner(threads=3, poll=0.2)


class TestThreadRunnerThatHardlyPolls(RunnerContract):
    @pytest.fixture
    def runner(self) -> Runner:
        return ThreadRunner(threads=2, poll=60.0)


@pytest.fixture(autouse=True)
def logging_as_it_is() -> Iterator[None]:
    """A Celery worker in this process must not set the logging that other tests look at."""

    def leave_alone(**_: object) -> None: ...

    setup_logging.connect(leave_alone, weak=False)
    yield
    setup_logging.disconnect(leave_alone)


class WorkingCeleryRunner(CeleryRunner):
    """A Celery runner with its worker in this process, on a broker in memory."""

    def __init__(self) -> None:
        super().__init__(
            create_app("memory://", broker_transport_options={"polling_interval": 0.01})
        )
        self._running = ExitStack()

    def start(self, work: Work, applications: Callable[[], list[str]]) -> None:
        super().start(work, applications)
        self._running.enter_context(
            start_worker(
                self.app, pool="threads", concurrency=3, perform_ping_check=False, loglevel="ERROR"
            )
        )

    def stop(self) -> None:
        super().stop()
        self._running.close()


class TestCeleryRunner(RunnerContract):
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        # Starting a worker takes its time; the ledger is proved on both databases above.
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"

    @pytest.fixture
    def runner(self) -> Runner:
        return WorkingCeleryRunner()
