"""One mail that somebody has to look after: fetched whole, imported, or noted as failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from limepkg_email.engine.types import Message
from limepkg_email.errors import EmailIntegrationError, EngineNotFound
from limepkg_email.incoming.failures import INBOX, attempt, record_failure
from limepkg_email.incoming.pipeline import Outcome
from limepkg_email.models import Disposition
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import LeaseLost

GONE: Final = "gone"
"""The mail is not in its folder any more: somebody moved or deleted it meanwhile."""
KNOWN: Final = "known"
FAILED: Final = "failed"
_COUNTED_AS: Final[Mapping[Disposition, str]] = {
    Disposition.IMPORTED: "imported",
    Disposition.SECOND_SIGHTING: "second_sightings",
    Disposition.FILTERED: "filtered",
    Disposition.OWN: "own",
    Disposition.FAILED: FAILED,
    Disposition.TOO_OLD: "too_old",
    Disposition.BEFORE_ACTIVATION: "before_activation",
}


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a mail: the name of the count that it belongs to, and the mail as fetched."""

    count: str
    message: Message


def bring_in(services: Services, account: str, entry: Message) -> Brought:
    """Import a mail that was listed in a folder, whatever folder that is.

    An error that is about the mail leaves a `failed` receipt. One that looks like an outage is
    checked: if the engine and the database answer, the mail is tried once more and then noted as
    failed too, so that it never holds up the others; if they do not, the error is raised.
    """
    fetched = entry
    for last in (False, True):
        try:
            fetched = _fetch(services, account, entry)
            return Brought(_counted(attempt(services, account, fetched, anywhere=True)), fetched)
        except EngineNotFound:
            return Brought(GONE, entry)
        except LeaseLost:
            raise
        except (EmailIntegrationError, SQLAlchemyError, OSError, MemoryError) as error:
            if _may_pass(error):
                _require_the_world(services, account)
                if not last:
                    continue
            record_failure(services, account, fetched, error)
            return Brought(FAILED, fetched)
    raise AssertionError("the second try returns or raises")


def _fetch(services: Services, account: str, entry: Message) -> Message:
    """Fetch the mail: a list has neither headers nor text, and without them it would be empty.

    Where it lies is what the list said; what the engine thinks about its novelty does not count.
    """
    whole = services.engine.message(account, entry.id)
    special_use = "\\Inbox" if entry.path.upper() == INBOX else ""
    return replace(
        whole,
        path=entry.path,
        special_use=special_use,
        unseen=entry.unseen,
        uid=entry.uid,
        seems_like_new=False,
    )


def _counted(outcome: Outcome) -> str:
    return KNOWN if outcome.disposition is None else _COUNTED_AS[outcome.disposition]


def _may_pass(error: Exception) -> bool:
    return error.retryable if isinstance(error, EmailIntegrationError) else True


def _require_the_world(services: Services, account: str) -> None:
    """Raise what the engine or the database raises if one of them is away."""
    services.engine.messages(account, INBOX, page_size=1)
    with services.application.database.connect() as connection:
        connection.execute(select(1))
