"""HTML as mail programs take it: harmless, its styles inlined, its images sent along."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import css_inline
import nh3

from limepkg_email.host import StoredFile
from limepkg_email.markup import escaped, is_tame, plain_text
from limepkg_email.text import storable

MAX_CSS = 50_000
"""Most characters of style sheets that are inlined; longer ones are left out."""
_MOST_MATCHING = 30_000_000
"""Characters of style sheets times tags: what matching the two may cost."""
_MOST_BRACKETS = 1_000
"""Most brackets in style sheets: nested ones take the square of their number, for each element."""

_ALLOWED = (
    "a abbr address b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn"
    " div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main"
    " mark ol p pre q s samp section small span strike strong sub sup table tbody td tfoot th thead"
    " time tr tt u ul var wbr"
)
_TAGS = set(_ALLOWED.split())
_UNREAD = (
    "applet audio canvas datalist iframe math noembed noframes noscript script style svg template"
    " title video xml"
)
_UNREADABLE = set(_UNREAD.split())
_CELL = {"bgcolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"}
_ATTRIBUTES = {
    "*": {"align", "class", "dir", "id", "lang", "style", "title"},
    "a": {"href"},
    "blockquote": {"type"},
    "col": {"span", "valign", "width"},
    "colgroup": {"span", "valign", "width"},
    "font": {"color", "face", "size"},
    "hr": {"noshade", "size", "width"},
    "img": {"alt", "height", "src", "width"},
    "li": {"value"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "height", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"bgcolor", "height", "valign"},
    "ul": {"type"},
}
_SIDES = ("top", "right", "bottom", "left")
_STYLES = {
    "background-color", "border", "border-collapse", "border-color", "border-radius",
    "border-spacing", "border-style", "border-width", "clear", "color", "direction", "display",
    "float", "font", "font-family", "font-size", "font-style", "font-variant", "font-weight",
    "height", "letter-spacing", "line-height", "list-style-type", "margin", "max-height",
    "max-width", "min-height", "min-width", "overflow-wrap", "padding", "table-layout",
    "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width", "word-break", "word-spacing", "word-wrap",
    *(f"{name}-{side}" for name in ("border", "margin", "padding") for side in _SIDES),
}  # fmt: skip
_LINKS = {"http", "https", "mailto", "tel"}
_IMAGES = {"http", "https", "cid"}
_DATA_IMAGE = re.compile(r"data:(image/(png|gif|jpe?g|webp|bmp));base64,([A-Za-z0-9+/=\s%]*)", re.I)
# Editors name types wrongly now and then: what an image is, its content tells.
_DATA = re.compile(r"data:image/[\w.+-]+(?:;[\w.+=-]+)*;base64,([A-Za-z0-9+/=\s%]*)", re.I)
_PICTURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.S),
}
_RISKY = re.compile(r"(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(|@|\\|^\s*(?i:margin)[^;]*-\d")
# Read nh3's output, where `<` and `>` never stand inside an attribute value.
_EMPTY_TAG = re.compile(r'<[a-z][^<>]* (?:style|class|id)=""[^<>]*>|<img>')
_NOTHING = re.compile(r' (?:style|class|id)=""|<img>')
_SHEET = re.compile(r"<style\b[^>]*>", re.I)
_SHEET_END = re.compile("</style", re.I)

Rewrite = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class InlinePart:
    """An image that a mail shows: `content` of its own, or the stored file `file_id`.

    `content_id` stands without angle brackets, `size` is in bytes.
    """

    content_id: str
    filename: str
    content_type: str
    content: bytes = b""
    file_id: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class InlinedHtml:
    """Sanitised HTML whose images are `cid:` references, and the parts that they refer to.

    `unusable` counts images within the HTML that mail programs would not show.
    """

    html: str
    parts: tuple[InlinePart, ...] = ()
    unusable: int = 0


def mail_safe(html: str, *, css: str = "") -> str:
    """Sanitise HTML and write the rules of `css` and of its `<style>` elements to each element.

    Images keep the addresses `http(s):`, `cid:` and `data:`; relative addresses are left out,
    because a recipient cannot follow them. What cannot be parsed in an ordinary time keeps its
    words only.
    """
    return _clean(html, css, _kept_image)


def inline_images(html: str, files: Mapping[str, StoredFile]) -> InlinedHtml:
    """Sanitise HTML and send its images along: `data:` addresses, and those that `files` names.

    `files` are our stored files by the address that the HTML uses for them, relative or not. The
    same image becomes one part, and the same content always gets the same Content-ID. Images from
    the web stay; those of another mail (`cid:`), and within the HTML all that are not PNG, JPEG,
    GIF or WebP by their content, are left out.
    """
    parts: dict[str, InlinePart] = {}
    unusable: set[str] = set()

    def rewrite(address: str) -> str | None:
        part = _part_of(address, files)
        if part is not None:
            parts[part.content_id] = part
            return f"cid:{part.content_id}"
        if _scheme(address) == "data":
            unusable.add(address)
        return address if _scheme(address) in _LINKS else None

    clean = _clean(html, "", rewrite)
    return InlinedHtml(clean, tuple(parts.values()), len(unusable))


def picture_type(content: bytes) -> str | None:
    """Tell the type of a picture that every mail program shows, by how its content begins.

    `None` for everything else, whatever it is called.
    """
    for kind, beginning in _PICTURES.items():
        if beginning.match(content):
            return kind
    return None


def _clean(html: str, css: str, rewrite: Rewrite) -> str:
    html = storable(html)
    if not is_tame(html):
        words = escaped(plain_text(html).strip())
        return "<p>" + words.replace("\n", "<br>") + "</p>"
    sheets = "\n".join([css, *_sheets(html)]).strip()
    clean = _pass(html, rewrite)
    if not sheets or not _can_be_inlined(sheets, clean):
        return _without_marks(clean)
    try:
        styled = css_inline.inline_fragment(clean, sheets, load_remote_stylesheets=False)
    except css_inline.InlineError:
        return _without_marks(clean)
    return _without_marks(_pass(styled, _kept_image))


def _can_be_inlined(sheets: str, html: str) -> bool:
    return (
        len(sheets) <= MAX_CSS
        and sheets.count("(") <= _MOST_BRACKETS
        and len(sheets) * html.count("<") <= _MOST_MATCHING
    )


def _sheets(html: str) -> Iterator[str]:
    position = 0
    while start := _SHEET.search(html, position):
        end = _SHEET_END.search(html, start.end())
        if end is None:
            return
        yield html[start.end() : end.start()]
        position = end.end()


def _pass(html: str, rewrite: Rewrite) -> str:
    def filtered(_: str, attribute: str, value: str) -> str | None:
        match attribute:
            case "src":
                return rewrite(value.strip())
            case "href":
                return value if _scheme(value) in _LINKS else None
            case "style":
                return _safe_style(value)
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_UNREADABLE,
        attributes=_ATTRIBUTES,
        attribute_filter=filtered,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
        url_schemes=_LINKS | _IMAGES | {"data"},
        url_relative="pass_through",
    )


def _without_marks(html: str) -> str:
    # Tag by tag: the same words within a text stay, and cost nothing.
    return _EMPTY_TAG.sub(lambda tag: _NOTHING.sub("", tag[0]), html)


def _kept_image(address: str) -> str | None:
    if _scheme(address) in _IMAGES or _DATA_IMAGE.fullmatch(address):
        return address
    return None


def _scheme(address: str) -> str:
    return address.strip().partition(":")[0].lower() if ":" in address else ""


def _safe_style(style: str) -> str | None:
    kept = [each.strip() for each in style.split(";") if not _RISKY.search(each)]
    return "; ".join(each for each in kept if each) or None


def _part_of(address: str, files: Mapping[str, StoredFile]) -> InlinePart | None:
    file = files.get(address)
    if file is not None:
        name = _content_id(b"file:" + file.id.encode())
        return InlinePart(name, file.filename, file.content_type, b"", file.id, file.size)
    image = _DATA.fullmatch(address)
    if image is None:
        return None
    try:
        content = base64.b64decode(unquote(image[1]))
    except binascii.Error:
        return None
    kind = picture_type(content)
    if kind is None:
        return None
    digest = _content_id(content)
    extension = kind.removeprefix("image/").replace("jpeg", "jpg")
    filename = f"image-{digest[:8]}.{extension}"
    return InlinePart(digest, filename, kind, content, size=len(content))


def _content_id(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32] + "@limepkg-email"
