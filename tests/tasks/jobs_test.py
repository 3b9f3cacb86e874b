import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, event, insert, text

from limepkg_email.db import table
from limepkg_email.models import Job, JobState
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import LeaseLost, NewJob, PayloadUnreadable, Sweep
from limepkg_email.testing.runner_contract import MovableClock
from tests.statements import counted

from .conftest import LEASE, Ledger

HOUR = timedelta(hours=1)


def test_enqueue_tells_how_many_jobs_are_new(ledger: Ledger) -> None:
    assert ledger.ask() == 0
    assert ledger.ask(NewJob("a", key="k")) == 1
    assert ledger.ask(NewJob("a", key="k"), NewJob("a", key="l"), NewJob("a", key="l")) == 1


def test_a_thousand_jobs_can_be_asked_for_at_once(ledger: Ledger) -> None:
    assert ledger.ask(*(NewJob("a", number) for number in range(1200))) == 1200


def test_an_event_is_taken_once_even_when_its_job_is_done(ledger: Ledger) -> None:
    assert ledger.ask(NewJob("a", event_id="e")) == 1
    ledger.finish(ledger.take())
    assert ledger.ask(NewJob("a", event_id="e")) == 0
    assert ledger.ask(NewJob("a", event_id="e", key="k"), NewJob("a", event_id="f")) == 1


