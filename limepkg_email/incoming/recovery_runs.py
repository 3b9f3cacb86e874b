"""Recoveries as jobs: one job at a time for a run, which hands on to the next one.

A run with a thousand accounts would put a thousand jobs before the next webhook's, and a large
account would keep a worker for an hour. So the job of a run does one account, or a minute of it,
and asks for a successor that says how far it is; webhooks that came meanwhile have their turn
first. A job whose worker dies is begun again from where it began: receipts tell what is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount, read_accounts
from limepkg_email.accounts.recovery_start import RECOVERY as TASK
from limepkg_email.accounts.recovery_start import start_recovery
from limepkg_email.accounts.refreshing import Answer, ask
from limepkg_email.audit import record
from limepkg_email.errors import InvalidInput
from limepkg_email.incoming import recovery
from limepkg_email.incoming.failures import reason_of
from limepkg_email.incoming.recovering.progress import Progress, Stage, Tally
from limepkg_email.incoming.recovering.reports import Report
from limepkg_email.services import Services
from limepkg_email.tasks import leases, runs
from limepkg_email.tasks.jobs import ClaimedJob, NewJob, enqueue, extend, finish
from limepkg_email.tasks.schedule import Schedule

BUDGET: Final = timedelta(minutes=1)
"""After how long the job of a run lets others have their turn."""
_BUSY_DELAY: Final = timedelta(seconds=10)
_PATIENCE: Final = timedelta(minutes=2)
"""For how long a run waits for the engine to connect to an account that was just enabled."""
_MOST_ATTEMPTS: Final = 3
_MOST_ERRORS: Final = 100
_SCHEDULED: Final = "recovery:scheduled"
_SILENT: Final = "Several workers ended while they looked through this account."


@dataclass(frozen=True, slots=True)
class Chain:
    """One run as it goes from job to job.

    `accounts` are those that are left, the one at hand first; `None` before it began and all
    enabled ones are meant. `chain` holds the leases. `run` is the run that somebody can ask after,
    empty for the schedule's. `unannounced_before` is the instant up to which nobody listened to the
    accounts' webhooks, empty if somebody did.
    """

    accounts: tuple[int, ...] | None
    chain: str
    run: str = ""
    patient: bool = False
    unannounced_before: str = ""
    begun: bool = False
    done: int = 0
    progress: Mapping[str, Any] | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of_payload(cls, payload: Any) -> Chain:
        """Read it from the payload of a job; tolerates one that only names accounts or nothing."""
        given = payload if isinstance(payload, Mapping) else {}
        values = {name: given[name] for name in cls.__slots__ if name in given}
        accounts = values.get("accounts")
        return cls(
            **{
                **values,
                "accounts": None if accounts is None else tuple(accounts),
                "chain": values.get("chain") or values.get("run") or str(uuid4()),
                "errors": tuple(values.get("errors", ())),
            }
        )

    def job(self, delay: timedelta = timedelta(0)) -> NewJob:
        """Give the job that goes on with it."""
        # By this key a run's job is known; that of the schedule is kept apart by its own.
        key = f"run:{self.run}" if self.run else f"recovery:{self.chain}"
        return NewJob(TASK, asdict(self), key=key, delay=delay)


def start(services: Services, accounts: Sequence[int] | None) -> str:
    """Ask for a recovery of these accounts, of all enabled ones for `None`; gives the run's id.

    Raises `InvalidInput` that names ids that do not exist. Disabled accounts are skipped.
    """
    with services.application.database.begin() as connection:
        book = read_accounts(connection)
        chosen = [each.id for each in book.accounts if each.enabled]
        if accounts is not None:
            chosen = sorted(set(accounts))
            unknown = set(chosen) - {each.id for each in book.accounts}
            if unknown:
                raise InvalidInput(
                    errors={"accounts": [_unknown(each) for each in sorted(unknown)]}
                )
        guid = start_recovery(services, connection, chosen)
        record(connection, services, "recovery.start", "recovery", guid, after={"accounts": chosen})
    services.wake()
    return guid


def start_scheduled(services: Services) -> None:
    """Ask for a recovery of all accounts, unless the last one still goes on or none is wanted."""
    if not services.config.handle_unprocessed_emails_enabled:
        return
    chain = Chain(None, str(uuid4()), patient=True)
    with services.application.database.begin() as connection:
        now = services.clock()
        if not leases.acquire(connection, _SCHEDULED, chain.chain, now, _lease(services)):
            return
        enqueue(connection, [chain.job()], now)
    services.wake()


RECOVERY: Final = Schedule(
    "recovery", every=lambda config: timedelta(minutes=config.recovery_interval),
    run=start_scheduled,
)  # fmt: skip
"""The recovery of all accounts, every `recovery_interval`."""


def work(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Do one piece of a run, and finish the job together with what comes of it."""
    chain = Chain.of_payload(payload)
    with services.application.database.begin() as connection:
        book = read_accounts(connection)
        if not chain.begun:
            chain = _begun(services, connection, chain, book)
        elif chain.run:
            runs.resume(connection, chain.run)
    account = _first(chain, book)
    if account is None:
        with services.application.database.begin() as connection:
            _hand_on(services, connection, job, chain)
    elif _taken(services, account, chain):
        _look_through(services, job, chain, account)
    else:
        _come_back_later(services, job, chain, account, "another run is at work on the account")
    services.wake()


def given_up(services: Services, payload: Any, error: Exception) -> None:
    """Tell of a run whose job was set aside."""
    chain = Chain.of_payload(payload)
    with services.application.database.begin() as connection:
        if chain.run:
            runs.fail(connection, chain.run, services.clock(), reason_of(error))
        leases.release(connection, _SCHEDULED, chain.chain)


