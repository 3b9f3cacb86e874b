"""What the package's own tables hold about one address, and removing it on a person's request.

Conversations, messages and followers are objects of the CRM, mails lie in mailboxes: both have
their own ways. Rows that keep a mail from coming twice stay, without what speaks of the person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, Text, cast, func, or_, select, update

from limepkg_email import audit
from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.addresses import is_valid, normalise
from limepkg_email.db import table
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.models import (
    AuditEntry,
    Base,
    Disposition,
    Draft,
    DraftFile,
    Job,
    JobState,
    LogEntry,
    Outbox,
    Receipt,
)
from limepkg_email.outgoing.forgetting import SETTLED
from limepkg_email.query import In
from limepkg_email.services import Services

ERASED: Final = "(erased)"
"""What stands in a sentence for an address that was erased."""

_PAGE: Final = 500
_LONGEST_NAME: Final = 255
_PLAIN: Final = re.compile(r"[!#-\[\]-~]+")  # ASCII without quotes and backslashes
_Change = Callable[[Row[Any, Any], re.Pattern[str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows of a kind speak of the address, and what becomes of them, in words.

    `stops` says that they have to be dealt with before anything can be erased.
    """

    what: str
    count: int
    becomes: str
    stops: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an address can stand: `columns` are searched, `key` is the primary key.

    `change` gives the new values of a row; without it the row is left alone.
    """

    what: str
    becomes: str
    model: type[Base]
    key: str
    columns: tuple[str, ...]
    only: ColumnElement[bool] | None = None
    change: _Change | None = None
    stops: bool = False


def held(services: Services, address: str) -> list[Held]:
    """Tell what is held about the address; changes nothing. Raises `InvalidInput`."""
    wanted = _checked(address)
    found = [
        Held(each.what, sum(len(page) for page in _pages(services, each, wanted)), each.becomes,
             each.stops)
        for each in _PLACES
    ]  # fmt: skip
    return [*_own(services, wanted), *(each for each in found if each.count)]


def erase(services: Services, address: str) -> list[Held]:
    """Remove what is held about the address, page by page; gives what it was.

    Doing it again completes what was interrupted. Raises `InvalidInput`, and `Conflict` that names
    what has to be dealt with before; then nothing is removed.
    """
    wanted, found = _checked(address), held(services, address)
    obstacles = [f"{each.count} {each.what}: {each.becomes}" for each in found if each.stops]
    if obstacles:
        raise Conflict("Nothing was removed. First: " + "; ".join(obstacles) + ".")
    for place in _PLACES:
        if place.change is not None:
            for page in _pages(services, place, wanted):
                ids = [row[0] for row in page]
                _rewrite(services, place, place.change, ids, _pattern(wanted))
    with services.application.database.begin() as connection:
        removed = {each.what: each.count for each in found}
        audit.record(connection, services, "address.erase", "address", after=removed)
    return found


def in_the_crm(services: Services, address: str) -> dict[str, int]:
    """Count the CRM's own objects with the address by limetype; they are left alone."""
    wanted = _checked(address)
    places = {each.limetype: each.address for each in services.config.follower_parents}
    with services.application.unit_of_work() as work:
        counts = {
            limetype: work.objects.count(limetype, In(name, (wanted,), ignore_case=True))
            for limetype, name in {"follower": "email", **places}.items()
        }
    return {limetype: count for limetype, count in counts.items() if count}


def _checked(address: str) -> str:
    wanted = normalise(address)
    if not is_valid(wanted):
        raise InvalidInput(f"{address[:80]!r} is not an e-mail address.")
    return wanted


def _own(services: Services, address: str) -> Iterator[Held]:
    with services.application.database.connect() as connection:
        if address in read_accounts(connection).own_addresses:
            yield Held("account of ours", 1, "delete it or its alias", stops=True)


def _pattern(address: str) -> re.Pattern[str]:
    """Find the address, but not as a part of a longer one."""
    return re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", re.IGNORECASE)


def _pages(services: Services, place: _Place, address: str) -> Iterator[list[Row[Any, Any]]]:
    """Give the rows that speak of the address, page by page; reads the whole table once."""
    source, pattern = table(place.model), _pattern(address)
    key, last = source.c[place.key], None
    chosen = select(key, *(source.c[name] for name in place.columns)).order_by(key).limit(_PAGE)
    chosen = chosen.where(or_(*_mentions(source, place, address)))
    if place.only is not None:
        chosen = chosen.where(place.only)
    while True:
        with services.application.database.connect() as connection:
            rows = connection.execute(chosen if last is None else chosen.where(key > last)).all()
        yield [row for row in rows if pattern.search(_text_of(row[1:]))]
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]


