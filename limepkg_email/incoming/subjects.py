"""Subjects without what mail programs put in front of them, in all common languages."""

from __future__ import annotations

import re

from limepkg_email.text import one_line

MAX_SUBJECT = 998
"""Longest subject that is looked at: the longest line of RFC 5322 (2.1.1)."""

REPLY_PREFIXES = (
    "re sv vs aw antw antwort odp odg rif r res ynt bls vá svar vast vastaus ats atb răsp απ ответ"
    " отв 回复 回覆 答复 答覆 返信 답장 회신 رد השב תשובה ตอบ"
)
"""Prefixes of replies. `VS` is a reply in Finnish but a forwarded mail in Danish and Norwegian."""

FORWARD_PREFIXES = (
    "fwd fw vb wg vl vidar vidarebefordrat vidaresänt videresendt doorst doorsturen fs i enc tr rv"
    " pd továbbítás továbbítva ilt i̇lt trs πρθ пересл 转发 轉寄 轉發 転送 전달 הועבר ส่งต่อ"
)

_GATEWAY_TAG = (
    r"[\[(<*{]{1,3}\s*(?:external(?: e?mail| sender)?|extern(?:t|al|es)?|ext|ekstern|ulkoinen"
    r"|suspected spam|spam\??|bulk|caution|warning)\s*[\])>*}]{1,3}\s*:?"
)


def _prefixes(words: str) -> str:
    choice = "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True))
    return rf"(?:{choice})\s?(?:[\[(]\d{{1,4}}[\])]|\*\d{{1,4}}|\^\d{{1,4}}|\d{{1,2}})?\s?[:：]"


_REPLY = re.compile(_prefixes(REPLY_PREFIXES))
_FORWARD = re.compile(_prefixes(FORWARD_PREFIXES))
_GATEWAY_TAGGED = re.compile(rf"{_GATEWAY_TAG}\s*")
_PREFIX = re.compile(rf"(?:{_prefixes(f'{REPLY_PREFIXES} {FORWARD_PREFIXES}')}|{_GATEWAY_TAG})\s*")
_LIST_TAG = re.compile(r"\[[^\[\]]{1,40}\]\s*")


def normalise(subject: str) -> str:
    """Return the subject in lower case without prefixes of replies and forwards, for comparison.

    Prefixes may be repeated, counted (`RE[2]:`) and mixed with the tags of mail gateways
    (`[External]`). The tag of a mailing list or ticket stays, because it tells subjects apart, but
    prefixes behind it go.
    """
    rest, tag = _without_noise(_comparable(subject)), ""
    listed = _LIST_TAG.match(rest)
    if listed:
        tag, rest = listed[0].rstrip() + " ", _without_noise(rest[listed.end() :])
    return (tag + rest).strip()


def has_reply_prefix(subject: str) -> bool:
    """Whether a mail program has marked the subject as a reply; a forwarded reply is none."""
    return _REPLY.match(_without_tags(_comparable(subject))) is not None


def has_forward_prefix(subject: str) -> bool:
    """Whether a mail program has marked the subject as forwarded, after all replies to it."""
    return _FORWARD.match(_without_tags(_comparable(subject))) is not None


def _without_tags(subject: str) -> str:
    for tag in (_GATEWAY_TAGGED, _LIST_TAG):
        subject = subject[match.end() :] if (match := tag.match(subject)) else subject
    return subject


def _comparable(subject: str) -> str:
    return one_line(subject[: 2 * MAX_SUBJECT], MAX_SUBJECT).casefold()


def _without_noise(subject: str) -> str:
    position = 0
    while match := _PREFIX.match(subject, position):
        position = match.end()
    return subject[position:]
