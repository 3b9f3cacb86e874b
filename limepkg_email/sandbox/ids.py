"""The opaque ids of messages, attachments and texts.

A message id is eight bytes, folder number and uid, in base64url. Attachment ids add the MIME part
number, text ids a MessagePack list of the part numbers that hold text.
"""

import base64
import binascii
import secrets
import struct
from collections.abc import Sequence
from datetime import datetime

_CROCKFORD = "0123456789abcdefghijklmnopqrstuvwxyz"


class MalformedIdError(ValueError):
    """An id that is too short to hold a folder and a uid."""


def encode(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read base64url without padding; characters outside the alphabet are ignored."""
    data = text.encode("ascii", "ignore").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def message_id(folder_code: int, uid: int) -> str:
    """The id of the message with this uid in this folder."""
    return encode(struct.pack(">II", folder_code, uid))


def split_id(text: str) -> tuple[int, int, bytes]:
    """Take an id apart: folder number, uid, what follows."""
    data = decode(text)
    if len(data) < 8:
        raise MalformedIdError(text)
    folder_code, uid = struct.unpack(">II", data[:8])
    return folder_code, uid, data[8:]


def attachment_id(folder_code: int, uid: int, part: str) -> str:
    """The id under which an attachment is downloaded."""
    return encode(struct.pack(">II", folder_code, uid) + part.encode("ascii"))


def text_id(folder_code: int, uid: int, parts: Sequence[Sequence[str]]) -> str:
    """The id under which the text of a message is fetched."""
    packed = struct.pack(">II", folder_code, uid) + _array_head(len(parts))
    for numbers in parts:
        packed += _array_head(len(numbers))
        for number in numbers:
            raw = number.encode("ascii")[:255]
            packed += bytes([0xA0 | len(raw)]) if len(raw) < 32 else bytes([0xD9, len(raw)])
            packed += raw
    return encode(packed)


def queue_id(due: datetime) -> str:
    """A new queue id: 19 hexadecimal characters, sorted by the time it is due."""
    return f"{int(due.timestamp() * 1000):011x}{secrets.token_hex(4)}"


def account_id() -> str:
    """A new account id for somebody who did not choose one: 16 characters."""
    return "".join(secrets.choice(_CROCKFORD) for _ in range(16))


def app_id(created: datetime, number: int) -> str:
    """The id of the n-th OAuth2 app: time and number in 12 bytes."""
    return encode(struct.pack(">QI", int(created.timestamp() * 1000), number))


def _array_head(length: int) -> bytes:
    return bytes([0x90 | length]) if length < 16 else struct.pack(">BH", 0xDC, length)
