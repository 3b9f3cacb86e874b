import pytest

from limepkg_email.tasks.inline import InlineRunner
from limepkg_email.tasks.runner import Runner
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
