"""Making any string storable: no NULs, no lone surrogates, no control characters, bounded length.

What a mail says is written by strangers; PostgreSQL refuses NULs, UTF-8 refuses lone surrogates.
"""

from __future__ import annotations

import unicodedata

_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32
"""How far a cut may move back; longer clusters are decoration (Zalgo text), not writing."""


def storable(value: str, limit: int | None = None) -> str:
    """Return the text as every database and every encoder takes it.

    NULs and control characters other than tab and line breaks are left out, lone surrogates become
    U+FFFD, and what is longer than `limit` characters is cut between two visible characters.
    """
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        value = _without_surrogates(value)
        encoded = value.encode()
    # Two passes in C over the bytes: a regular expression takes ten times as long.
    kept = encoded.translate(None, _CONTROLS)
    if len(kept) != len(encoded):
        value = kept.decode()
    return value if limit is None else cut(value, limit)


def one_line(value: str, limit: int | None = None) -> str:
    """Return the text as `storable`, with every run of white space and line breaks as one space."""
    joined = " ".join(storable(value).split())
    return joined if limit is None else cut(joined, limit).rstrip()


def cut(value: str, limit: int) -> str:
    """Return at most `limit` characters, without cutting a composed character or emoji in two."""
    if len(value) <= limit:
        return value
    end = limit
    for _ in range(_LONGEST_CLUSTER):
        if end == 0 or not _inside_cluster(value, end):
            return value[:end]
        end -= 1
    return value[:limit]


def _without_surrogates(value: str) -> str:
    # A pair in two code points becomes the character it means, a lone one U+FFFD.
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _inside_cluster(value: str, end: int) -> bool:
    following, previous = value[end], value[end - 1]
    return previous == _JOINER or _continues(following) or _splits_flag(value, end)


def _continues(character: str) -> bool:
    # Marks and variation selectors are of category M; skin tones and emoji tags are not.
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or unicodedata.category(character).startswith("M")
    )


def _splits_flag(value: str, end: int) -> bool:
    # A flag is a pair of regional indicators: an odd number of them before the cut splits one.
    count = 0
    while count < min(end, _LONGEST_CLUSTER) and _is_regional(value[end - 1 - count]):
        count += 1
    return count % 2 == 1 and _is_regional(value[end])


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
