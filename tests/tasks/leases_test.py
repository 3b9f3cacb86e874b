import threading
from datetime import timedelta

from sqlalchemy import Engine

from limepkg_email.tasks import leases
from limepkg_email.testing.runner_contract import MovableClock

MINUTE = timedelta(minutes=1)


def take(engine: Engine, holder: str, clock: MovableClock) -> bool:
    with engine.begin() as connection:
        return leases.acquire(connection, "recovery:a", holder, clock(), MINUTE)


def test_a_lease_has_one_holder_until_it_ends(engine: Engine, clock: MovableClock) -> None:
    assert take(engine, "one", clock)
    assert not take(engine, "two", clock)
    clock.advance(MINUTE)
    assert take(engine, "two", clock)
    assert not take(engine, "one", clock)


def test_a_holder_can_prolong_its_lease(engine: Engine, clock: MovableClock) -> None:
    assert take(engine, "one", clock)
    clock.advance(MINUTE / 2)
    assert take(engine, "one", clock)
    clock.advance(MINUTE * 0.75)
    assert not take(engine, "two", clock)


def test_a_released_lease_is_free(engine: Engine, clock: MovableClock) -> None:
    take(engine, "one", clock)
    with engine.begin() as connection:
        assert not leases.release(connection, "recovery:a", "two")
        assert leases.release(connection, "recovery:a", "one")
    assert take(engine, "two", clock)


def test_of_many_that_ask_at_once_one_gets_the_lease(engine: Engine, clock: MovableClock) -> None:
    got: list[bool] = []
    threads = [
        threading.Thread(target=lambda name=name: got.append(take(engine, name, clock)))
        for name in "abcdefgh"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]
