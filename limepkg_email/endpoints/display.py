"""A mail's HTML as a page of its own, in which nothing runs and nothing is asked from strangers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import unquote

from limepkg_email.incoming.plaintext import text_to_html
from limepkg_email.incoming.sanitiser import (
    WAITING,
    sanitise,
    with_remote_images,
    with_waiting_images,
)
from limepkg_email.markup import decoded, is_tame, plain_text

_EMBEDDED = re.compile(r'(<img\b[^>]*?) src="cid:([^"]*)"')
_OWN_COLOURS = re.compile(r"<[^>]*(?:color|background)", re.I)

_TAG = re.compile(r"(<[^<>]*>)")
# The beginning of what has no place to break for long: no word, but an address of the web, mostly.
_LETTER = r"(?:&#?\w{1,31};|[!-%'-;=?-~])"
_ENDLESS = re.compile(f"{_LETTER}{{20}}(?={_LETTER}{{20}})")

_BLACK = "background:#1c1c1e;color:#ebebf0"
_BLUE = "color:#8ab4f8"
# A mail that brings colours expects a white page behind them, whatever the reader prefers.
_LIGHT = "html{color-scheme:light;background:#fff;color:#1c1c1e}"
# `data-theme` is what the page around the mail chooses; otherwise the system does.
_EITHER = (
    "html{color-scheme:light dark;background:#fff;color:#1c1c1e}"
    f"@media(prefers-color-scheme:dark){{html:not([data-theme=light]){{{_BLACK}}}"
    f"html:not([data-theme=light]) a{{{_BLUE}}}}}"
    "html[data-theme=light]{color-scheme:light}"
    f"html[data-theme=dark]{{color-scheme:dark;{_BLACK}}}html[data-theme=dark] a{{{_BLUE}}}"
)
# Words and numbers stay whole, also in the cells of tables: a table that is too wide for the
# reader's window scrolls within the mail's own frame.
_LAYOUT = (
    "body{margin:0;padding:.5rem;font:15px/1.5 system-ui,sans-serif;overflow-wrap:break-word}"
    "img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}"
    "blockquote{margin:.5em 0;padding-left:.8em;border-left:2px solid #9aa0a6}"
    f"img[{WAITING}]{{display:inline-block;min-width:1em;min-height:1em;"
    "outline:1px dashed #9aa0a6}"
)


def policy(*, remote_images: bool) -> str:
    """Give the Content-Security-Policy of a page; remote images are the reader's decision.

    With `allow-same-origin` the page around the mail can measure it. It never stands together with
    `allow-scripts`.
    """
    images = "'self' data: https: http:" if remote_images else "'self' data:"
    return (
        f"default-src 'none'; img-src {images}; style-src 'unsafe-inline';"
        " sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox;"
        " frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    )


def page(
    html: str,
    title: str,
    embedded: Mapping[str, str],
    *,
    remote_images: bool,
    folded: bool = False,
    theme: str = "",
) -> str:
    """Make the page of a mail; `embedded` are the addresses of its own images by content id.

    The attribute `data-more` tells the page around it that quoted text was left out; `theme` is
    `light` or `dark` where that page has another one than the system.
    """
    body = _with_embedded(_sanitised_again(html), embedded)
    body = with_remote_images(body) if remote_images else with_waiting_images(body)
    colours = _LIGHT if _OWN_COLOURS.search(body) else _EITHER
    told = (" data-more" if folded else "") + (f' data-theme="{escape(theme)}"' if theme else "")
    return (
        f'<!DOCTYPE html>\n<html{told}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{colours}{_LAYOUT}</style></head>"
        f"<body>{_breakable(body)}</body></html>\n"
    )


def _breakable(html: str) -> str:
    """Let what would make the cell of a table endlessly wide break; nothing of it is copied."""
    pieces = _TAG.split(html)
    pieces[::2] = [_ENDLESS.sub(r"\g<0><wbr>", each) for each in pieces[::2]]
    return "".join(pieces)


def _sanitised_again(html: str) -> str:
    """Sanitise what the database holds: other programs write to it too, and rules grow stricter."""
    live = with_remote_images(html)
    return sanitise(live) if is_tame(live) else text_to_html(plain_text(live))


def _with_embedded(html: str, embedded: Mapping[str, str]) -> str:
    known = {_bare(content_id): address for content_id, address in embedded.items()}

    def shown(image: re.Match[str]) -> str:
        address = known.get(_bare(unquote(decoded(image[2]))))
        return f'{image[1]} src="{escape(address)}"' if address else image[1]

    return _EMBEDDED.sub(shown, html)


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")
