"""What an administrator does with mails that could not be imported: look, try again, discard."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import String, Text, cast, literal, update

from limepkg_email import audit
from limepkg_email.accounts.accounts import ConnectedAccount, read_accounts
from limepkg_email.engine.client import TOO_LARGE
from limepkg_email.engine.types import Message
from limepkg_email.errors import (
    Conflict,
    EngineNotFound,
    EngineRejected,
    NotFound,
)
from limepkg_email.incoming.failures import INBOX, TOUCH_DELAY, TOUCH_INBOX, reason_of
from limepkg_email.incoming.identity import mail_key
from limepkg_email.incoming.receipt_search import ReceiptEntry, read_receipt, read_receipts
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.incoming.recovering.mails import bring_in
from limepkg_email.incoming.trace import failed_jobs
from limepkg_email.models import Disposition
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import NewJob, enqueue, supersede

_logger = logging.getLogger(__name__)

RETRY_FAILED: Final = "limepkg_email.tasks.tasks.retry_failed_mail"
QUEUED: Final = "queued"
DISCARDED: Final = "discarded"
MISSING: Final = "not_found"

_GENERATED: Final = "@generated.invalid>"
_PAGE: Final = 250
_MOST_PAGES: Final = 20
_LONGEST_REASON: Final = 2000
_IN_THE_CRM: Final = (Disposition.IMPORTED, Disposition.SECOND_SIGHTING)
_TELLING: Final = {
    Disposition.IMPORTED: "It has been imported already.",
    Disposition.SECOND_SIGHTING: "It has been imported through another account already.",
    Disposition.FILTERED: "It was discarded or filtered, so it is not imported.",
    Disposition.OWN: "It was sent from here, so it is not imported.",
    Disposition.TOO_OLD: "It is too old to be imported.",
    Disposition.BEFORE_ACTIVATION: "It is older than the connection of the account.",
}


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What happened to one of the mails that were chosen: `outcome` is stable, for programs.

    It is `queued`, `discarded`, `not_found`, or the disposition that the mail has already.
    """

    id: int
    outcome: str
    message: str


def retry(services: Services, ids: Sequence[int]) -> list[ItemOutcome]:
    """Ask for failed mails to be imported once more; three statements, however many they are.

    A mail for which a try waits already gets no second one. Wakes the workers.
    """
    with services.application.database.begin() as connection:
        found = {each.id: each for each in read_receipts(connection, ids)}
        failed = [each for each in ids if each in found and _has_failed(found[each])]
        jobs = [NewJob(RETRY_FAILED, {"receipt": each}, key=f"retry:{each}") for each in failed]
        if jobs and enqueue(connection, jobs, services.clock()):
            audit.record(
                connection, services, "failed_message.retry", "receipt", after={"ids": failed}
            )
    services.wake()
    said = "It is tried again; look at its receipt in a moment."
    return [_outcome(each, found.get(each), failed, QUEUED, said) for each in ids]


def discard(services: Services, ids: Sequence[int]) -> list[ItemOutcome]:
    """Let failed mails be; their receipts say who wanted that, and nothing tries them again.

    Their failed jobs are finished. Four statements, however many they are. The mails stay where
    they are in their mailboxes.
    """
    who = services.application.user.name or f"user {services.application.user.id}"
    said = literal(f"Discarded by {who[:200]}. It had failed: ", String)
    with services.application.database.begin() as connection:
        found = {each.id: each for each in read_receipts(connection, ids, traces=True)}
        # The jobs before the receipts, in the order in which an import locks them.
        gone = [job for each in found.values() for job in failed_jobs(each.trace)]
        supersede(connection, gone, services.clock())
        changed = connection.execute(
            update(RECEIPTS)
            .where(RECEIPTS.c.id.in_(list(ids)), RECEIPTS.c.disposition == Disposition.FAILED.value)
            .values(
                disposition=Disposition.FILTERED.value,
                reason=cast(said, Text) + RECEIPTS.c.reason,
                next_try=None,
            )
            .returning(RECEIPTS.c.id)
        )
        done = sorted(changed.scalars())
        if done:
            audit.record(
                connection, services, "failed_message.discard", "receipt", after={"ids": done}
            )
    told = "It is not imported, and not tried again."
    return [_outcome(each, found.get(each), done, DISCARDED, told) for each in ids]


def raw(services: Services, id: int) -> bytes:
    """Give a failed mail as it was transmitted, and note that the acting user read it.

    Raises `NotFound` without such a receipt or mail, `Conflict` for one that did not fail or is
    larger than `max_message_size`, and engine errors.
    """
    with services.application.database.connect() as connection:
        receipt = read_receipt(connection, id)
    if not _has_failed(receipt):
        raise Conflict(f"The mail of receipt {id} did not fail: {_said_of(receipt)}")
    content = _source(services, receipt)
    with services.application.database.begin() as connection:
        seen = {"account": receipt.account, "mail": receipt.message_id}
        audit.record(connection, services, "failed_message.read", "receipt", id, after=seen)
    return content