def _mentions(source: Table, place: _Place, address: str) -> Iterator[ColumnElement[bool]]:
    # Only a part that JSON writes as it is and that every database can put in lower case.
    part = max(_PLAIN.findall(address), key=len)
    for name in place.columns:
        yield func.lower(cast(source.c[name], Text)).contains(part.lower(), autoescape=True)


def _text_of(values: Iterable[Any]) -> str:
    """Give all texts in the values, without escapes: a letter of one would look like the name's."""
    return "\n".join(text for each in values for text in _texts(_readable(each)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _readable(value: Any) -> Any:
    """Give what a payload says, which is JSON in a text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _rewrite(
    services: Services,
    place: _Place,
    change: _Change,
    ids: list[Any],
    pattern: re.Pattern[str],
) -> None:
    source = table(place.model)
    key = source.c[place.key]
    # Read again and locked: a mail may wait again by now, a user may have gone on writing.
    chosen = select(key, *(source.c[name] for name in place.columns)).where(key.in_(ids))
    if place.only is not None:
        chosen = chosen.where(place.only)
    with services.application.database.begin() as connection:
        for row in connection.execute(chosen.order_by(key).with_for_update()).all():
            changed = change(row, pattern)
            connection.execute(update(source).where(key == row[0]).values(**changed))


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, list):
        return [_without(each, pattern) for each in value]
    if isinstance(value, dict):
        return {_without(name, pattern): _without(each, pattern) for name, each in value.items()}
    return value


def _of_receipt(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    """Leave what identifies the mail: keys, disposition, and the message that it became."""
    return {"sender": "", "subject": "", "trace": [], "reason": _without(row.reason, pattern)}


def _of_outbox(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    """Leave what keeps the mail from being sent twice."""
    return {"payload": "", "recipient": "" if pattern.search(row.recipient) else row.recipient}


def _of_log(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    return {"text": _without(row.text, pattern), "details": _without(row.details, pattern)}


def _of_draft(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    """Leave what the user wrote; a window in which it is open is told that there is a newer one."""
    content = dict(row.content)
    others = [
        each for each in content.get("recipients", ()) if not pattern.search(_text_of([each]))
    ]
    clean = _without({**content, "recipients": others}, pattern)
    return {"content": clean, "version": row.version + 1}


def _of_draft_file(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    return {"filename": _without(row.filename, pattern)[:_LONGEST_NAME]}


def _of_job(row: Row[Any, Any], pattern: re.Pattern[str]) -> Mapping[str, Any]:
    return {"payload": None, "result": _without(row.result, pattern), "state": JobState.DONE.value}


_RECEIPTS, _OUTBOX, _JOBS = table(Receipt), table(Outbox), table(Job)
_FAILED = _RECEIPTS.c.disposition == Disposition.FAILED.value
_IN_RECEIPT = ("sender", "subject", "reason", "trace")
_IN_OUTBOX = ("recipient", "payload")
_IN_JOB = ("payload", "result")
_OPEN = _JOBS.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value])
_WAITING = _OUTBOX.c.state.not_in(SETTLED)

_PLACES: Final = (
    _Place("failed mails", "import them again or discard them", Receipt, "id", _IN_RECEIPT,
           _FAILED, stops=True),
    _Place("mails that wait to be sent", "cancel them", Outbox, "guid", _IN_OUTBOX,
           _WAITING, stops=True),
    _Place("jobs that wait", "let them be done", Job, "id", _IN_JOB, _OPEN, stops=True),
    _Place("receipts of mails", "lose sender, subject and what was decided; what keeps the mail"
           " from coming twice stays", Receipt, "id", _IN_RECEIPT, ~_FAILED, _of_receipt),
    _Place("mails that were sent", "lose text and recipient; the row stays so that nothing is sent"
           " twice", Outbox, "guid", _IN_OUTBOX, ~_WAITING, _of_outbox),
    _Place("failed jobs", "are given up", Job, "id", _IN_JOB,
           _JOBS.c.state == JobState.FAILED.value, _of_job),
    _Place("drafts", "lose the address and the recipient", Draft, "id", ("content", "version"),
           change=_of_draft),
    _Place("files of drafts", "lose the address in their names", DraftFile, "id", ("filename",),
           change=_of_draft_file),
    _Place("entries of the log", "lose the address", LogEntry, "id", ("text", "details"),
           change=_of_log),
    _Place("entries of the audit log", "stay until `audit_retention`", AuditEntry, "id",
           ("before", "after")),
)  # fmt: skip
