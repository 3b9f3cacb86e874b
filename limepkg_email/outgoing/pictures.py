"""Pictures within a message: files of the store like any other, which its html shows."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from limepkg_email.errors import EmailIntegrationError, NotFound
from limepkg_email.host import Files, Objects
from limepkg_email.mail_html import InlinePart
from limepkg_email.outgoing.draft import OutgoingFile

MOST_PICTURES = 50
"""Different pictures that one message may show."""
_SOURCE = re.compile(r' src="cid:([^"]*)"')


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture of a message; `content_id` stands without angle brackets."""

    content_id: str
    file: OutgoingFile


class StoredPictures:
    """The pictures of a message that is about to be written; `discard` removes the new ones."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._new: list[str] = []

    def store(self, part: InlinePart) -> Picture:
        """Give the picture as a file of the store, where some are already."""
        if part.file_id:
            stored = self._files.describe(part.file_id)
        else:
            stored = self._files.create(part.filename, part.content_type, BytesIO(part.content))
            self._new.append(stored.id)
        file = OutgoingFile(part.filename, part.content_type, stored.id, stored.size)
        return Picture(part.content_id, file)

    def discard(self) -> None:
        """Remove the pictures that were stored: nothing refers to them."""
        while self._new:
            self._files.delete(self._new.pop())


@contextmanager
def stored_pictures(files: Files) -> Iterator[StoredPictures]:
    """Store pictures for a message; one that is refused does not leave them behind."""
    stored = StoredPictures(files)
    try:
        yield stored
    except EmailIntegrationError:
        stored.discard()
        raise


def with_pictures(files: Files, html: str, known: Mapping[str, object]) -> str:
    """Put pictures of ours into the html that shows them; `known` are file ids by content id."""

    def put(source: re.Match[str]) -> str:
        file = known.get(source[1])
        if not isinstance(file, str):
            return source[0]
        try:
            kind = files.describe(file).content_type
            with files.open(file) as content:
                data = base64.b64encode(content.read()).decode("ascii")
        except NotFound:
            return source[0]
        return f' src="data:{kind};base64,{data}"'

    return _SOURCE.sub(put, html) if known else html


def add_pictures(objects: Objects, message: int, pictures: Sequence[Picture]) -> None:
    """Let the message show its pictures in the CRM, as it does for mail that came in."""
    if not pictures:
        return
    rows = [
        {
            "contentid": each.content_id,
            "file": each.file.file_id,
            "conversationmessage": message,
        }
        for each in pictures
    ]
    objects.add_many("embeddedfile", rows)
