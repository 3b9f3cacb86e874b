"""The part of a mail that its sender has just written, without the history quoted below it.

Nothing is ever lost by this: the complete mail is kept beside it. Where answers stand between or
below the quoted lines, where nothing would be left, and in forwarded mail, everything is visible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from limepkg_email.incoming.history import attribution_start, begins_forward, history_start
from limepkg_email.markup import decoded, shown_text

_MAX_SEARCHED = 400_000
"""How much HTML is searched for the beginning of the history."""

# Quick searches decide whether a mail is looked at any closer; `class` and `id` are left by the
# sanitiser only where they mark quotes.
_CANDIDATES = (
    *("<blockquote", ' class="', ' id="', ' name="quote"', "-----", "_____"),
    *(":<", ": <", ":\n<", ":&nbsp;<", "：<"),
    *("From:", "FROM:", "Från:", "Fra:", "Von:", "Van:", "De:", "De :", "Da:", "Od:", "От:"),
    *("Lähettäjä:", "差出人:", "发件人", "寄件者", "보낸"),
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
_SHORT_INTRODUCTION = 3
_LONGEST_INTRODUCTION = 4  # lines, when the program wraps it and leaves one empty
_SIGNATURE_TAG = re.compile(r'<[^>]+ class="[^"]*(?:gmail_signature|moz-signature)')
_SIGNATURE = re.compile(r"--+\s|--+$|__+\s")


def visible_html(html: str) -> str:
    """Return sanitised HTML without the history below what the sender has written.

    Understands the elements by which mail programs mark history and, for those that do not, the
    lines they write above it.
    """
    if not any(mark in html for mark in _CANDIDATES):
        return html
    reader = _Reader(html)
    texts = [line.text for line in reader.lines]
    start = history_start(texts)
    # A mark right above the quote introduces it; one further up stands above unquoted history.
    if start is None or (reader.quote is not None and len(texts) - start <= _SHORT_INTRODUCTION):
        if reader.quote is None or _answered_below(html, reader.quote):
            return html
        start = attribution_start(texts, len(texts)) if start is None else start
    if _is_forward(html, reader, texts, start):
        return html
    return _cut(html, reader.lines[:start])


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


class _Open:
    """The innermost open element and those around it; keeping one costs nothing."""

    __slots__ = ("around", "name")

    def __init__(self, name: str, around: _Open | None) -> None:
        self.name = name
        self.around = around


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text; `end` is where it ends in the HTML, inside the element `inside`."""

    text: str
    end: int
    inside: _Open | None


class _Reader:
    """Reads sanitised HTML as lines, up to the element `quote` that holds history, if any."""

    __slots__ = ("_end", "_inside", "_open", "_parts", "lines", "quote")

    def __init__(self, html: str) -> None:
        self.lines: list[_Line] = []
        self.quote: re.Match[str] | None = None
        self._parts: list[str] = []
        self._end = 0
        self._inside: _Open | None = None
        self._open: _Open | None = None
        self._read(html)

    def _read(self, html: str) -> None:
        position = 0
        for tag in _TAG.finditer(html, 0, _MAX_SEARCHED):
            if tag.start() > position:
                self._add(html[position : tag.start()], tag.start())
            position = tag.end()
            if tag[2] in _BLOCK:
                self._finish_line()
            if tag[1]:
                self._open = self._open.around if self._open else None
            elif _holds_history(tag):
                self.quote = tag
                return
            elif tag[2] not in _VOID:
                self._open = _Open(tag[2], self._open)
            elif tag[2] == "img":
                self._add(" ", position, shows=True)
        self._add(html[position:_MAX_SEARCHED], len(html))
        self._finish_line()

    def _add(self, piece: str, end: int, *, shows: bool = False) -> None:
        if shows or not piece.isspace():
            self._end, self._inside = end, self._open
        self._parts.append(piece)

    def _finish_line(self) -> None:
        if self._parts:
            text = decoded("".join(self._parts)).replace("\xa0", " ").replace("\n", " ").strip()
            self.lines.append(_Line(text, self._end, self._inside))
            self._parts = []


def _holds_history(tag: re.Match[str]) -> bool:
    if tag[2] == "blockquote":
        return True
    if not tag[3] or tag[2] not in ("div", "p"):
        return False
    return bool(_CONTAINER.search(tag[3]) or _TO_THE_END.search(tag[3]))


def _answered_below(html: str, quote: re.Match[str]) -> bool:
    """Whether anything but quotes and a signature follows the element."""
    following: re.Match[str] | None = quote
    while following is not None:
        if _TO_THE_END.search(following[3]):
            return False
        position = _element_end(html, following)
        following = None
        for tag in _TAG.finditer(html, position):
            written = html[position : tag.start()].replace("&nbsp;", " ").strip()
            if written:
                return not _SIGNATURE.match(written)
            if _SIGNATURE_TAG.match(tag[0]):
                return False
            position = tag.end()
            if not tag[1] and _holds_history(tag):
                following = tag
                break
    written = html[position:].replace("&nbsp;", " ").strip()
    return bool(written) and not _SIGNATURE.match(written)


def _element_end(html: str, opening: re.Match[str]) -> int:
    depth = 0
    for tag in re.compile(rf"<(/?){opening[2]}\b[^>]*>").finditer(html, opening.start()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return len(html)


def _is_forward(html: str, reader: _Reader, texts: list[str], start: int) -> bool:
    if reader.quote is not None:
        if "moz-forward-container" in reader.quote[3]:
            return True
        beginning = html[reader.quote.end() : reader.quote.end() + 1_000]
        texts = texts + shown_text(beginning).strip().split("\n")[:3]
    return begins_forward(texts, start)


def _cut(html: str, written: list[_Line]) -> str:
    if not any(line.text for line in written):
        return html
    last = written[-1]
    closing, element = [], last.inside
    while element is not None:
        closing.append(f"</{element.name}>")
        element = element.around
    return html[: last.end] + "".join(closing)


def _only_quotes(lines: list[str]) -> bool:
    for line in lines:
        if _SIGNATURE.match(line):
            return True
        if line.strip() and not line.startswith(">"):
            return False
    return True
