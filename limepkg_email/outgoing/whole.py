"""A whole message: what its author wrote, the signature below it, and what it quotes below that.

Each is sanitised for itself, so that an element which is left open in one cannot swallow another.
"""

from __future__ import annotations

import re

from limepkg_email.outgoing.content import Content, content_of
from limepkg_email.outgoing.draft import Draft

SIGNATURE_MARK = "limepkg-email-signature"
"""The class of the element around a signature: a text that has one already gets no second one."""

_DIVIDER = "-- "
"""The line above a signature in plain text (RFC 3676, section 4.3): programs hide what follows."""
_MARKED = re.compile(rf"""<div\b[^<>]*\bclass=["']?{SIGNATURE_MARK}\b""", re.I)
_IN_TEXT = re.compile(r"data:image/[^\s\"'<>]*", re.I)


def length_of(html: str) -> int:
    """Give the characters of the html without the images within it, which count as files."""
    return len(html) - sum(len(each[0]) for each in _IN_TEXT.finditer(html))


def whole_content(draft: Draft, signature: str, longest: int) -> Content:
    """Give what the message says; text and html beyond the longest are not even read.

    A message in which nobody wrote or quotes anything is empty: no signature makes one of it.
    """
    html = draft.html if length_of(draft.html) <= longest else draft.html[:longest]
    written = content_of(html, draft.text[:longest])
    quoted = None
    if draft.quoted is not None:
        quoted = content_of(draft.quoted.html, "", draft.quoted.pictures)
    if written.empty and quoted is None:
        return written
    below = None if not signature or _MARKED.search(html) else content_of(signature, "")
    return _joined(written, below, quoted)


def _joined(written: Content, signature: Content | None, quoted: Content | None) -> Content:
    html, texts = [written.html], [written.text]
    if signature is not None and not signature.empty:
        html.append(f'<div class="{SIGNATURE_MARK}">{signature.html}</div>')
        texts.append(f"{_DIVIDER}\n{signature.text}".rstrip("\n"))
    if quoted is not None:
        html.append(quoted.html)
        texts.append(quoted.text)
    parts = [each for each in (written, signature, quoted) if each is not None]
    pictures = {picture.content_id: picture for each in parts for picture in each.pictures}
    return Content(
        "".join(html),
        "\n\n".join(each for each in texts if each),
        tuple(pictures.values()),
        # Only its author can do anything about a picture that cannot be sent.
        written.unusable,
        written.text or (quoted.text if quoted else ""),
    )
