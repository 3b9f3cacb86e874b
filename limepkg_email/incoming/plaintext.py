"""Plain text as HTML: escaped, with its line breaks, links, and quotes as blockquotes."""

from __future__ import annotations

import re

from limepkg_email.markup import escaped

MAX_QUOTE_DEPTH = 10
_QUOTE_MARK = re.compile(r"(?:>[ \t]?)+")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"]{1,2000}", re.I)
_AFTER_URL = ".,:;!?'*_~"
_LINK = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>'


def text_to_html(plain: str) -> str:
    """Return HTML that shows the text as it was written; safe without being sanitised."""
    lines = plain.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    if "\n>" not in plain and not plain.startswith(">"):
        return f"<div>{'<br>'.join(map(_line, lines))}</div>" if plain.strip() else ""
    parts: list[str] = []
    depth = 0
    for line in lines:
        mark = _QUOTE_MARK.match(line)
        level = min(mark[0].count(">"), MAX_QUOTE_DEPTH) if mark else 0
        if level != depth:
            parts.append("</blockquote>" * (depth - level) + "<blockquote>" * (level - depth))
        elif parts:
            parts.append("<br>")
        depth = level
        parts.append(_line(line[mark.end() :] if mark else line))
    return f"<div>{''.join(parts)}{'</blockquote>' * depth}</div>"


def _line(line: str) -> str:
    if "://" in line or "www." in line:
        return _linked(line)
    return _spaced(line)


def _spaced(text: str) -> str:
    # Tables and indented lists are written with spaces, of which HTML would keep one.
    shown = escaped(text).replace("\t", "    ") if text else text
    return shown.replace("  ", "&nbsp; ") if "  " in shown else shown


def _linked(line: str) -> str:
    parts, position = [], 0
    for url in _URL.finditer(line):
        shown = _trimmed(url[0])
        address = shown if "://" in shown[:10] else f"https://{shown}"
        target = escaped(address).replace('"', "&quot;")
        parts += [_spaced(line[position : url.start()]), _LINK.format(target, escaped(shown))]
        position = url.start() + len(shown)
    return "".join(parts) + _spaced(line[position:])


def _trimmed(url: str) -> str:
    # Punctuation after an address belongs to the sentence; so does a bracket that it does not open.
    shown = url.rstrip(_AFTER_URL)
    if shown.endswith((")", "]", "}")) and not set(shown) & set("([{"):
        shown = shown.rstrip(")]}").rstrip(_AFTER_URL)
    return shown
