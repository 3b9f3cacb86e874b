"""Looking through one account, page by page: its inbox first, its failed folder last.

What is looked at and why nothing falls out of it is told in `docs/explanation/exactly-once.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from limepkg_email.accounts.accounts import ConnectedAccount, read_accounts
from limepkg_email.engine.types import Message
from limepkg_email.errors import Conflict, EngineError, EngineNotFound, ImportRefused
from limepkg_email.incoming import failed
from limepkg_email.incoming.failures import INBOX, TOUCH_DELAY, TOUCH_INBOX, record_failure
from limepkg_email.incoming.identity import mail_key
from limepkg_email.incoming.receipt_search import read_receipts
from limepkg_email.incoming.recovering.known import Known, known, still_failed
from limepkg_email.incoming.recovering.listing import Page, pages
from limepkg_email.incoming.recovering.mails import FAILED, GONE, KNOWN, bring_in
from limepkg_email.incoming.recovering.progress import MOST_CARRIED, Progress, Stage
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import NewJob, enqueue

_PASSES: Final = 5
_A_DAY: Final = timedelta(days=1)
"""Searches compare by the day on some servers, in a time zone of theirs."""
_CLOCKS_APART: Final = timedelta(minutes=1)
"""How far a sender's clock may be ahead before a mail seems to have come later than it did."""
_NOWHERE: Final = "The mail is neither in the inbox nor in the failed folder."