def _begun(services: Services, connection: Connection, chain: Chain, book: AccountBook) -> Chain:
    enabled = {each.id for each in book.accounts if each.enabled}
    chosen = sorted(enabled) if chain.accounts is None else chain.accounts
    chain = replace(chain, accounts=tuple(each for each in chosen if each in enabled), begun=True)
    if chain.run:
        runs.begin(connection, chain.run, services.clock(), total=len(chain.accounts or ()))
    return chain


def _first(chain: Chain, book: AccountBook) -> ConnectedAccount | None:
    """Give the account at hand; `None` at the end, or when it is gone or disabled by now."""
    wanted = chain.accounts[0] if chain.accounts else None
    return next((each for each in book.accounts if each.id == wanted and each.enabled), None)


def _taken(services: Services, account: ConnectedAccount, chain: Chain) -> bool:
    with services.application.database.begin() as connection:
        return leases.acquire(
            connection, _of(account), chain.chain, services.clock(), _lease(services)
        )


def _look_through(
    services: Services, job: ClaimedJob, chain: Chain, account: ConnectedAccount
) -> None:
    if chain.progress is None:
        progress = recovery.begin(services, account, patient=chain.patient)
    else:
        progress = Progress.of_payload(chain.progress)
    keeper = _Keeper(services, job, chain, account)
    if job.attempts > _MOST_ATTEMPTS:
        recovery.give_up(progress, _SILENT)
    until = services.clock() + BUDGET
    recovery.go_on(
        services,
        account,
        progress,
        unannounced_before=_moment(chain.unannounced_before),
        keep=keeper.keep,
        enough=lambda: services.clock() >= until,
    )
    ended = progress.stage is Stage.ENDED
    answer = ask(services, account.engine_account) if ended else None
    if progress.error and answer is not None and _waits(chain, answer):
        _come_back_later(services, job, chain, account, "the engine connects to the account")
        return
    with services.application.database.begin() as connection:
        if ended:
            report = recovery.conclude(connection, services, account, progress, chain.run, answer)
            chain = _with(chain, report)
            leases.release(connection, _of(account), chain.chain)
            _hand_on(services, connection, job, chain)
        else:
            chain = replace(chain, progress=progress.as_payload())
            enqueue(connection, [chain.job()], services.clock())
            finish(connection, job, services.clock(), "goes on")


def _with(chain: Chain, report: Report) -> Chain:
    totals = Tally(**chain.totals)
    totals.add_all(report.counts())
    error = ({"account": report.account, "error": report.error},) if report.error else ()
    return replace(
        chain, totals=asdict(totals), errors=(*chain.errors, *error)[:_MOST_ERRORS], progress=None
    )


def _hand_on(services: Services, connection: Connection, job: ClaimedJob, chain: Chain) -> None:
    """Go on with the next account, or end the run; in the transaction that finishes the job."""
    now = services.clock()
    had_one = bool(chain.accounts)
    left = (chain.accounts or ())[1:]
    chain = replace(chain, accounts=left, done=chain.done + had_one, progress=None)
    if left:
        if chain.run:
            runs.advance(connection, chain.run, chain.done)
        else:
            leases.acquire(connection, _SCHEDULED, chain.chain, now, _lease(services))
        enqueue(connection, [chain.job()], now)
    else:
        _end(connection, services, chain)
    finish(connection, job, now)


def _end(connection: Connection, services: Services, chain: Chain) -> None:
    leases.release(connection, _SCHEDULED, chain.chain)
    if chain.run:
        totals = {**asdict(Tally()), **chain.totals}
        result = {"accounts": chain.done, "totals": totals, "errors": list(chain.errors)}
        runs.succeed(connection, chain.run, services.clock(), result)


def _waits(chain: Chain, answer: Answer) -> bool:
    """Tell whether the account cannot be looked into yet, because it was enabled a moment ago."""
    enabled = _moment(chain.unannounced_before)
    return enabled is not None and answer.connecting and answer.at < enabled + _PATIENCE


def _come_back_later(
    services: Services, job: ClaimedJob, chain: Chain, account: ConnectedAccount, why: str
) -> None:
    """Let the account be the last one, and begin it anew then."""
    first, *others = chain.accounts or ()
    chain = replace(chain, accounts=(*others, first), progress=None)
    with services.application.database.begin() as connection:
        leases.release(connection, _of(account), chain.chain)
        enqueue(connection, [chain.job(_BUSY_DELAY)], services.clock())
        finish(connection, job, services.clock(), why)


class _Keeper:
    """Prolongs what a long job holds: the job itself and the leases of its account and its run."""

    def __init__(
        self, services: Services, job: ClaimedJob, chain: Chain, account: ConnectedAccount
    ) -> None:
        self._services = services
        self._job = job
        self._names = [_of(account)] if chain.run else [_of(account), _SCHEDULED]
        self._holder = chain.chain
        self._until = job.lease_until

    def keep(self) -> None:
        """Prolong if half of the time is over; raises `LeaseLost`."""
        now, lease = self._services.clock(), self._services.config.lease
        if self._until - now > lease / 2:
            return
        self._until = now + lease
        with self._services.application.database.begin() as connection:
            extend(connection, self._job, self._until)
            for name in self._names:
                leases.acquire(connection, name, self._holder, now, _lease(self._services))


def _of(account: ConnectedAccount) -> str:
    return f"recovery:account:{account.id}"


def _lease(services: Services) -> timedelta:
    # Longer than the job's: the worker that takes a silent one's job over holds it all the same.
    return 2 * services.config.lease


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _unknown(id: int) -> str:
    return f"There is no account {id}."
