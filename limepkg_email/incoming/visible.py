"""The part of a mail that its sender has just written, without the history quoted below it.

Nothing is ever lost by this: the complete mail is kept beside it. Where answers stand between or
below the quoted lines, where nothing would be left, and in forwarded mail, everything is visible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from limepkg_email.incoming.history import attribution_start, begins_forward, history_start
from limepkg_email.incoming.markup import decoded, plain_text

_MAX_SEARCHED = 400_000
"""How much HTML is searched for the beginning of the history."""

# One search in C decides whether a mail is looked at any closer.
_CANDIDATE = re.compile(
    r"<blockquote|<div class=\"|<div (?:[a-z]+=\"[^\"]*\" )?(?:id|name)=\"|border-top:\s*solid #"
    r"|border-top:\s*1(?:\.0)?p[tx] solid #"
    r"|[-_]{5}|(?:[:：]|:&nbsp;)\s*(?:</?(?:b|strong|span|font|p|div)[^>]*>\s*|&nbsp;)*(?:<br|<blockq|</(?:p|div))"
    r"|<(?:b|strong)>\s*\*?\w{1,12}\s?:",
    re.I,
)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^>]*)>")
_VOID = frozenset(("br", "hr", "img", "col", "wbr"))
_BLOCKS = "p div br tr li h1 h2 h3 h4 h5 h6 table blockquote hr pre ul ol center dl dt dd"
_BLOCK = frozenset(_BLOCKS.split())
_CONTAINER = re.compile(
    r' class="[^"]*\b(?:gmail_quote|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra'
    r'|history_container|moz-forward-container)\b| name="quote"'
)
# From here on everything is history; these elements do not enclose it.
_TO_THE_END = re.compile(
    r' id="(?:x_)?(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION'
    r'|mail-editor-reference-message-container|ms-outlook-mobile-body-separator-line)"'
    r'| class="[^"]*ms-outlook-mobile-reference-message'
)
_LONGEST_INTRODUCTION = 4  # lines, when the program wraps it and leaves one empty
_SIGNATURE_TAG = re.compile(r'<[^>]+ class="[^"]*(?:gmail_signature|moz-signature)')
_SIGNATURE = re.compile(r"--+\s|--+$|__+\s")


class _Stack:
    """The names of the open elements, as a list that can be kept at no cost."""

    __slots__ = ("below", "name")

    def __init__(self, name: str, below: _Stack | None) -> None:
        self.name = name
        self.below = below


@dataclass(slots=True)
class _Line:
    text: str
    end: int
    open: _Stack | None


@dataclass(slots=True)
class _Reading:
    """The lines of an HTML text up to the element that holds history, if there is one."""

    lines: list[_Line]
    quote: re.Match[str] | None = None


def visible_html(html: str) -> str:
    """Return sanitised HTML without the history below what the sender has written.

    Understands the elements by which mail programs mark history and, for those that do not, the
    lines they write above it.
    """
    if not _CANDIDATE.search(html):
        return html
    reading = _read(html)
    texts = [line.text for line in reading.lines]
    start = history_start(texts)
    if start is None:
        if reading.quote is None or _answered_below(html, reading.quote):
            return html
        start = attribution_start(texts, len(texts))
    if _is_forward(html, reading, texts, start):
        return html
    return _cut(html, reading.lines[:start])


def visible_text(plain: str) -> str:
    """Return plain text without the history below what the sender has written."""
    lines = plain.splitlines()
    marked = history_start(lines)
    quoted = next((i for i, line in enumerate(lines) if line.startswith(">")), None)
    start = marked
    if quoted is not None and (marked is None or quoted <= marked + _LONGEST_INTRODUCTION):
        if not _only_quotes(lines[quoted:]):
            return plain
        start = attribution_start(lines, quoted) if marked is None else marked
    if start is None or begins_forward(lines, start):
        return plain
    written = "\n".join(lines[:start]).rstrip()
    return written if written.strip() else plain


def _read(html: str) -> _Reading:
    lines: list[_Line] = []
    parts: list[str] = []
    position = end = 0
    stack = kept = None
    for tag in _TAG.finditer(html, 0, _MAX_SEARCHED):
        start = tag.start()
        if start > position:
            piece = html[position:start]
            if not piece.isspace():
                parts.append(piece)
                end, kept = start, stack
            elif parts:
                parts.append(" ")
        position = tag.end()
        closing, name, attributes = tag.groups()
        if name in _BLOCK and parts:
            lines.append(_Line(_text(parts), end, kept))
            parts = []
        if closing:
            stack = stack.below if stack else None
            continue
        if attributes or name == "blockquote":
            if _holds_history(name, attributes):
                _finish(lines, parts, end, kept)
                return _Reading(lines, tag)
        if name == "img":
            parts.append(" ")
            end, kept = position, stack
        elif name not in _VOID:
            stack = _Stack(name, stack)
    if position < len(html):
        parts.append(html[position:])
    _finish(lines, parts, len(html), None)
    return _Reading(lines)


def _finish(lines: list[_Line], parts: list[str], end: int, stack: _Stack | None) -> None:
    if parts:
        lines.append(_Line(_text(parts), end, stack))


def _text(parts: list[str]) -> str:
    return decoded("".join(parts)).replace("\xa0", " ").replace("\n", " ").strip()


def _holds_history(name: str, attributes: str) -> bool:
    if name == "blockquote":
        return True
    return name in ("div", "p") and bool(
        _CONTAINER.search(attributes) or _TO_THE_END.search(attributes)
    )


def _answered_below(html: str, quote: re.Match[str]) -> bool:
    """Whether anything but quotes and a signature follows the element."""
    if _TO_THE_END.search(quote[3]):
        return False
    rest = html[_element_end(html, quote) :]
    while (following := _next_quote(rest)) is not None:
        before = plain_text(rest[: following.start()]).strip()
        if before:
            break
        rest = rest[_element_end(rest, following) :]
    signature = _SIGNATURE_TAG.search(rest)
    answer = plain_text(rest[: signature.start()] if signature else rest).strip()
    return bool(answer) and not _SIGNATURE.match(answer)


def _next_quote(html: str) -> re.Match[str] | None:
    found = _TAG.finditer(html)
    return next((t for t in found if not t[1] and _holds_history(t[2], t[3])), None)


def _element_end(html: str, opening: re.Match[str]) -> int:
    depth = 0
    for tag in re.compile(rf"<(/?){opening[2]}\b[^>]*>").finditer(html, opening.start()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return len(html)


def _is_forward(html: str, reading: _Reading, texts: list[str], start: int) -> bool:
    if reading.quote is not None:
        if "moz-forward-container" in reading.quote[3]:
            return True
        beginning = html[reading.quote.end() : reading.quote.end() + 1_000]
        texts = texts + plain_text(beginning).strip().split("\n")[:3]
    return begins_forward(texts, start)


def _cut(html: str, written: list[_Line]) -> str:
    if not any(line.text for line in written):
        return html
    last = written[-1]
    closing, stack = [], last.open
    while stack is not None:
        closing.append(f"</{stack.name}>")
        stack = stack.below
    return html[: last.end] + "".join(closing)


def _only_quotes(lines: list[str]) -> bool:
    for line in lines:
        if _SIGNATURE.match(line):
            return True
        if line.strip() and not line.startswith(">"):
            return False
    return True