def try_again(services: Services, id: int) -> None:
    """Import a failed mail wherever it lies by now, and bring it back to the inbox.

    What went wrong again stands in the receipt, with one more attempt. Raises what is retryable.
    Doing it once more changes nothing.
    """
    with services.application.database.connect() as connection:
        found = read_receipts(connection, [id])
    if not found or found[0].disposition in (Disposition.FILTERED, Disposition.OWN):
        return
    receipt = found[0]
    entry = locate(services, receipt)
    if entry is None:
        if _has_failed(receipt):
            note_failure(services, id, "The mail is neither in the inbox nor in the failed folder.")
        return
    if _has_failed(receipt) and not _import(services, receipt, entry):
        return
    bring_back(services, receipt.account, entry)


def give_up(services: Services, id: int, error: Exception) -> None:
    """Note why the last try of a failed mail came to nothing."""
    note_failure(services, id, reason_of(error))


def note_failure(services: Services, id: int, reason: str) -> None:
    """Count one more attempt in the receipt of a failed mail, with its reason."""
    failed = RECEIPTS.c.disposition == Disposition.FAILED.value
    with services.application.database.begin() as connection:
        connection.execute(
            update(RECEIPTS)
            .where(RECEIPTS.c.id == id, failed)
            .values(reason=reason[:_LONGEST_REASON], attempts=RECEIPTS.c.attempts + 1)
        )


def locate(services: Services, receipt: ReceiptEntry) -> Message | None:
    """Find the mail of a receipt in the failed folder or the inbox; `None` if it is gone.

    Gives it as the folder lists it: without headers and text.
    """
    for path in (services.config.failed_folder, INBOX):
        try:
            for each in _candidates(services, receipt, path):
                if mail_key(each) == receipt.mail_key:
                    return each
        except EngineNotFound:  # no such folder: nothing has failed there yet
            continue
    return None


def bring_back(services: Services, account: str, message: Message) -> None:
    """Move an imported mail from the failed folder to the inbox and mark it as seen there."""
    if message.path == INBOX:
        return
    try:
        moved = services.engine.move(account, message.id, INBOX, source=message.path)
        services.engine.add_flags(account, moved.id, ("\\Seen",))
    except EngineNotFound:
        _logger.info("a mail left the failed folder by itself", extra={"account": account})
    with services.application.database.begin() as connection:
        payload, key = {"account": account}, f"touch:{account}"
        touch = NewJob(TOUCH_INBOX, payload, key=key, delay=TOUCH_DELAY)
        enqueue(connection, [touch], services.clock())


def _import(services: Services, receipt: ReceiptEntry, entry: Message) -> bool:
    """Import the mail; tells whether it has been imported, now or before."""
    bring_in(services, receipt.account, entry)
    with services.application.database.connect() as connection:
        now = read_receipt(connection, receipt.id)
        account = read_accounts(connection).by_engine_account(receipt.account)
    if not _has_failed(now):
        return now.disposition in _IN_THE_CRM
    if now.attempts == receipt.attempts:
        note_failure(services, receipt.id, _untouched(account))
    return False


def _untouched(account: ConnectedAccount | None) -> str:
    """Say why the import left the mail alone."""
    if account is None:
        return "The account is not connected to this application."
    if not account.enabled:
        return "The account is disabled."
    return "The mail left its folder just when it was to be imported."


def _candidates(services: Services, receipt: ReceiptEntry, path: str) -> Iterator[Message]:
    """Give the mails of a folder that can be the one, without their text."""
    if not receipt.message_id.endswith(_GENERATED):
        terms = {"header": {"Message-ID": receipt.message_id}}
        yield from services.engine.search(receipt.account, path, terms).messages
        return
    for page in range(_MOST_PAGES):  # without a Message-ID there is nothing to search for
        found = services.engine.messages(receipt.account, path, page, _PAGE)
        yield from found.messages
        if page + 1 >= found.pages:
            return


def _source(services: Services, receipt: ReceiptEntry) -> bytes:
    most = services.config.max_message_size
    try:
        try:
            return services.engine.source(receipt.account, receipt.engine_id, max_size=most)
        except EngineNotFound:
            message = locate(services, receipt)
            if message is None:
                raise NotFound("The mail is not in its mailbox any more.") from None
            return services.engine.source(receipt.account, message.id, max_size=most)
    except EngineRejected as error:
        if error.engine_code != TOO_LARGE:
            raise
        sentence = f"The mail has more than {most} bytes; look at it in the mailbox."
        raise Conflict(sentence) from None


def _has_failed(receipt: ReceiptEntry) -> bool:
    return receipt.disposition == Disposition.FAILED


def _said_of(receipt: ReceiptEntry) -> str:
    return _TELLING.get(Disposition(receipt.disposition), receipt.reason)


def _outcome(
    id: int, receipt: ReceiptEntry | None, done: Sequence[int], outcome: str, message: str
) -> ItemOutcome:
    if receipt is None:
        return ItemOutcome(id, MISSING, "There is no such receipt.")
    if id in done:
        return ItemOutcome(id, outcome, message)
    return ItemOutcome(id, receipt.disposition, _said_of(receipt))
