"""The body of a mail as the CRM keeps it: complete, without quoted history, and as one line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from limepkg_email.engine.types import Text
from limepkg_email.incoming.plaintext import text_to_html
from limepkg_email.incoming.sanitiser import content_ids, sanitise
from limepkg_email.incoming.visible import visible_html, visible_text
from limepkg_email.markup import escaped, is_tame, plain_text, shown_text, shows_anything
from limepkg_email.text import cut, one_line, storable

PREVIEW_LENGTH = 255
CUT = "The text goes on, see the mailbox."
"""The remark below a body that was cut; like the other one, it is for us and is not sent on."""
LEFT_OUT = "Not imported, see the mailbox: "
"""How the remark about files that were left out begins; it stands below the other one."""
_PREVIEW_SOURCE = 4_000
_HALF = re.compile(r"(?:<[^<>]*|&[#\w]{0,8})\Z")  # a tag or an entity cut in two


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail says.

    `html` is complete and sanitised, `visible` the same without quoted history, `preview` plain
    text of one line. `truncated` says that the mail says more than this. `content_ids` names the
    images that `html` shows, without angle brackets.
    """

    html: str = ""
    visible: str = ""
    preview: str = ""
    truncated: bool = False
    content_ids: frozenset[str] = frozenset()


EMPTY = Body()


def build_body(text: Text | None, *, max_size: int, forwarded: bool = False) -> Body:
    """Build the body from the texts of a mail, of which at most `max_size` characters count.

    The HTML is preferred; the plain text serves where there is none, where nothing of it is left
    after sanitising, and where it is too entangled to be parsed safely. With `forwarded` (the
    subject says so) nothing counts as history, since the history is what the mail is about.
    """
    if text is None:
        return EMPTY
    if text.html:
        markup = storable(text.html, max_size)
        body = _from_html(markup, forwarded)
        if body is None:
            body = _from_text(storable(text.plain or plain_text(markup), max_size), forwarded)
    else:
        body = _from_text(storable(text.plain, max_size), forwarded)
    return replace(body, truncated=not text.complete or _longer(text, max_size))


def with_note(body: Body, note: str) -> Body:
    """Return the body with a remark of ours below it, in the complete and in the visible HTML."""
    remark = f"<p><em>{escaped(one_line(note))}</em></p>"
    return replace(body, html=body.html + remark, visible=body.visible + remark)


def preview(html: str) -> str:
    """Return the beginning of sanitised HTML as one line of plain text."""
    for length in (_PREVIEW_SOURCE, 20 * _PREVIEW_SOURCE):
        line = one_line(shown_text(_HALF.sub("", html[:length])))
        if line or len(html) <= length:
            break
    return line if len(line) <= PREVIEW_LENGTH else cut(line, PREVIEW_LENGTH - 1).rstrip() + "…"


def _longer(text: Text, max_size: int) -> bool:
    return len(text.html or text.plain) > max_size


def _from_html(markup: str, forwarded: bool) -> Body | None:
    if not is_tame(markup):
        return None
    html = sanitise(markup)
    if not shows_anything(html):
        return None
    visible = html if forwarded else visible_html(html)
    return Body(html, visible, preview(visible), content_ids=content_ids(html))


def _from_text(plain: str, forwarded: bool) -> Body:
    html = text_to_html(plain)
    shown = plain if forwarded else visible_text(plain)
    visible = html if shown == plain else text_to_html(shown)
    return Body(html, visible, preview(visible))
