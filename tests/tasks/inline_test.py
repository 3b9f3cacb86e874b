from limepkg_email.tasks.inline import InlineRunner


class Queue:
    """Counts how deep work is nested, and wakes the runner during work."""

    def __init__(self, runner: InlineRunner, follow_ups: int) -> None:
        self.runner = runner
        self.follow_ups = follow_ups
        self.depth = self.deepest = self.calls = 0

    def work(self, application: str) -> int:
        self.calls += 1
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if self.follow_ups:
            self.follow_ups -= 1
            self.runner.wake(application)
        self.depth -= 1
        return 1


def test_wake_works_before_it_comes_back() -> None:
    runner = InlineRunner()
    queue = Queue(runner, 0)
    runner.start(queue.work, lambda: ["a"])
    runner.wake("a")
    assert queue.calls == 1


def test_a_wake_during_work_is_followed_and_not_nested() -> None:
    runner = InlineRunner()
    queue = Queue(runner, 3)
    runner.start(queue.work, lambda: ["a"])
    runner.wake("a")
    assert (queue.calls, queue.deepest) == (4, 1)


def test_a_paused_runner_works_when_it_is_drained() -> None:
    runner = InlineRunner(paused=True)
    queue = Queue(runner, 1)
    runner.start(queue.work, lambda: ["a", "b"])
    runner.wake("a")
    assert queue.calls == 0
    assert runner.drain() == 3


def test_a_wake_before_the_start_is_not_lost() -> None:
    runner = InlineRunner()
    queue = Queue(runner, 0)
    runner.wake("a")
    runner.start(queue.work, lambda: ["a"])
    assert queue.calls == 1


def test_a_stopped_runner_does_nothing() -> None:
    runner = InlineRunner()
    queue = Queue(runner, 0)
    runner.start(queue.work, lambda: ["a"])
    runner.stop()
    runner.wake("a")
    assert (queue.calls, runner.drain()) == (0, 0)


def test_an_error_of_the_work_does_not_block_the_runner() -> None:
    runner = InlineRunner()
    queue = Queue(runner, 0)

    def fail(application: str) -> int:
        runner.start(queue.work, lambda: ["a"])
        raise ZeroDivisionError

    runner.start(fail, lambda: ["a"])
    try:
        runner.wake("a")
    except ZeroDivisionError:
        runner.wake("a")
    assert queue.calls == 1
