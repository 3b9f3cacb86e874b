"""Writing a mail: from the parts that a sender gives to raw bytes."""

import base64
import binascii
import html
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.header import Header
from urllib.parse import quote

from limepkg_email.sandbox.json_types import Json

_ATOM = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*\Z")
_BREAKS = re.compile(r"[\r\n\x00]+")
_BLOCK_END = re.compile(r"(?i)<br\s*/?>|</(p|div|tr|h[1-6]|li|blockquote)\s*>")
_HIDDEN = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>")
_TAG = re.compile(r"(?s)<[^>]*>")


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a mail."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a mail is written from."""

    headers: Sequence[tuple[str, str]]
    text: str | None = None
    html: str | None = None
    files: Sequence[File] = field(default_factory=tuple)


def write(draft: Draft) -> bytes:
    """The raw mail."""
    part_headers, body = _body(draft)
    lines = [fold(name, value) for name, value in draft.headers]
    names = {name.lower() for name, _ in part_headers}
    lines += [f"{name}: {value}" for name, value in part_headers]
    if "mime-version" not in names:
        lines.append("MIME-Version: 1.0")
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body


def person(entry: Json) -> str:
    """An address with its name, encoded for a header."""
    name = _BREAKS.sub(" ", str(entry.get("name") or "")).strip()
    address = _BREAKS.sub("", str(entry.get("address", "")))
    if not name:
        return address
    if not name.isascii():
        return f"{_encoded(name)} <{address}>"
    if not _ATOM.match(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def fold(name: str, value: str) -> str:
    """A header line: non-ASCII text encoded, long values folded."""
    clean_name = re.sub(r"[^!-9;-~]", "-", name) or "X-Unnamed"
    value = _BREAKS.sub(" ", value)
    if not value.isascii():
        return f"{clean_name}: {_encoded(value)}"
    lines, line = [], f"{clean_name}:"
    for word in value.split(" "):
        if len(line) + len(word) > 76 and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line])


def html_to_text(source: str) -> str:
    """The text of an HTML mail, for readers without HTML."""
    text = _HIDDEN.sub("", source)
    text = _TAG.sub("", _BLOCK_END.sub("\n", text))
    text = html.unescape(text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+", " ", text)).strip()


def _body(draft: Draft) -> tuple[list[tuple[str, str]], bytes]:
    texts = []
    if draft.text is not None or draft.html is None:
        texts.append(_text_part("plain", draft.text or ""))
    if draft.html is not None:
        texts.append(_text_part("html", draft.html))
    current = texts[0] if len(texts) == 1 else _multipart("alternative", texts)
    embedded = [file for file in draft.files if file.content_id and draft.html is not None]
    if embedded:
        current = _multipart("related", [current, *map(_file_part, embedded)])
    others = [file for file in draft.files if file not in embedded]
    if others:
        current = _multipart("mixed", [current, *map(_file_part, others)])
    return current


_Part = tuple[list[tuple[str, str]], bytes]


def _text_part(kind: str, text: str) -> _Part:
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    plain = data.isascii() and all(len(line) < 900 for line in data.split(b"\n"))
    if not plain:
        # Quoted-printable cannot hold a bare carriage return at a line's end; binascii can.
        data = binascii.b2a_qp(data, istext=True)
    headers = [
        ("Content-Transfer-Encoding", "7bit" if plain else "quoted-printable"),
        ("Content-Type", f"text/{kind}; charset=utf-8"),
    ]
    return headers, data


def _file_part(file: File) -> _Part:
    disposition = "inline" if file.inline else "attachment"
    name = _BREAKS.sub(" ", file.filename)
    type_name = disposition_name = ""
    if name:
        quoted = name.replace("\\", "_").replace('"', "'")
        if name.isascii():
            type_name = f'; name="{quoted}"'
            disposition_name = f'; filename="{quoted}"'
        else:
            type_name = f'; name="{_encoded(quoted, one_line=True)}"'
            disposition_name = f"; filename*=utf-8''{quote(name)}"
    content_type = _BREAKS.sub("", file.content_type) or "application/octet-stream"
    headers = [
        ("Content-Type", content_type + type_name),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", disposition + disposition_name),
    ]
    if file.content_id:
        headers.append(("Content-Id", f"<{_BREAKS.sub('', file.content_id).strip('<>')}>"))
    return headers, base64.encodebytes(file.content).replace(b"\n", b"\r\n").rstrip()


def _multipart(kind: str, parts: Sequence[_Part]) -> _Part:
    boundary = f"--_sandbox-{uuid.uuid4().hex}"
    marker = f"--{boundary}".encode()
    pieces: list[bytes] = []
    for headers, body in parts:
        head = "\r\n".join(f"{name}: {value}" for name, value in headers).encode()
        pieces.append(marker + b"\r\n" + head + b"\r\n\r\n" + body + b"\r\n")
    content_type = f'multipart/{kind}; boundary="{boundary}"'
    return [("Content-Type", content_type)], b"".join(pieces) + marker + b"--\r\n"


def _encoded(text: str, *, one_line: bool = False) -> str:
    width = 10_000 if one_line else 70
    encoded = Header(text, "utf-8", maxlinelen=width).encode(linesep="\r\n")
    return encoded.replace("\r\n ", " ") if one_line else encoded
