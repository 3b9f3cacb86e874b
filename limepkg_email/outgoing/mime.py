"""The mails of a message: what the engine is asked to send to each recipient."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.outgoing.content import MessageText, document
from limepkg_email.outgoing.draft import OutgoingFile
from limepkg_email.outgoing.headers import MARKER, marker, message_id, next_guid
from limepkg_email.outgoing.pictures import Picture
from limepkg_email.outgoing.problems import content_type_of
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.references import threading_headers

FILE = "file"
"""In a stored payload: the file's id, where the engine wants the content."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient; `payload` is the engine's submit request as JSON, without files."""

    guid: str
    message_id: str
    target: Target
    payload: str


def mails_for(
    sender: str,
    installation: str,
    account: ConnectedAccount,
    message: MessageText,
    files: Sequence[OutgoingFile],
    pictures: Sequence[Picture],
    targets: Sequence[Target],
    earlier: Mapping[int, Sequence[str]],
    guid: str,
) -> list[Mail]:
    """Make a mail for each target, who is alone in it and sees an answer to their own mails.

    `sender` is the name that they see, `installation` what the marker names.
    """
    shared: dict[str, Any] = {
        "from": _address(sender, account.email),
        "subject": message.subject,
        "html": document(message.content.html, message.subject),
        "text": message.content.text,
    }
    attachments = [*(_inline(each) for each in pictures), *(_attachment(each) for each in files)]
    if attachments:
        shared["attachments"] = attachments
    mails: list[Mail] = []
    for number, target in enumerate(targets):
        own_guid = next_guid(guid, number)
        own_id = message_id(own_guid, account.email)
        payload = {
            **shared,
            "to": [_address(target.name, target.email)],
            "messageId": own_id,
            "headers": {
                **threading_headers(earlier.get(target.follower or 0, ())),
                MARKER: marker(installation, own_guid),
            },
        }
        mails.append(Mail(own_guid, own_id, target, json.dumps(payload, ensure_ascii=False)))
    return mails


def _address(name: str, address: str) -> dict[str, str]:
    return {"name": name, "address": address} if name else {"address": address}


def _attachment(file: OutgoingFile) -> dict[str, Any]:
    return {"filename": file.filename, "contentType": content_type_of(file), FILE: file.file_id}


def _inline(picture: Picture) -> dict[str, Any]:
    shown = {"cid": picture.content_id, "contentDisposition": "inline"}
    return {**_attachment(picture.file), **shown}
