"""The search of one folder: all terms must hold."""

import re
from collections.abc import Callable, Mapping

from limepkg_email.sandbox.dates import day, iso
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.stored import Folder, StoredMessage, prelude_fields
from limepkg_email.sandbox.validation import BOOLEAN, DATE, INTEGER, STRING, STRINGS, Field, check

_FIELDS: Mapping[str, Field] = {
    "answered": BOOLEAN,
    "deleted": BOOLEAN,
    "draft": BOOLEAN,
    "unseen": BOOLEAN,
    "flagged": BOOLEAN,
    "seen": BOOLEAN,
    "from": STRING,
    "to": STRING,
    "cc": STRING,
    "bcc": STRING,
    "body": STRING,
    "subject": STRING,
    "larger": INTEGER,
    "smaller": INTEGER,
    "uid": STRING,
    "seq": STRING,
    "modseq": INTEGER,
    "before": DATE,
    "on": DATE,
    "since": DATE,
    "sentBefore": DATE,
    "sentOn": DATE,
    "sentSince": DATE,
    "emailId": STRING,
    "threadId": STRING,
    "header": Field("object"),
    "gmailRaw": STRING,
    "emailIds": STRINGS,
}
_FLAGS = {
    "answered": "\\Answered",
    "deleted": "\\Deleted",
    "draft": "\\Draft",
    "flagged": "\\Flagged",
    "seen": "\\Seen",
}


def check_terms(value: object) -> Json:
    """The checked search terms."""
    checked = check({"search": value}, {"search": Field("object", keys=_FIELDS)})
    terms: Json = checked["search"]
    return terms


def find(mailboxes: Mailboxes, folder: Folder, terms: Json) -> list[StoredMessage]:
    """The messages of a folder that meet all terms, newest first."""
    conditions: list[str] = []
    values: list[object] = []
    remaining = dict(terms)
    for key in list(remaining):
        if key in _SQL:
            condition, arguments = _SQL[key](remaining.pop(key))
            conditions.append(condition)
            values.extend(arguments)
    headers = {str(k).lower(): str(v) for k, v in (remaining.pop("header", None) or {}).items()}
    wanted_id = headers.get("message-id", "")
    if wanted_id.startswith("<") and wanted_id.endswith(">"):
        # The usual question, answered by an index.
        conditions.append("content.message_id = ?")
        values.append(wanted_id)
        del headers["message-id"]
    found = mailboxes.messages(folder, where=" AND ".join(conditions), values=values)
    return [
        message
        for message in found
        if all(_CHECKS[key](message, value) for key, value in remaining.items() if key in _CHECKS)
        and (not headers or _has_headers(mailboxes, message, headers))
        and ("body" not in remaining or _has_body(mailboxes, message, remaining["body"]))
        and ("bcc" not in remaining or _has_headers(mailboxes, message, {"bcc": remaining["bcc"]}))
    ]


def _flag_condition(flag: str, *, present: bool) -> tuple[str, list[object]]:
    condition = "message.flags LIKE ?" if present else "message.flags NOT LIKE ?"
    return condition, [f'%"\\{flag}"%']


def _uid_condition(text: str) -> tuple[str, list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d+|\*)(?::(\d+|\*))?\s*", piece)
        if not match:
            continue
        first, last = match[1], match[2] or match[1]
        low, high = sorted(2**32 if edge == "*" else int(edge) for edge in (first, last))
        newest = " OR message.uid = (SELECT max(uid) FROM message m WHERE m.folder = folder.id)"
        conditions.append(f"message.uid BETWEEN ? AND ?{newest if '*' in (first, last) else ''}")
        values.extend((low, high))
    return "(" + (" OR ".join(conditions) or "0") + ")", values


_SQL: Mapping[str, Callable[..., tuple[str, list[object]]]] = {
    **{
        key: (lambda value, flag=flag: _flag_condition(flag, present=bool(value)))
        for key, flag in _FLAGS.items()
    },
    "unseen": lambda value: _flag_condition("\\Seen", present=not value),
    "uid": _uid_condition,
    "seq": _uid_condition,
    "larger": lambda value: ("message.size > ?", [value]),
    "smaller": lambda value: ("message.size < ?", [value]),
    # Exact to the second, as servers with the WITHIN extension are.
    "since": lambda value: ("message.arrived >= ?", [iso(value.replace(microsecond=0))]),
    "before": lambda value: ("message.arrived < ?", [iso(value)]),
    "on": lambda value: ("substr(message.arrived, 1, 10) = ?", [str(day(value))]),
    "emailId": lambda value: ("message.email_id = ?", [value]),
    "threadId": lambda value: ("message.thread_id = ?", [value]),
    "modseq": lambda value: ("message.id >= ?", [value]),
}
_CHECKS: Mapping[str, Callable[[StoredMessage, object], bool]] = {
    "from": lambda message, value: _person(message, ("from",), value),
    "to": lambda message, value: _person(message, ("to",), value),
    "cc": lambda message, value: _person(message, ("cc",), value),
    "subject": lambda message, value: (
        str(value).lower() in str(message.summary.get("subject", "")).lower()
    ),
    "emailIds": lambda message, value: isinstance(value, list) and message.email_id in value,
    "gmailRaw": lambda _message, _value: False,
    # By the day, whatever the server.
    "sentSince": lambda message, value: str(day(message.date)) >= str(value)[:10],
    "sentBefore": lambda message, value: str(day(message.date)) < str(value)[:10],
    "sentOn": lambda message, value: str(day(message.date)) == str(value)[:10],
}


def _person(message: StoredMessage, keys: tuple[str, ...], value: object) -> bool:
    wanted = str(value).lower()
    people: list[Json] = []
    for key in keys:
        entry = message.summary.get(key, [])
        people.extend([entry] if isinstance(entry, dict) else entry)
    return any(wanted in f"{person['name']} <{person['address']}>".lower() for person in people)


def _has_headers(mailboxes: Mailboxes, message: StoredMessage, wanted: Mapping[str, str]) -> bool:
    present = [*prelude_fields(message.prelude), *mailboxes.detail(message)["headers"]]
    return all(
        any(name == key and value.lower() in text.lower() for name, text in present)
        for key, value in wanted.items()
    )


def _has_body(mailboxes: Mailboxes, message: StoredMessage, value: object) -> bool:
    detail = mailboxes.detail(message)
    text = f"{detail.get('plain', '')}\n{detail.get('html', '')}"
    return str(value).lower() in text.lower()
