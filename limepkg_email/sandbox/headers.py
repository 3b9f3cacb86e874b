"""Header fields: taking them apart, decoding them, reading addresses. Nothing here ever raises."""

import binascii
import codecs
import re
from email.message import Message
from email.utils import collapse_rfc2231_value

from limepkg_email.sandbox.json_types import Json

_FIELD = re.compile(rb"([!-9;-~]{1,998})[ \t]*:(.*)", re.DOTALL)
_UNFOLD = re.compile(r"\s*\r?\n\s*")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
# Python reads these as character encodings, but no mail program means them.
_NOT_FOR_MAIL = frozenset(
    {"unicode_escape", "raw-unicode-escape", "unicode-escape", "punycode", "idna"}
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SIMPLE = re.compile(
    r"""\s*(?:"?([^"<>@,;:()\\=]*?)"?\s*<)?([^\s<>@,;:()"\\]+@[^\s<>@,;:()"\\]+)>?\s*\Z"""
)
# A quote that never ends reaches to the end: looking again after each letter would take for ever.
_PIECE = re.compile(
    r'"(?:\\.|[^"\\])*(?:"|\\?\Z)|\([^()]*\)|<[^<>]*>|[,;:]|[^",;:<>()]+|.', re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def split_fields(head: bytes) -> list[tuple[str, bytes]]:
    """The header fields of a header block: names as written, values still folded and encoded."""
    fields: list[tuple[str, list[bytes]]] = []
    for line in head.split(b"\n"):
        text = line.rstrip(b"\r")
        if text[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(text)
            continue
        match = _FIELD.match(text)
        if match:
            fields.append((match[1].decode("ascii"), [match[2]]))
    return [(name, b"\r\n".join(lines).strip()) for name, lines in fields]


def to_text(raw: bytes) -> str:
    """Bytes of unknown encoding as text."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def unfold(raw: bytes) -> str:
    """A header value on one line, still encoded."""
    text = to_text(raw)
    return _UNFOLD.sub(" ", text) if "\n" in text else text


def decode_charset(data: bytes, charset: str) -> str:
    """Text from bytes in the named charset; with a wrong or unknown one, the best guess."""
    name = charset.strip().strip("\"'").lower() or "utf-8"
    if name in ("ascii", "us-ascii", "utf8", "utf-8", "unknown-8bit", "default"):
        return to_text(data)
    try:
        if codecs.lookup(name).name in _NOT_FOR_MAIL:
            return to_text(data)
        text = data.decode(name, "replace")
    except (LookupError, UnicodeError, ValueError):
        return to_text(data)
    return clean(text)


def clean(text: str) -> str:
    """Text that can be written as UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def decode_words(text: str) -> str:
    """Replace encoded words (RFC 2047) by what they mean."""
    if "=?" not in text:
        return text
    text = _BETWEEN_WORDS.sub(r"\1\2", text)
    pieces: list[str] = []
    pending, pending_charset = b"", ""
    position = 0
    for match in _WORD.finditer(text):
        # A character may be split over two words in one charset: collect bytes first.
        charset = match[1].split("*")[0].lower()
        if pending and (match.start() != position or charset != pending_charset):
            pieces.append(decode_charset(pending, pending_charset))
            pending = b""
        pieces.append(text[position : match.start()])
        pending += _word_bytes(match[2], match[3])
        pending_charset = charset
        position = match.end()
    if pending:
        pieces.append(decode_charset(pending, pending_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A value such as `text/plain; charset=utf-8` as its first word and its parameters."""
    main, separator, _ = value.partition(";")
    if not separator:
        return main.strip().lower(), {}
    message = Message()
    message["X"] = value[:20_000].replace("\r", " ").replace("\n", " ")
    try:
        found = message.get_params([], header="X", unquote=True) or []
        pairs = {
            str(name).lower(): clean(decode_words(collapse_rfc2231_value(content)))
            for name, content in found[1:]
        }
    except (ValueError, TypeError, LookupError, IndexError, RecursionError):
        pairs = {}
    return main.strip().lower(), pairs


def addresses(value: str) -> list[Json]:
    """The people in an address header, in order; a group becomes an entry without address."""
    simple = _SIMPLE.match(value)
    if simple:
        return [{"name": (simple[1] or "").strip(), "address": simple[2]}]
    found: list[Json] = []
    words: list[str] = []
    angle: str | None = None
    comment = ""
    for piece in _PIECE.findall(value):
        if piece == ",":
            _add_person(found, words, angle, comment)
        elif piece == ":":
            found.append({"name": decode_words("".join(words).strip()), "address": ""})
        elif piece == ";":
            _add_person(found, words, angle, comment)
        elif piece[0] == "<" and len(piece) > 1:
            angle = piece[1:-1].strip()
            continue
        elif piece[0] == "(" and len(piece) > 1:
            comment = piece[1:-1]
            continue
        elif piece[0] == '"' and len(piece) > 1:
            words.append(_ESCAPED.sub(r"\1", piece[1:].removesuffix('"')))
            continue
        else:
            words.append(piece)
            continue
        words, angle, comment = [], None, ""
    _add_person(found, words, angle, comment)
    return found


def _add_person(found: list[Json], words: list[str], angle: str | None, comment: str) -> None:
    text = "".join(words).strip()
    if angle is not None:
        found.append({"name": clean(decode_words(text)), "address": angle})
    elif text and not re.search(r"\s", text):
        found.append({"name": clean(decode_words(comment)), "address": text})
    elif text:
        found.append({"name": clean(decode_words(text)), "address": ""})


def _word_bytes(encoding: str, text: str) -> bytes:
    if encoding in "bB":
        data = re.sub(r"[^A-Za-z0-9+/]", "", text).encode("ascii")
        try:
            return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
        except binascii.Error:
            return text.encode("utf-8", "replace")
    raw = text.replace("_", " ").encode("utf-8", "replace")
    return _QUOTED.sub(lambda match: bytes([int(match[1], 16)]), raw)
