"""What can be said about HTML without parsing it: its text, its size, whether parsing it is safe.

Every function takes time in proportion to its input, whatever the input.
"""

from __future__ import annotations

import html as entities
import re

MAX_DEPTH = 300
"""Deepest nesting that is parsed: html5ever takes the square of it, for formatting tags more."""
MAX_ESCAPES = 20_000
"""Most characters that need escaping; nh3 takes the square of their number within one text."""
_HARMLESS_TAGS = 500
_MAX_MISNESTED = 300

_TAG_NAME = re.compile(r"<(/?[a-z][a-z0-9]*)")
# Never closed, or closed by the next one of their kind, so that leaving them open is ordinary.
_OFTEN_OPEN = (
    "p br img hr input meta link base col wbr area param source embed track li td tr th dd dt tbody"
    " thead tfoot colgroup option html head body"
)
_OPEN_ENDED = frozenset(_OFTEN_OPEN.split())
_BREAK = re.compile(
    r"<(?:br|hr|/?(?:p|div|tr|li|h[1-6]|table|blockquote|pre|ul|ol|dt|dd))\b[^<>]*>", re.I
)
_TAG = re.compile(r"<[^<>]*>")
_SHOWN = re.compile(r"(?:\A|>)(?:\s|&nbsp;)*+[^<\s]")
_UNREAD = re.compile(r"<(style|script|title|svg|!--)", re.I)
_UNREAD_END = {
    "!--": re.compile("-->"),
    **{n: re.compile(rf"</{n}", re.I) for n in ("style", "script", "title", "svg")},
}


def is_tame(html: str) -> bool:
    """Whether parsing the HTML takes an ordinary time.

    Refused are a nesting deeper than `MAX_DEPTH`, hundreds of tags closed in the wrong order (from
    which parsers make copies) and tens of thousands of characters to escape.
    """
    if html.count("&") + html.count("\xa0") > MAX_ESCAPES:
        return False
    return html.count("<") <= _HARMLESS_TAGS or _is_flat(html)


def _is_flat(html: str) -> bool:
    open_tags: list[str] = []
    misnested = 0
    for tag in _TAG_NAME.findall(html.lower()):
        if tag[0] != "/":
            if tag not in _OPEN_ENDED:
                open_tags.append(tag)
                if len(open_tags) > MAX_DEPTH:
                    return False
        elif open_tags and open_tags[-1] == tag[1:]:
            open_tags.pop()
        elif tag[1:] not in _OPEN_ENDED:
            misnested += 1
            if misnested > _MAX_MISNESTED:
                return False
    return True


def plain_text(html: str) -> str:
    """Return the text of any HTML, harmless or not, with line breaks where blocks end."""
    return shown_text(_without_unread(html))


def shown_text(html: str) -> str:
    """Return the text of sanitised HTML, with line breaks where blocks begin and end."""
    return decoded(_TAG.sub("", _BREAK.sub("\n", html)) if "<" in html else html)


def shows_anything(html: str) -> bool:
    """Whether sanitised HTML shows anything: text or an image."""
    return "<img" in html or _SHOWN.search(html) is not None


def decoded(value: str) -> str:
    """Return the text that markup without tags stands for."""
    return entities.unescape(value) if "&" in value else value


def escaped(value: str) -> str:
    """Return markup that shows the text."""
    return entities.escape(value, quote=False)


def _without_unread(html: str) -> str:
    kept, position = [], 0
    while start := _UNREAD.search(html, position):
        kept.append(html[position : start.start()])
        end = _UNREAD_END[start[1].lower()].search(html, start.end())
        if end is None:
            return "".join(kept)
        position = end.start() if end[0] != "-->" else end.end()
    return "".join(kept) + html[position:]
