"""Mail addresses and names: the form in which they compare, and what may go into a header."""

from __future__ import annotations

import re

from limepkg_email.text import one_line

MAX_ADDRESS = 320
MAX_LOCAL_PART = 64
MAX_DOMAIN = 255
MAX_NAME = 256

_BRACKETED = re.compile(r"<([^<>]*)>\s*$")
# Two dots in a row are against RFC 5321, yet Japanese mobile addresses have them: they are let in.
_LOCAL_PART = re.compile(r"[^\s\x00-\x20\x7f-\x9f<>()\[\]:;,\\\"@\ud800-\udfff]+")
_HOST = re.compile(rf"[\w.-]{{1,{MAX_DOMAIN}}}")
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
# Controls of C1, soft hyphen, and what turns or hides writing: a name must not pose as another.
_DECEPTIVE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)


def normalise(address: str) -> str:
    """Return the address in the form in which two spellings of it compare equal.

    White space, angle brackets and a name before them are taken off; everything becomes lower case
    (RFC 5321, section 2.4, calls local parts case-sensitive, but no mail provider does); a domain
    in national characters becomes its ASCII form (RFC 5890).
    """
    spelled = one_line(address, 4 * MAX_ADDRESS)
    bracketed = _BRACKETED.search(spelled)
    bare = (bracketed[1] if bracketed else spelled).strip(" <>").lower()
    local_part, at, host = bare.rpartition("@")
    if not at:
        return bare
    return local_part.strip(" <>") + at + _ascii_domain(host.strip(" <>."))


def is_valid(address: str) -> bool:
    """Whether mail can be sent to the address, by the practical limits of RFC 5321 (4.5.3.1).

    One `@`, at most 64 and 255 octets before and after it, a domain name with a dot (EmailEngine
    refuses others) and neither white space, quotes nor control characters. National characters are
    allowed on both sides (RFC 6531).
    """
    local_part, at, host = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local_part):
        return False
    return _size(local_part) <= MAX_LOCAL_PART and _is_domain(host)


def domain(address: str) -> str:
    """Return the normalised domain of an address, or the empty string."""
    return normalise(address).rpartition("@")[2] if "@" in address else ""


def display_name(name: str) -> str:
    """Return the name as a header and a page can carry it: one line of at most 256 characters.

    Control characters (header injection), bidirectional controls and invisible characters are left
    out, and so are quotes around the whole name.
    """
    shown = one_line(_DECEPTIVE.sub("", one_line(name, 4 * MAX_NAME)))
    for quote in ('"', "'"):
        if len(shown) > 1 and shown[0] == shown[-1] == quote:
            shown = shown[1:-1].strip()
    return one_line(shown, MAX_NAME)


def _ascii_domain(host: str) -> str:
    if host.isascii() or not _HOST.fullmatch(host):
        return host
    try:
        encoded = host.encode("idna")
        # IDNA 2003 maps straße.de to strasse.de, which is another domain: leave such names alone.
        return encoded.decode("ascii") if encoded.decode("idna") == host else host
    except UnicodeError:
        return host


def _is_domain(host: str) -> bool:
    labels = host.split(".")
    return (
        len(labels) > 1
        and _size(host) <= MAX_DOMAIN
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def _size(value: str) -> int:
    return len(value.encode("utf-8", "replace"))