class Scan:
    """Looks through one account and keeps its `progress` up to date.

    `keep` is called now and then, as this takes its time; whatever it raises ends the scan. Mail
    from `unannounced_before` is not left to webhooks, however new it is: there will be none.
    """

    def __init__(
        self,
        services: Services,
        account: ConnectedAccount,
        progress: Progress,
        keep: Callable[[], None],
        unannounced_before: datetime | None = None,
    ) -> None:
        self._services = services
        self._account = account
        self._name = account.engine_account
        self._progress = progress
        self._keep = keep
        self._unannounced = unannounced_before and unannounced_before + _CLOCKS_APART
        config = services.config
        self._grace = timedelta(minutes=config.vacuum_cleaner_grace_period)
        self._interval = timedelta(minutes=config.recovery_interval)
        self._oldest = progress.started_at - timedelta(
            days=config.max_import_age_for_failed_messages
        )
        # What earlier jobs of the run have counted.
        self._carried = {*progress.failed, *self._unread_met()}
        self._met: set[str] = set()
        self._met_in_inbox: set[str] = set()

    def steps(self) -> Iterator[None]:
        """Do the work, and yield wherever it may be interrupted and gone on with later."""
        progress = self._progress
        while progress.stage is not Stage.ENDED:
            if progress.stage is Stage.FAILED:
                yield from self._failed_folder()
            else:
                yield from self._inbox(self._terms())
            progress.next_stage()
            yield

    def _unread_met(self) -> list[str]:
        # In the failed folder they count once more: whatever brought them there is news.
        return [] if self._progress.stage is Stage.FAILED else self._progress.met

    def _terms(self) -> dict[str, Any]:
        since = {"since": _instant(self._progress.since)}
        if self._progress.stage is Stage.WINDOW:
            return since
        if self._account.import_unread:
            return {"unseen": True}
        return {"unseen": True, "since": _instant(self._account.activated_at - _A_DAY)}

    # The inbox.

    def _inbox(self, terms: Mapping[str, Any]) -> Iterator[None]:
        for _ in range(_PASSES):
            counted, news = False, 0
            for page in pages(
                self._services.engine, self._name, INBOX, terms, self._progress.below
            ):
                counted = page.below == 0
                news += self._inbox_page(page)
                self._progress.below = page.below
                if not counted:
                    yield
            if not counted or not news:
                return

    def _inbox_page(self, page: Page) -> int:
        """Look after every mail of the page; gives how many had not been met in this scan."""
        entries = self._new(page)
        receipts = self._known(entries)
        unsure: dict[str, str] = {}
        for key, entry in reversed(entries.items()):  # the oldest first, as they were written
            count = self._inbox_mail(entry, receipts.get(key))
            self._count(key, count)
            if key not in receipts and count not in ("in_grace", GONE):
                unsure[key] = count
            self._keep()
        self._account_for(unsure)
        self._keep()
        return len(entries)

    def _inbox_mail(self, entry: Message, receipt: Known | None) -> str:
        if receipt is None:
            if self._in_grace(entry):
                return "in_grace"
            return bring_in(self._services, self._name, entry).count
        if not receipt.failed:
            return KNOWN
        # A mail that failed a moment ago is about to be moved away.
        if receipt.seen_at + self._grace > self._services.clock() or not self._due(receipt):
            return FAILED
        return _as_recovered(bring_in(self._services, self._name, entry).count)

    def _in_grace(self, entry: Message) -> bool:
        """Tell whether the mail is so new that its webhook may be on its way.

        Only its Date is known. One in the future must not keep it out for ever.
        """
        if entry.date is None or (self._unannounced and entry.date < self._unannounced):
            return False
        now = self._services.clock()
        return now - self._grace < entry.date < now + self._grace

    def _count(self, key: str, count: str) -> None:
        progress, digest = self._progress, _digest(key)
        if count == GONE:
            return
        progress.tally.count(count)
        if progress.stage is Stage.UNREAD and len(progress.met) < MOST_CARRIED:
            progress.met.append(digest)
        if count == FAILED and len(progress.failed) < MOST_CARRIED:
            progress.failed.append(digest)

    def _account_for(self, counted: Mapping[str, str]) -> None:
        """Count the mails as unaccounted that have no receipt although they were looked after.

        Deliberately does not ask what was decided about them, but what the database says.
        """
        if not counted:
            return
        with self._services.application.database.connect() as connection:
            missing = counted.keys() - known(connection, self._name, counted.keys()).keys()
            for key in missing:
                self._progress.tally.add(counted[key], -1)
                self._progress.tally.add("unaccounted")
            account = read_accounts(connection).by_engine_account(self._name) if missing else None
        if missing and (account is None or not account.enabled):
            raise Conflict("The account was disabled while it was looked through.")

    # The failed folder.

    def _failed_folder(self) -> Iterator[None]:
        folder = self._services.config.failed_folder
        terms = {} if self._progress.whole else {"since": _instant(self._oldest - _A_DAY)}
        below = self._progress.below
        self._met_in_inbox, self._met = self._met, set()
        self._carried = {*self._progress.failed}
        try:
            for page in pages(self._services.engine, self._name, folder, terms, below):
                self._failed_page(page)
                self._progress.below = page.below
                if page.below:
                    yield
        except EngineNotFound:  # nothing has ever failed here
            return
        self._elsewhere()
        self._touch_inbox()

    def _failed_page(self, page: Page) -> None:
        entries = self._new(page)
        receipts = self._known(entries)
        unsure: dict[str, str] = {}
        for key, entry in reversed(entries.items()):
            count = self._failed_mail(entry, receipts.get(key))
            self._count(key, count)
            if key not in receipts and count != GONE:
                unsure[key] = count
            self._keep()
        self._account_for(unsure)
        self._keep()

    def _failed_mail(self, entry: Message, receipt: Known | None) -> str:
        if receipt is None and entry.date is not None and entry.date < self._oldest:
            sentence = "Lies in the failed folder for longer than the recovery tries; try it again."
            record_failure(self._services, self._name, entry, ImportRefused(sentence))
            return "too_old"
        if receipt is not None and not receipt.failed:
            if receipt.imported:
                # Imported by hand, or the process ended before it was moved.
                self._bring_back(entry)
            return KNOWN
        if receipt is not None and receipt.seen_at < self._oldest:
            return "too_old"
        if receipt is not None and not self._due(receipt):
            return FAILED
        brought = bring_in(self._services, self._name, entry)
        if brought.count not in (FAILED, GONE):
            self._bring_back(entry)
        return _as_recovered(brought.count)

    def _elsewhere(self) -> None:
        """Look for mails that failed lately and have not been met, by what their receipts say."""
        with self._services.application.database.connect() as connection:
            lost = [
                each
                for each in still_failed(connection, self._name, self._oldest)
                if each.mail_key not in self._met | self._met_in_inbox
                and _digest(each.mail_key) not in self._carried
                and self._due(each)
            ]
            receipts = read_receipts(connection, [each.id for each in lost])
        for receipt in receipts:
            message = failed.locate(self._services, receipt)
            if message is None:
                failed.note_failure(self._services, receipt.id, _NOWHERE)
                continue
            brought = bring_in(self._services, self._name, message)
            if brought.count not in (FAILED, GONE):
                self._bring_back(message)
            self._count(receipt.mail_key, _as_recovered(brought.count))
            self._keep()

    def _bring_back(self, message: Message) -> None:
        try:
            failed.bring_back(self._services, self._name, message)
        except EngineError:
            return  # it is in the CRM; the next run finds it here and moves it

    def _touch_inbox(self) -> None:
        payload, key = {"account": self._name}, f"touch:{self._name}"
        touch = NewJob(TOUCH_INBOX, payload, key=key, delay=TOUCH_DELAY)
        with self._services.application.database.begin() as connection:
            enqueue(connection, [touch], self._services.clock())

    # Both.

    def _due(self, receipt: Known) -> bool:
        if receipt.exhausted or receipt.seen_at >= self._progress.started_at:
            return False  # given up, or tried in this very run
        if not self._progress.patient:
            return True
        return receipt.may_be_tried(self._services.clock(), self._interval)

    def _new(self, page: Page) -> dict[str, Message]:
        """Give the mails of the page that were not met before, by their keys."""
        keyed = {mail_key(each): each for each in page.messages}
        found = {
            key: each
            for key, each in keyed.items()
            if key not in self._met and _digest(key) not in self._carried
        }
        self._met.update(found)
        return found

    def _known(self, entries: Mapping[str, Message]) -> dict[str, Known]:
        with self._services.application.database.connect() as connection:
            return known(connection, self._name, list(entries))


def _as_recovered(count: str) -> str:
    """Say how a mail is counted that had failed before."""
    return count if count in (FAILED, GONE, KNOWN) else "recovered"


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:16]


def _instant(moment: Any) -> str:
    return str(moment.isoformat(timespec="seconds")).replace("+00:00", "Z")
