"""What is wrong with a draft, gathered per field so that a user sees all of it at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from limepkg_email.addresses import is_valid, normalise
from limepkg_email.config import Configuration
from limepkg_email.errors import InvalidInput
from limepkg_email.mail_html import InlinePart
from limepkg_email.outgoing.content import Content
from limepkg_email.outgoing.draft import Draft, OutgoingFile, Recipient
from limepkg_email.outgoing.headers import breaks_header
from limepkg_email.outgoing.pictures import MOST_PICTURES
from limepkg_email.outgoing.whole import length_of

MAX_NAME = 256
MAX_SUBJECT = 512
MAX_FILE_NAME = 255
MAX_FILES_TOGETHER = 18_000_000
"""Bytes of all files of a mail: as base64 just under the 25 MB that Gmail takes."""

_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


class Problems:
    """Sentences per field of the draft."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    @property
    def found(self) -> bool:
        """Tell whether anything was noted."""
        return bool(self._found)

    def add(self, field: str, sentence: str) -> None:
        """Note that something is wrong with a field."""
        self._found.setdefault(field, []).append(sentence)

    def raise_any(self) -> None:
        """Raise `InvalidInput` with everything that was noted, if anything was."""
        if self._found:
            sentences = [each for found in self._found.values() for each in found]
            raise InvalidInput(" ".join(sentences), errors=self._found)


def check_draft(draft: Draft, content: Content, config: Configuration, problems: Problems) -> None:
    """Check everything about a draft that needs no database."""
    _check_target(draft, problems)
    _check_subject(draft, problems)
    _check_content(draft, content, config, problems)
    check_pictures(content.pictures, config, problems)
    _check_files(draft.files, content.pictures, config, problems)
    for each in draft.recipients:
        _check_recipient(each, config, problems)


def _check_target(draft: Draft, problems: Problems) -> None:
    if draft.conversation is None:
        if draft.followers:
            problems.add("followers", "A new conversation has no followers yet: name recipients.")
    elif draft.parent is not None:
        problems.add("parent", "The conversation has its parent already.")


def _check_subject(draft: Draft, problems: Problems) -> None:
    if not draft.subject.strip() and draft.conversation is None:
        problems.add("subject", "Write a subject.")
    if breaks_header(draft.subject):
        problems.add("subject", "The subject must be one line, without control characters.")
    if len(draft.subject) > MAX_SUBJECT:
        problems.add("subject", f"The subject has more than {MAX_SUBJECT} characters.")


def _check_content(
    draft: Draft, content: Content, config: Configuration, problems: Problems
) -> None:
    if content.empty and not content.unusable:
        problems.add("html", "Write a message.")
    if content.unusable:
        problems.add(
            "html",
            "A picture in the text is no PNG, JPEG, GIF or WebP, or is damaged: attach it instead.",
        )
    for field, length in (("html", length_of(draft.html)), ("text", len(draft.text))):
        if length > config.max_body_size:
            problems.add(field, f"The message has more than {config.max_body_size} characters.")


def _check_recipient(recipient: Recipient, config: Configuration, problems: Problems) -> None:
    shown = ascii(recipient.email[:80])[1:-1] if breaks_header(recipient.email) else recipient.email
    if breaks_header(recipient.email) or not is_valid(normalise(recipient.email)):
        problems.add("recipients", f"{shown[:80] or '(empty)'} is not an e-mail address.")
    if breaks_header(recipient.name) or len(recipient.name) > MAX_NAME:
        problems.add(
            "recipients",
            f"The name for {shown[:80]} must be one line of at most {MAX_NAME} characters.",
        )
    known = {each.limetype for each in config.follower_parents}
    if bool(recipient.limetype) != (recipient.id is not None):
        problems.add("recipients", "Give both limetype and id of a recipient, or neither.")
    elif recipient.limetype and recipient.limetype not in known:
        problems.add("recipients", f"A {recipient.limetype[:64]} cannot be a follower.")


def check_pictures(
    pictures: Sequence[InlinePart], config: Configuration, problems: Problems
) -> None:
    """Check number and sizes of the pictures within the text."""
    if len(pictures) > MOST_PICTURES:
        problems.add("html", f"The text shows more than {MOST_PICTURES} pictures.")
    limit, most = config.max_attachment_size, max(config.max_attachment_size, MAX_FILES_TOGETHER)
    sizes = [each.size for each in pictures]
    if any(each > limit for each in sizes):
        problems.add("html", _too_large(f"A picture has {max(sizes):,} bytes", limit))
    if sum(sizes) > most:
        problems.add("html", _too_large(f"The pictures have {sum(sizes):,} bytes together", most))


def _check_files(
    files: tuple[OutgoingFile, ...],
    pictures: Sequence[InlinePart],
    config: Configuration,
    problems: Problems,
) -> None:
    limit = config.max_attachment_size
    for each in files:
        name = each.filename
        if not name.strip() or breaks_header(name) or len(name) > MAX_FILE_NAME:
            problems.add(
                "files", f"A file needs a name of one line of at most {MAX_FILE_NAME} characters."
            )
        elif each.size > limit:
            problems.add("files", _too_large(f"{name} has {each.size:,} bytes", limit))
    together, most = sum(each.size for each in files), max(limit, MAX_FILES_TOGETHER)
    together += sum(each.size for each in pictures)
    if files and together > most:
        problems.add("files", _too_large(f"The files have {together:,} bytes together", most))


def _too_large(what: str, limit: int) -> str:
    return (
        f"{what}, and {limit:,} is the limit. An administrator can raise `max_attachment_size`,"
        " together with EENGINE_MAX_SIZE of EmailEngine (4/3 of it)."
    )


def content_type_of(file: OutgoingFile) -> str:
    """Give the file's content type as it can stand in a header."""
    given = file.content_type.strip().lower()
    return given if _CONTENT_TYPE.fullmatch(given) else "application/octet-stream"
