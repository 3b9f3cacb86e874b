"""Taking a raw mail apart into MIME parts, without ever failing on a hostile one.

Parts are slices of the raw bytes, so that sizes are exact and large mails are not copied.
"""

import binascii
import quopri
import re
from dataclasses import dataclass

from limepkg_email.sandbox.headers import (
    decode_charset,
    parameters,
    split_fields,
    unfold,
)

# Mail servers stop there as well; deeper parts are one opaque attachment.
MAX_DEPTH = 100
MAX_PARTS = 5000
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_BASE64_NOISE = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the tree of MIME parts."""

    number: str
    content_type: str
    type_parameters: dict[str, str]
    disposition: str
    disposition_parameters: dict[str, str]
    content_id: str
    encoding: str
    body: bytes

    @property
    def filename(self) -> str:
        """The name the sender gave the file, or an empty string."""
        return self.disposition_parameters.get("filename") or self.type_parameters.get("name", "")

    @property
    def is_text(self) -> bool:
        """Whether this is text to read rather than a file to download."""
        return (
            self.content_type in ("text/plain", "text/html", "")
            and self.disposition != "attachment"
        )

    def data(self) -> bytes:
        """The content with its transfer encoding undone."""
        if self.encoding == "base64":
            letters = _BASE64_NOISE.sub(b"", self.body)
            letters = letters[: -1 if len(letters) % 4 == 1 else None]
            try:
                return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
            except binascii.Error:
                return self.body
        if self.encoding == "quoted-printable":
            try:
                return quopri.decodestring(self.body)
            except ValueError:
                return self.body
        return self.body

    def text(self) -> str:
        """The content as text with plain line feeds."""
        text = decode_charset(self.data(), self.type_parameters.get("charset", ""))
        return text.replace("\r\n", "\n")


def split_mail(raw: bytes) -> tuple[bytes, int]:
    """The header block of a mail and where its body starts."""
    if raw.startswith((b"\r\n", b"\n")):
        return b"", 2 if raw.startswith(b"\r") else 1
    match = _BLANK_LINE.search(raw)
    return (raw[: match.start()], match.end()) if match else (raw, len(raw))


def to_crlf(raw: bytes) -> bytes:
    """A mail with the line ends that mail has."""
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def leaves(raw: bytes, *, default_type: str = "text/plain") -> list[Part]:
    """All leaf parts of a mail, numbered as IMAP numbers them."""
    found: list[Part] = []
    # (start, end, number of this part, depth); a stack, because recursion could be exhausted.
    stack: list[tuple[int, int, str, int]] = [(0, len(raw), "", 0)]
    while stack and len(found) < MAX_PARTS:
        start, end, number, depth = stack.pop()
        head, body_start = _split_region(raw, start, end)
        part_fields = {name.lower(): unfold(value) for name, value in reversed(split_fields(head))}
        content_type, type_parameters = parameters(part_fields.get("content-type", default_type))
        boundary = type_parameters.get("boundary", "")
        if content_type.startswith("multipart/") and boundary and depth < MAX_DEPTH:
            regions = _split_multipart(raw, body_start, end, boundary)
            if regions:
                prefix = f"{number}." if number else ""
                stack.extend(
                    (region[0], region[1], f"{prefix}{index}", depth + 1)
                    for index, region in reversed(list(enumerate(regions, start=1)))
                )
                continue
            content_type = "text/plain"
        disposition, disposition_parameters = parameters(part_fields.get("content-disposition", ""))
        found.append(
            Part(
                number or "1",
                content_type or "text/plain",
                type_parameters,
                disposition,
                disposition_parameters,
                part_fields.get("content-id", ""),
                part_fields.get("content-transfer-encoding", "").strip().lower(),
                raw[body_start:end],
            )
        )
    return found


def _split_region(raw: bytes, start: int, end: int) -> tuple[bytes, int]:
    if raw.startswith(b"\r\n", start, end):
        return b"", start + 2
    match = _BLANK_LINE.search(raw, start, end)
    return (raw[start : match.start()], match.end()) if match else (raw[start:end], end)


def _split_multipart(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    regions: list[tuple[int, int]] = []
    opened: int | None = None
    position = raw.find(delimiter, start, end)
    while position != -1:
        after = position + len(delimiter)
        line_end = raw.find(b"\n", after, end)
        rest = raw[after : line_end if line_end != -1 else end].strip()
        if (position == start or raw[position - 1 : position] == b"\n") and rest in (b"", b"--"):
            if opened is not None:
                regions.append((opened, _before_line_end(raw, opened, position)))
            opened = None
            if rest == b"--" or line_end == -1:
                return regions
            opened = line_end + 1
        position = raw.find(delimiter, after, end)
    if opened is not None and opened < end:
        regions.append((opened, end))
    return regions


def _before_line_end(raw: bytes, start: int, position: int) -> int:
    if raw[position - 2 : position] == b"\r\n":
        return max(start, position - 2)
    return max(start, position - 1)
