"""The text of an outgoing mail: sanitised html, a plain text that says the same, and a preview."""

from __future__ import annotations

import html as escaping
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from limepkg_email.host import StoredFile
from limepkg_email.mail_html import InlinePart, inline_images
from limepkg_email.markup import is_tame, plain_text
from limepkg_email.text import one_line, storable

PREVIEW_LENGTH = 256

_BLOCKS = {
    "blockquote", "center", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "table", "tr", "ul",
}  # fmt: skip
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
_IMAGE = re.compile(r"<img\b[^>]*\ssrc=")


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: sanitised html (a fragment, as it is stored) and plain text.

    `pictures` are the images that the html refers to as `cid:`, `unusable` counts those that cannot
    be sent. `beginning` is the text that a preview shows, if not all of it.
    """

    html: str
    text: str
    pictures: tuple[InlinePart, ...] = ()
    unusable: int = 0
    beginning: str = ""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to read and no picture to see."""
        return not self.text.strip() and not _IMAGE.search(self.html)

    @property
    def preview(self) -> str:
        """The beginning of the text in one line, for lists."""
        return one_line(self.beginning or self.text, PREVIEW_LENGTH)


@dataclass(frozen=True, slots=True)
class MessageText:
    """Subject and content of a message, the same for every recipient."""

    subject: str
    content: Content


def content_of(html: str, text: str, files: Mapping[str, StoredFile] | None = None) -> Content:
    """Sanitise what a user wrote, and make the form of it that is missing from the other.

    `files` are stored pictures by the address that the html has for them.
    """
    html, text = storable(html), storable(text).strip()
    if not html.strip():
        return Content(_html_from(text), text)
    if not is_tame(html):
        # Parsing it could take minutes: its words must do.
        text = text or plain_text(html).strip()
        return Content(_html_from(text), text)
    found = inline_images(html, files or {})
    return Content(found.html, text or text_from(found.html), found.parts, found.unusable)


def document(fragment: str, title: str) -> str:
    """Make a fragment into the complete html document that mail programs expect."""
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f"<title>{escaping.escape(title)}</title></head>\n<body>{fragment}</body></html>\n"
    )


def text_from(fragment: str) -> str:
    """Give sanitised html as plain text: a line for a block, `- ` for a list item, links spelt out.

    Takes time in proportion to its length: tens of thousands of lines are pasted now and then.
    """
    speller = _Speller()
    speller.feed(fragment)
    speller.close()
    lines = [line.strip() for line in "".join(speller.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Speller(HTMLParser):
    """Gathers the text of html whose tags are balanced, as the sanitiser's are."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._preformatted = 0
        self._links: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or say what the element shows."""
        if tag in _BLOCKS:
            self.parts.append(_gap(tag))
        match tag:
            case "br" | "hr":
                self.parts.append("\n")
            case "img":
                self.parts.append(dict(attrs).get("alt") or "")
            case "li":
                self.parts.append("- ")
            case "pre":
                self._preformatted += 1
            case "a":
                self._links.append((len(self.parts), dict(attrs).get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        """End a line, or spell out where a link leads."""
        if tag == "a" and self._links:
            start, target = self._links.pop()
            shown = "".join(self.parts[start:]).strip()
            if target and target.removeprefix("mailto:").removeprefix("tel:") != shown:
                self.parts.append(f" ({target})")
        if tag == "pre":
            self._preformatted -= 1
        if tag in _BLOCKS:
            self.parts.append(_gap(tag))

    def handle_data(self, data: str) -> None:
        """Take the text; a line break of the source is a space, unless it is preformatted."""
        self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))


def _gap(tag: str) -> str:
    return "\n\n" if tag in _PARAGRAPHS else "\n"


def _html_from(text: str) -> str:
    lines = escaping.escape(text, quote=False).replace("\r\n", "\n")
    paragraphs = [each.strip("\n") for each in re.split(r"\n{2,}", lines)]
    return "".join("<p>" + each.replace("\n", "<br>") + "</p>" for each in paragraphs if each)
