"""Which mails a new mail answers: the recipient's own, which are in their mail program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from limepkg_email.host import Objects
from limepkg_email.query import In, Order, Query

MAX_REFERENCES = 20
MAX_LENGTH = 1_800
"""Characters of a References header; some servers refuse or cut lines that are much longer."""

_NEVER_ARRIVED = frozenset({"failed", "bounced", "cancelled"})
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")


def earlier_mails(objects: Objects, followers: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """Give the Message-IDs that each follower has sent or got, oldest first.

    Two statements at most and a bounded number of rows, however long the conversation is: the
    newest mails of all of them together, then once more for those who were silent for so long that
    the others' mails filled the first answer.
    """
    found = _newest(objects, followers)
    silent = [each for each in followers if each not in found]
    if silent and len(silent) < len(followers):
        found |= _newest(objects, silent)
    return {follower: tuple(reversed(ids)) for follower, ids in found.items()}


def _newest(objects: Objects, followers: Sequence[int]) -> dict[int, list[str]]:
    if not followers:
        return {}
    rows = objects.query(
        Query(
            "messagefollower",
            In("follower", list(followers)),
            order_by=(Order("id", descending=True),),
            limit=MAX_REFERENCES * len(followers),
            properties=("messageid", "state", "follower"),
        )
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        follower = row["follower"]
        if isinstance(follower, int) and row["state"] not in _NEVER_ARRIVED:
            found.setdefault(follower, []).append(str(row["messageid"] or ""))
    return found


def threading_headers(message_ids: Iterable[str]) -> dict[str, str]:
    """Make In-Reply-To and References (RFC 5322, section 3.6.4) from Message-IDs, oldest first.

    The newest that fit are kept. What is no Message-ID, such as one with a line break that a
    stranger chose, is left out; the result can be empty.
    """
    newest_first = dict.fromkeys(
        each for each in reversed(list(message_ids)) if _MESSAGE_ID.fullmatch(each)
    )
    kept: list[str] = []
    length = 0
    for each in newest_first:
        length += len(each) + 1
        if len(kept) == MAX_REFERENCES or length > MAX_LENGTH:
            break
        kept.append(each)
    if not kept:
        return {}
    return {"In-Reply-To": kept[0], "References": " ".join(reversed(kept))}
