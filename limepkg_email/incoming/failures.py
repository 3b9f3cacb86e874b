"""A mail that could not be imported: its receipt says why, and it goes to the failed folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError

from limepkg_email import event_log
from limepkg_email.accounts.accounts import ConnectedAccount, read_accounts
from limepkg_email.engine.types import Message
from limepkg_email.errors import EmailIntegrationError, EngineNotFound, HookError, ImportRefused
from limepkg_email.event_log import Level
from limepkg_email.incoming import receipts
from limepkg_email.incoming.pipeline import Outcome, import_message, in_inbox
from limepkg_email.incoming.preparation import identify
from limepkg_email.incoming.trace import JOBS, Trace
from limepkg_email.models import Disposition
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import ClaimedJob, NewJob, enqueue

_logger = logging.getLogger(__name__)

INBOX = "INBOX"
PARK_MESSAGE = "limepkg_email.tasks.tasks.park_message"
TOUCH_INBOX = "limepkg_email.tasks.tasks.touch_inbox"

# EmailEngine's connection stays in the folder that was used last; it looks at the inbox again only
# when asked, and that only helps once it is done with the other folder.
TOUCH_DELAY = timedelta(seconds=8)


def attempt(
    services: Services,
    engine_account: str,
    message: Message,
    job: ClaimedJob | None = None,
    *,
    anywhere: bool = False,
) -> Outcome:
    """Import the mail; whatever is no outage is about this mail and becomes `ImportRefused`.

    Otherwise a mail that breaks the import would be tried for hours before anybody sees it. The
    arguments are those of `import_message`.
    """
    try:
        return import_message(services, engine_account, message, job, anywhere=anywhere)
    except DataError as error:
        raise ImportRefused("The database refuses a value of the mail.") from error.orig
    except EngineNotFound as error:
        raise ImportRefused("A part of the mail cannot be fetched.") from error
    except (EmailIntegrationError, SQLAlchemyError, OSError, MemoryError):
        raise
    except Exception as error:
        raise ImportRefused(f"The import broke: {error!r}") from error


def record_failure(
    services: Services,
    engine_account: str,
    message: Message,
    error: Exception,
    job: ClaimedJob | None = None,
) -> None:
    """Write the `failed` receipt with its reason and ask for the mail to be parked.

    `job` is the one that failed with it; the receipt names it, so that it is finished when the mail
    has come in by another way.

    A mail that has a final receipt already stays as it is: somebody else imported it. Mail of an
    account that is not connected here is none of our business: it is neither noted nor moved, and
    its job waits for somebody to connect the account and to try again.
    """
    mail = identify(engine_account, message)
    now = services.clock()
    with services.application.database.begin() as connection:
        connected = read_accounts(connection).by_engine_account(engine_account)
        earlier = receipts.sightings(connection, mail)
        if connected is None or earlier.settled:
            return
        if earlier.own is None:
            _log(connection, services, connected, error)
        failed = receipts.failed_jobs(connection, mail) if earlier.own else []
        if job is not None:
            failed = list(dict.fromkeys([*failed, job.id]))
        trace = _found_where(message, failed).steps
        reason = reason_of(error)
        receipts.record(connection, mail, Disposition.FAILED, now, reason=reason, trace=trace)
        payload = {"account": engine_account, "message": message.id, "mail": mail.mail_key}
        if in_inbox(message):
            key = sha256(f"{engine_account}\0{mail.mail_key}".encode()).hexdigest()
            enqueue(connection, [NewJob(PARK_MESSAGE, payload, key=f"park:{key}")], now)
    _logger.warning(
        "a mail could not be imported", extra={"account": engine_account, "engine_id": message.id}
    )
    services.wake()


def _log(
    connection: Connection, services: Services, account: ConnectedAccount, error: Exception
) -> None:
    """Note the first failure of a mail in the log; the receipts tell of all of them."""
    code = HookError.code if isinstance(error, HookError) else "import_failed"
    text = f"{account.email}: A mail could not be imported: {reason_of(error)}"
    now, name = services.clock(), account.engine_account
    event_log.note(connection, now, Level.ERROR, code, text, account=name)


def reason_of(error: BaseException) -> str:
    """Give the sentence that administrators read: what went wrong, and the first cause.

    Without the values of a failed statement, which hold what the mail says.
    """
    if isinstance(error, DBAPIError):
        return _said_by_database(error)[:2000]
    cause = error.__cause__
    text = str(error) or type(error).__name__
    if isinstance(cause, DBAPIError):
        return f"{text} ({_said_by_database(cause)})"[:2000]
    return f"{text} ({type(cause).__name__}: {cause})"[:2000] if cause else text[:2000]


def _said_by_database(error: DBAPIError) -> str:
    first_line = str(error.orig).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"


def _found_where(message: Message, failed: Sequence[int]) -> Trace:
    """Give a trace that says where a mail was found, how it is dated, and which jobs failed."""
    trace = Trace()
    date = message.date.isoformat() if message.date else ""
    detail = f"found in {message.path}, dated {date or 'nothing'}"
    trace.note("received", detail, "received", folder=message.path, date=date, **{JOBS: failed})
    return trace


def park(services: Services, engine_account: str, engine_id: str, mail_key: str = "") -> None:
    """Move the mail to the failed folder, which is made if need be, and note it in its receipt."""
    folder = services.config.failed_folder
    services.engine.create_mailbox(engine_account, folder)
    try:
        moved = services.engine.move(engine_account, engine_id, folder, source=INBOX)
        receipts.note_moved(services, engine_account, mail_key, moved.id, folder)
    except EngineNotFound:
        _logger.warning(
            "a failed mail was not in the inbox any more",
            extra={"account": engine_account, "engine_id": engine_id},
        )
    with services.application.database.begin() as connection:
        touch = NewJob(
            TOUCH_INBOX,
            {"account": engine_account},
            key=f"touch:{engine_account}",
            delay=TOUCH_DELAY,
        )
        enqueue(connection, [touch], services.clock())