def test_a_key_can_be_asked_for_again_once_its_job_runs(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", key="k"))
    ledger.take()
    assert ledger.ask(NewJob("a", key="k")) == 1


def test_a_claimed_job_carries_what_was_asked_for(ledger: Ledger) -> None:
    ledger.ask(NewJob("a.task", {"å": [1, None]}, key="k"))
    job = ledger.take()
    assert (job.task, job.read(), job.key, job.attempts) == ("a.task", {"å": [1, None]}, "k", 1)
    assert job.lease_until == ledger.clock() + LEASE


def test_a_raw_payload_is_stored_as_it_is(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", raw='{"b" :  1}'))
    assert ledger.take().payload == '{"b" :  1}'


def test_a_payload_that_is_no_json_says_so(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", raw="{"))
    with pytest.raises(PayloadUnreadable):
        ledger.take().read()


def test_the_job_that_is_due_first_is_claimed_first(ledger: Ledger) -> None:
    ledger.ask(NewJob("late", delay=2 * HOUR), NewJob("soon", delay=HOUR))
    assert ledger.claim() is None
    ledger.clock.advance(3 * HOUR)
    assert [ledger.take().task, ledger.take().task] == ["soon", "late"]
    assert ledger.claim() is None


def test_a_job_whose_lease_ended_is_claimed_again_and_lost_to_the_first_worker(
    ledger: Ledger,
) -> None:
    ledger.ask(NewJob("a", key="k"))
    first = ledger.take()
    ledger.clock.advance(LEASE)
    second = ledger.take()
    assert (second.id, second.attempts) == (first.id, 2)
    for act in (ledger.finish, ledger.retry, ledger.set_aside):
        with pytest.raises(LeaseLost):
            act(first)
    ledger.finish(second)


def test_an_extended_lease_lasts_longer(ledger: Ledger) -> None:
    ledger.ask(NewJob("a"))
    job = ledger.take()
    with ledger.engine.begin() as connection:
        jobs.extend(connection, job, ledger.clock() + HOUR)
    ledger.clock.advance(HOUR - timedelta(seconds=1))
    assert ledger.claim() is None
    ledger.finish(job)


def test_a_finished_job_keeps_its_result_and_no_payload(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", "private"))
    job = ledger.take()
    ledger.finish(job, "imported")
    (entry,) = ledger.entries()
    assert (entry.state, entry.result) == (JobState.DONE, "imported")
    assert entry.finished_at == ledger.clock()
    with ledger.engine.connect() as connection:
        assert connection.scalar(text("SELECT payload FROM limepkg_email_job")) is None
    with pytest.raises(LeaseLost):
        ledger.finish(job)


def test_a_job_that_is_tried_again_waits_for_its_delay(ledger: Ledger) -> None:
    ledger.ask(NewJob("a"))
    ledger.retry(ledger.take(), HOUR, "busy")
    assert (ledger.claim(), ledger.entries()[0].result) == (None, "busy")
    ledger.clock.advance(HOUR)
    assert ledger.take().attempts == 2


def test_a_job_gives_way_to_a_newer_waiting_one_with_its_key(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", "old", key="k"))
    old = ledger.take()
    ledger.ask(NewJob("a", "new", key="k"))
    ledger.retry(old, HOUR, "busy")
    states = [(entry.state, entry.result) for entry in ledger.entries()]
    assert states == [(JobState.DONE, jobs.SUPERSEDED), (JobState.QUEUED, "")]
    assert ledger.take().read() == "new"


def test_a_failed_job_is_kept_until_it_is_retried_by_hand(ledger: Ledger) -> None:
    ledger.ask(NewJob("a", "kept"))
    ledger.set_aside(ledger.take(), "refused")
    ledger.clock.advance(timedelta(days=100))
    assert ledger.sweep() == Sweep(0, 0)
    assert ledger.prune() == 0
    assert ledger.claim() is None
    assert ledger.retry_failed() == 1
    job = ledger.take()
    assert (job.read(), job.attempts) == ("kept", 1)


def test_retrying_by_hand_touches_only_the_chosen_failed_jobs(ledger: Ledger) -> None:
    ledger.ask(*(NewJob(name) for name in "abc"))
    taken = {job.task: job for job in (ledger.take() for _ in range(3))}
    ledger.set_aside(taken["a"])
    ledger.set_aside(taken["b"])
    assert ledger.retry_failed([taken["a"].id, taken["c"].id, 999]) == 1
    assert ledger.take().task == "a"


def test_a_failed_job_gives_way_to_a_waiting_one_with_its_key(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.ask(NewJob("a", key="k"))
        ledger.set_aside(ledger.take())
    assert ledger.retry_failed() == 1
    states = [entry.state for entry in ledger.entries()]
    assert states == [JobState.QUEUED, JobState.DONE]


@pytest.mark.parametrize(("count", "most"), [(3, 2), (400, 2), (600, 3)])
def test_many_failed_jobs_are_retried_together(
    engine: Engine, ledger: Ledger, count: int, most: int
) -> None:
    _add_failed(engine, ledger, [None] * count)
    with counted(engine) as statements:
        assert ledger.retry_failed() == count
    assert len(statements) <= most, statements
    with engine.connect() as connection:
        assert jobs.counts(connection)[JobState.QUEUED] == count


def test_of_failed_jobs_with_one_key_one_is_retried(engine: Engine, ledger: Ledger) -> None:
    _add_failed(engine, ledger, [None, "k", "k", "other"])
    assert ledger.retry_failed() == 3
    with engine.connect() as connection:
        counts = jobs.counts(connection)
    assert (counts[JobState.QUEUED], counts[JobState.DONE]) == (3, 1)


def test_only_failed_jobs_are_superseded(engine: Engine, ledger: Ledger) -> None:
    ledger.ask(*(NewJob(name) for name in "abc"))
    failed, running = ledger.take(), ledger.take()
    ledger.set_aside(failed)
    with engine.begin() as connection:
        now = ledger.clock()
        assert jobs.supersede(connection, [failed.id, running.id, 999], now) == 1
        assert jobs.supersede(connection, [failed.id], now) == 0
        assert jobs.supersede(connection, [], now) == 0
        (done,) = jobs.listing(connection, state=JobState.DONE)
    assert (done.id, done.result) == (failed.id, jobs.SUPERSEDED)


def test_a_sweep_counts_what_waits_and_old_finished_jobs_are_removed(ledger: Ledger) -> None:
    ledger.ask(NewJob("old"), NewJob("old"))
    ledger.finish(ledger.take())
    ledger.finish(ledger.take())
    ledger.clock.advance(timedelta(days=8))
    ledger.ask(NewJob("young"), NewJob("silent"))
    ledger.finish(ledger.take())
    ledger.take()
    ledger.clock.advance(LEASE)
    ledger.ask(NewJob("due"), NewJob("due"), NewJob("later", delay=HOUR))
    assert ledger.sweep() == Sweep(expired=1, due=2)
    assert [ledger.prune(), ledger.prune()] == [2, 0]
    assert ledger.sweep() == Sweep(expired=1, due=2)


def test_a_bounded_number_of_finished_jobs_is_removed_at_a_time(
    engine: Engine, ledger: Ledger
) -> None:
    with engine.begin() as connection:
        _add_done(connection, 2500, ledger.clock)
    assert ledger.prune(timedelta(0)) == 0
    ledger.clock.advance(HOUR)
    assert [ledger.prune(timedelta(0)) for _ in range(4)] == [1000, 1000, 500, 0]


def test_counts_name_every_state(engine: Engine, ledger: Ledger) -> None:
    ledger.ask(NewJob("a"), NewJob("a"))
    ledger.take()
    with engine.connect() as connection:
        assert jobs.counts(connection) == {
            JobState.QUEUED: 1,
            JobState.RUNNING: 1,
            JobState.DONE: 0,
            JobState.FAILED: 0,
        }


def test_the_listing_has_pages_newest_first(engine: Engine, ledger: Ledger) -> None:
    for name in "abcd":
        ledger.ask(NewJob(name))
    ledger.set_aside(ledger.take())
    with engine.connect() as connection:
        first = jobs.listing(connection, limit=3)
        second = jobs.listing(connection, limit=3, offset=3)
        failed = jobs.listing(connection, state=JobState.FAILED)
    assert [entry.task for entry in first + second] == ["d", "c", "b", "a"]
    assert [entry.task for entry in failed] == ["a"]


def test_the_next_due_instant_is_known(engine: Engine, ledger: Ledger) -> None:
    with engine.connect() as connection:
        assert jobs.next_due(connection) is None
    ledger.ask(NewJob("a", delay=2 * HOUR), NewJob("a", delay=HOUR))
    with engine.connect() as connection:
        assert jobs.next_due(connection) == ledger.clock() + HOUR


def test_a_claim_reads_the_index_of_open_jobs_only(engine: Engine, ledger: Ledger) -> None:
    with engine.begin() as connection:
        _add_done(connection, 10_000, ledger.clock)
    ledger.ask(*(NewJob("a") for _ in range(10)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE limepkg_email_job")
    assert "ix_limepkg_email_job_open" in _plan_of_a_claim(engine, ledger)


def test_work_begins_after_the_commit_of_everyone_who_asked_for_it(
    postgresql_url: str, clock: MovableClock
) -> None:
    # On SQLite the write lock sees to it.
    from limepkg_email.testing.runner_contract import ledger_engine

    engine = ledger_engine(postgresql_url)
    ledger = Ledger(engine, clock)
    ledger.ask(NewJob("sync", key="sync"))
    with engine.begin() as connection:
        assert jobs.enqueue(connection, [NewJob("sync", key="sync")], clock()) == 0
        assert ledger.claim() is None
    assert ledger.claim() is not None
    engine.dispose()


def test_a_job_asked_for_while_its_twin_is_claimed_is_not_lost(
    engine: Engine, ledger: Ledger
) -> None:
    ledger.ask(NewJob("sync", key="sync"))
    asked: list[int] = []
    asker = threading.Thread(target=lambda: asked.append(ledger.ask(NewJob("sync", key="sync"))))
    with engine.begin() as connection:
        assert jobs.claim(connection, ledger.clock(), LEASE) is not None
        asker.start()
        asker.join(0.3)
        assert asker.is_alive()
    asker.join()
    assert asked == [1]


def test_many_threads_ask_for_the_same_keys_and_each_makes_one_job(ledger: Ledger) -> None:
    keys = [f"k{number}" for number in range(20)]
    new: list[int] = []

    def ask(order: int) -> None:
        wanted = keys if order % 2 else keys[::-1]
        new.append(ledger.ask(*(NewJob("a", key=key) for key in wanted)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(new), len(new)) == (20, 6)


def _add_failed(engine: Engine, ledger: Ledger, keys: list[str | None]) -> None:
    now = ledger.clock()
    row = {"task": "t", "state": "failed", "attempts": 1, "run_at": now, "created_at": now}
    with engine.begin() as connection:
        connection.execute(insert(table(Job)), [{**row, "key": each} for each in keys])


def _add_done(connection: Connection, count: int, clock: MovableClock) -> None:
    row = {
        "task": "a",
        "state": "done",
        "attempts": 1,
        "run_at": clock(),
        "created_at": clock(),
        "finished_at": clock(),
    }
    connection.execute(insert(table(Job)), [row] * count)


def _plan_of_a_claim(engine: Engine, ledger: Ledger) -> str:
    seen: list[tuple[str, object]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        seen.append((statement, parameters))

    ledger.take()
    event.remove(engine, "before_cursor_execute", _note)
    statement, parameters = next(each for each in seen if each[0].startswith("UPDATE"))
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]
        return str(rows.all())
