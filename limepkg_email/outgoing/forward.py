"""A message is sent on to somebody else, with what came along with it.

By default that begins a conversation of its own on the same parent: what an outsider answers stays
with the people it is meant for. Whoever is to `follow` joins the conversation of the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import cast
from urllib.parse import unquote

from limepkg_email.config import Configuration
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.hooks import ParentReference
from limepkg_email.host import LimeObject, Objects, StoredFile
from limepkg_email.incoming.sanitiser import with_remote_images
from limepkg_email.markup import decoded
from limepkg_email.outgoing.compose import submit
from limepkg_email.outgoing.draft import Draft, OutgoingFile, Quoted, Recipient, Submitted
from limepkg_email.outgoing.problems import MAX_SUBJECT
from limepkg_email.query import And, Condition, Equals, In, Order, Query
from limepkg_email.services import Services
from limepkg_email.text import one_line

_FORWARD = "Fwd: "
_FORWARDED = ("fwd:", "fw:", "vb:", "wg:", "tr:")
_EMBEDDED = re.compile(r'<img\b[^>]*? src="(cid:[^"]*)"')
_RULE = "---------- Forwarded message ----------"


@dataclass(frozen=True, slots=True)
class _Original:
    message: LimeObject
    conversation: LimeObject
    recipients: tuple[str, ...]
    files: tuple[str, ...]
    pictures: Mapping[str, str]


def forward(
    services: Services,
    message: int,
    recipients: Sequence[Recipient],
    html: str = "",
    *,
    account: int | None = None,
    subject: str = "",
    follow: bool = False,
    signature: bool = False,
    files: Sequence[OutgoingFile] = (),
    idempotency_key: str = "",
) -> Submitted:
    """Send a message on: the user's words, then the original below its header, and its files.

    With `signature` the user's stands between the two. Pictures of the original keep their place.

    From the conversation's account if no other is chosen. With `follow` the recipients become
    followers of the conversation, and nobody else gets the mail; without it a new conversation is
    begun. Raises what `compose.submit` raises, and `NotFound` for a message out of sight.
    """
    if not recipients:
        sentence = "Nobody would get the message: choose a recipient."
        raise InvalidInput(sentence, errors={"recipients": [sentence]})
    with services.application.unit_of_work() as work:
        original = _read(work.objects, message)
    pictures = {each: _stored(services, file) for each, file in original.pictures.items()}
    shown = {file.id for file in pictures.values()}
    described = [_file(services, each) for each in original.files if each not in shown]
    draft = Draft(
        account=account if account is not None else cast("int", original.conversation["account"]),
        subject=(subject.strip() and subject) or _subject(original.message),
        html=html,
        conversation=original.conversation.id if follow else None,
        parent=None if follow else _parent(services.config, original.conversation),
        followers=() if follow else None,
        recipients=tuple(recipients),
        files=(*described, *files),
        idempotency_key=idempotency_key,
        signature=signature,
        quoted=Quoted(_quoted(original), pictures),
    )
    return submit(services, draft)


def _read(objects: Objects, id: int) -> _Original:
    message = objects.get("conversationmessage", id)
    conversation = objects.get("conversation", cast("int", message["conversation"] or 0))
    body = str(message["body"] or message["visiblebody"] or "")
    pictures, files = _pictures(objects, id, body), _files(objects, id)
    return _Original(message, conversation, _recipients(objects, message), files, pictures)


def _recipients(objects: Objects, message: LimeObject) -> tuple[str, ...]:
    """Name those to whom its author wrote, and none to whom a received mail was sent on."""
    of_message: Condition = Equals("conversationmessage", message.id)
    if message["source"] == "email":
        of_message = And((of_message, Equals("state", "received")))
    order = (Order("id"),)
    rows = objects.query(
        Query("messagefollower", of_message, order, properties=("role", "follower"))
    )
    ids = [each["follower"] for each in rows if each["role"] in ("to", "cc")]
    if not ids:
        return ()
    found = objects.query(Query("follower", In("id", ids), order, properties=("email", "name")))
    return tuple(_person(str(each["name"] or ""), str(each["email"] or "")) for each in found)


def _pictures(objects: Objects, message: int, body: str) -> Mapping[str, str]:
    """Find the stored pictures that the body shows, by the address that it has for them."""
    if "cid:" not in body:
        return {}
    of_message = Equals("conversationmessage", message)
    rows = objects.query(Query("embeddedfile", of_message, properties=("contentid", "file")))
    known = {str(each["contentid"]): str(each["file"]) for each in rows if each["file"]}
    sources = {decoded(each) for each in _EMBEDDED.findall(body)}
    found = {each: known.get(unquote(each.removeprefix("cid:"))) for each in sources}
    return {each: file for each, file in found.items() if file is not None}


def _files(objects: Objects, message: int) -> tuple[str, ...]:
    """Find the documents and the pictures of the message."""
    of_message = Equals("conversationmessage", message)
    found: list[str] = []
    for limetype, name in (("document", "document"), ("embeddedfile", "file")):
        rows = objects.query(Query(limetype, of_message, (Order("id"),), properties=(name,)))
        found.extend(str(each[name]) for each in rows if each[name])
    return tuple(dict.fromkeys(found))


def _stored(services: Services, id: str) -> StoredFile:
    try:
        return services.application.files.describe(id)
    except NotFound:
        sentence = "A file of the message is not in the file store any more."
        raise InvalidInput(sentence, errors={"files": [sentence]}) from None


def _file(services: Services, id: str) -> OutgoingFile:
    stored = _stored(services, id)
    name = one_line(stored.filename, 255) or "file"
    return OutgoingFile(name, stored.content_type, stored.id, stored.size)


def _parent(config: Configuration, conversation: LimeObject) -> ParentReference | None:
    for each in config.conversation_parents:
        id = conversation[each.property]
        if isinstance(id, int):
            return ParentReference(each.limetype, id)
    return None


def _subject(message: LimeObject) -> str:
    subject = one_line(str(message["subject"] or ""))
    if subject.lower().startswith(_FORWARDED):
        return one_line(subject, MAX_SUBJECT)
    return one_line(_FORWARD + subject, MAX_SUBJECT)


def _quoted(original: _Original) -> str:
    message = original.message
    body = with_remote_images(str(message["body"] or message["visiblebody"] or ""))
    lines = "<br>".join(
        f"<b>{name}:</b> {escape(value)}" for name, value in _header(original).items() if value
    )
    return f"<br><p>{_RULE}<br>{lines}</p><blockquote>{body}</blockquote>"


def _header(original: _Original) -> Mapping[str, str]:
    message = original.message
    date = message["date"]
    return {
        "From": _person(str(message["authorname"] or ""), str(message["authoraddress"] or "")),
        "Date": f"{date.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(date, datetime) else "",
        "Subject": str(message["subject"] or ""),
        "To": ", ".join(original.recipients),
    }


def _person(name: str, email: str) -> str:
    return f"{name} <{email}>" if name and email else name or email
