"""The files of a mail: which of them are fetched, and as what they are kept.

Fetching uses the network and happens before the transaction; content that no committed object
refers to is an orphan and is swept by the host.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from limepkg_email.engine.types import Attachment, Message
from limepkg_email.errors import EngineNotFound
from limepkg_email.host import StoredFile
from limepkg_email.incoming.location import find_again
from limepkg_email.incoming.trace import Trace
from limepkg_email.services import Services
from limepkg_email.text import one_line

PICTURES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"}
)
"""Types that a browser only ever draws, and so the only ones that a body can show."""

_IN_MEMORY = 1_000_000
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A stored file of a mail; with `content_id` it is an image that the body shows."""

    file: StoredFile
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one mail: those that were stored, and names of those that were not."""

    fetched: tuple[FetchedFile, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def documents(self) -> Sequence[FetchedFile]:
        """Files that people attached."""
        return [each for each in self.fetched if not each.content_id]

    @property
    def embedded(self) -> Sequence[FetchedFile]:
        """Images that the body refers to."""
        return [each for each in self.fetched if each.content_id]


def fetch_files(
    services: Services,
    account: str,
    message: Message,
    shown: frozenset[str],
    trace: Trace,
    keep: Callable[[], None],
) -> Files:
    """Fetch the mail's files from the engine into the host's store, within the size limits.

    `shown` are the content ids that the body refers to: pictures among those files become embedded
    files, every other file a document, even when the mail calls it inline. So whatever cannot be
    shown in the body can still be opened. `keep` is called now and then, as this takes its time.
    """
    wanted, left_out = _within_limits(services, message.attachments)
    for name in left_out:
        trace.note("files", f"not fetched, above the limit: {name}", "file_too_large", file=name)
    source = _Source(services, account, message)
    fetched: list[FetchedFile] = []
    for number, each in enumerate(wanted, start=1):
        keep()
        file = source.fetch(each, name_of(each, number))
        if file is None:
            # Somebody deleted the mail meanwhile. Its text came with the webhook and must not be
            # lost for the sake of a file.
            left_out.append(name_of(each, number))
            gone = name_of(each, number)
            trace.note("files", f"not in the mailbox any more: {gone}", "file_gone", file=gone)
            continue
        in_body = each.content_id in shown and file.content_type in PICTURES
        fetched.append(FetchedFile(file, each.content_id if in_body else ""))
    return Files(tuple(fetched), tuple(left_out))


class _Source:
    """The mail's files in the engine, wherever the mail is moved to meanwhile."""

    def __init__(self, services: Services, account: str, message: Message) -> None:
        self._services = services
        self._account = account
        self._message = message
        self._attachments = message.attachments
        self._looked = False

    def fetch(self, attachment: Attachment, name: str) -> StoredFile | None:
        """Store the file and describe it; `None` when the mail is gone."""
        place = self._message.attachments.index(attachment)
        try:
            return _store(self._services, self._account, self._attachments[place], name)
        except EngineNotFound:
            if not self._find_again():
                return None
            return self.fetch(attachment, name)

    def _find_again(self) -> bool:
        if self._looked:
            return False
        self._looked = True
        found = find_again(self._services, self._account, self._message)
        if found is None or len(found.attachments) != len(self._attachments):
            return False
        self._attachments = found.attachments
        return True


def _within_limits(
    services: Services, attachments: Iterable[Attachment]
) -> tuple[list[Attachment], list[str]]:
    room, places = services.config.max_message_size, services.config.max_attachments_per_mail
    wanted: list[Attachment] = []
    left_out: list[str] = []
    for number, each in enumerate(attachments, start=1):
        # The encoded size is about 4/3 of the file: an upper limit that is known before fetching.
        if len(wanted) >= places or each.encoded_size > room:
            left_out.append(name_of(each, number))
            continue
        room -= each.encoded_size
        wanted.append(each)
    return wanted, left_out


def _store(services: Services, account: str, attachment: Attachment, name: str) -> StoredFile:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as content:
        try:
            services.engine.download_attachment(
                account, attachment.id, content, max_size=services.config.max_message_size
            )
        except EngineNotFound:
            # The engine answers for an empty file as for one that is gone. One whose size it does
            # not tell is asked for as well: not every provider names it.
            if attachment.encoded_size:
                raise
        content.seek(0)
        return services.application.files.create(
            name, attachment.content_type or "application/octet-stream", content
        )


def name_of(attachment: Attachment, number: int) -> str:
    """Give the name to show for a file; never a path, whatever the mail calls it."""
    name = one_line(attachment.filename, _MAX_NAME * 4).replace("\\", "/").rsplit("/", 1)[-1]
    name = name.strip(" .")
    if name:
        return _shortened(name)
    kind = mimetypes.guess_extension(attachment.content_type or "") or ""
    if attachment.content_type == "message/rfc822":
        kind = ".eml"
    return f"file-{number}{kind}"


def _shortened(name: str) -> str:
    if len(name) <= _MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:_MAX_NAME]
    return stem[: _MAX_NAME - len(extension) - 1] + dot + extension
