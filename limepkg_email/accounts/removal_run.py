"""Deleting many accounts as a run: each takes calls of the engine, and nobody waits for a request.

The job of the run deletes one account and asks for a successor in the transaction that finishes
it, so that other jobs have their turn. A job whose worker was killed begins the same account again,
and deleting an account once more completes what was left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from limepkg_email import audit
from limepkg_email.accounts.outcomes import AWAY, AccountOutcome, rows_of
from limepkg_email.accounts.removal import remove
from limepkg_email.audit import Actor
from limepkg_email.errors import EngineError
from limepkg_email.services import Services
from limepkg_email.tasks import runs
from limepkg_email.tasks.jobs import ClaimedJob, NewJob, enqueue, finish
from limepkg_email.tasks.runs import RunEntry

TASK: Final = "limepkg_email.tasks.tasks.delete_accounts"
"""The name of the task."""
ATTEMPTS: Final = 3
"""Attempts of one account, half a minute in all, while the engine is away."""

GiveUp = Callable[[Services, str, str], object]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `accounts` are left, the one at hand first.

    `known` are those that there were at the beginning: one of them that is gone was deleted, even
    if the worker that did it could not say so. `user` and `user_name` are who wanted it.
    """

    run: str
    accounts: tuple[int, ...]
    known: tuple[int, ...]
    user: int
    user_name: str
    outcomes: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Progress:
        """Read it from the payload of a job."""
        values = {name: payload[name] for name in cls.__slots__ if name in payload}
        lists = ("accounts", "known", "outcomes")
        return cls(**{**values, **{name: tuple(values.get(name, ())) for name in lists}})

    def with_outcomes(self, outcomes: Sequence[AccountOutcome]) -> Progress:
        """Give it after the first accounts that are left came to these outcomes."""
        done = tuple(asdict(each) for each in outcomes)
        left = self.accounts[len(done) :]
        return replace(self, accounts=left, outcomes=(*self.outcomes, *done))


def start(services: Services, accounts: Sequence[int]) -> RunEntry:
    """Ask for the accounts to be deleted, and give the run. Wakes the workers."""
    wanted, user = tuple(dict.fromkeys(accounts)), services.application.user
    known = tuple(sorted(rows_of(services, wanted)))
    progress = Progress("", wanted, known, user.id, user.name)
    with services.application.database.begin() as connection:
        payload, now = asdict(progress), services.clock()
        guid = runs.create(connection, TASK, payload, now, user=user.id, total=len(wanted))
        after = {"accounts": list(wanted)}
        audit.record(connection, services, "account.delete_many", "task", guid, after=after)
        run = runs.read(connection, guid)
    services.wake()
    return run


def work(services: Services, job: ClaimedJob, payload: Any, give_up: GiveUp) -> None:
    """Delete the account at hand, and finish the job together with what comes of it.

    Raises the engine's error while it is away and another attempt is to follow; after the last one
    it is the reason of all accounts that are left.
    """
    progress = Progress.of_payload(payload)
    with services.application.database.begin() as connection:
        if progress.outcomes:
            runs.resume(connection, progress.run)
        else:
            total = len(progress.accounts)
            runs.begin(connection, progress.run, services.clock(), total=total)
    progress = progress.with_outcomes(_outcomes(services, job, progress, give_up))
    with services.application.database.begin() as connection:
        _hand_on(services, connection, job, progress)
    services.wake()


def give_up_run(services: Services, payload: Any, reason: str) -> None:
    """Note that the run's job was set aside."""
    with services.application.database.begin() as connection:
        runs.fail(connection, str(payload["run"]), services.clock(), reason)


def _outcomes(
    services: Services, job: ClaimedJob, progress: Progress, give_up: GiveUp
) -> list[AccountOutcome]:
    account, by = progress.accounts[0], Actor(progress.user, progress.user_name)
    try:
        (done,) = remove(services, [account], give_up, by=by)
    except AWAY as error:
        return _away(services, job, progress, error)
    if done.outcome == "unchanged" and account in progress.known:
        done = AccountOutcome(account, "deleted")
    return [done]


def _away(
    services: Services, job: ClaimedJob, progress: Progress, error: EngineError
) -> list[AccountOutcome]:
    # Somebody waits for it: hours of further attempts would help nobody.
    if job.attempts < ATTEMPTS:
        with services.application.database.begin() as connection:
            runs.put_off(connection, progress.run, error.message)
        raise error
    return [AccountOutcome(each, "failed", error.message) for each in progress.accounts]


def _hand_on(
    services: Services, connection: Connection, job: ClaimedJob, progress: Progress
) -> None:
    now = services.clock()
    if progress.accounts:
        runs.advance(connection, progress.run, len(progress.outcomes))
        following = NewJob(TASK, asdict(progress), key=f"run:{progress.run}")
        enqueue(connection, [following], now)
        finish(connection, job, now, "goes on")
        return
    items = list(progress.outcomes)
    runs.succeed(connection, progress.run, now, {"items": items, "total": len(items)})
    finish(connection, job, now)
