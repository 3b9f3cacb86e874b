"""Making the HTML of a mail harmless: an allow-list (nh3), inert remote images, bounded effort.

Nothing in the result runs, submits, moves out of its place or loads from the network. Images from
the web keep their address behind `REMOTE_PREFIX`, a scheme no browser loads, until somebody asks
for them (`with_remote_images`).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import nh3

from limepkg_email.markup import decoded

REMOTE_PREFIX = "remote:"
"""What stands before the address of an image that would be loaded from the network."""
WAITING = "data-remote"
"""The attribute that holds such an address while a mail is shown without these images."""
MAX_DATA_IMAGE = 100_000
"""Longest image within the HTML, in characters; larger ones belong into attachments."""

_ALLOWED = (
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup"
    " dd del dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img"
    " ins kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike strong"
    " sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr"
)
_TAGS = frozenset(_ALLOWED.split())
# Their content is code or not meant to be read; that of other tags stays as text.
_UNREADABLE = (
    "applet audio canvas datalist frameset iframe math noembed noframes script style svg template"
    " title video xml"
)
_DROPPED_WITH_CONTENT = frozenset(_UNREADABLE.split())
_CELL = {"bgcolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"}
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "style", "title"},
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
    "tbody": {"valign"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"bgcolor", "height", "valign"},
    "ul": {"type"},
}
# The marks by which mail programs tell quoted history, kept for `visible` and for folding.
_QUOTE_CLASSES = {
    "gmail_quote", "gmail_attr", "gmail_signature", "gmail_signature_prefix", "moz-cite-prefix",
    "moz-forward-container", "moz-signature", "yahoo_quoted", "protonmail_quote", "tutanota_quote",
    "zmail_extra", "history_container", "ms-outlook-mobile-reference-message",
}  # fmt: skip
_QUOTE_IDS = {
    "divRplyFwdMsg", "x_divRplyFwdMsg", "appendonsend", "x_appendonsend", "OLK_SRC_BODY_SECTION",
    "mail-editor-reference-message-container", "ms-outlook-mobile-body-separator-line",
}  # fmt: skip
_STYLES = (
    "background background-color border border-bottom border-bottom-color border-bottom-style"
    " border-bottom-width border-collapse border-color border-left border-left-color"
    " border-left-style border-left-width border-radius border-right border-right-color"
    " border-right-style border-right-width border-spacing border-style border-top border-top-color"
    " border-top-style border-top-width border-width clear color direction display float font"
    " font-family font-size font-style font-variant font-weight height letter-spacing line-height"
    " list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width"
    " min-height min-width overflow overflow-wrap padding padding-bottom padding-left padding-right"
    " padding-top table-layout text-align text-decoration text-decoration-color"
    " text-decoration-line text-decoration-style text-indent text-transform vertical-align"
    " visibility white-space width word-break word-spacing word-wrap"
)
# nh3 compares names letter by letter, yet old mail programs write COLOR and Color.
_SPELLINGS = {
    spelt for name in _STYLES.split() for spelt in (name, name.upper(), name.capitalize())
}

_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    allowed_classes=dict.fromkeys(("div", "blockquote", "p", "pre", "span"), _QUOTE_CLASSES),
    tag_attribute_values={"div": {"id": _QUOTE_IDS, "name": {"quote"}}, "p": {"id": _QUOTE_IDS}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    filter_style_properties=_SPELLINGS,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    url_relative="deny",
)

# These read nh3's output, where `<`, `>` and `"` never stand inside an attribute value.
# Each begins at the tag's `<`: the same words within a text must not be looked at again and again.
_EMPTY_CLASS = re.compile(r'(<[a-z][^<>]*?) class=""')
_IMAGE = re.compile(r"<img\b[^>]*>")
_SOURCE = re.compile(r' src="\s*([^"]*)"')
# `cid` and `data` are for images only; whatever a browser might still read as one of them goes too.
_LINK_SCHEMES = "[hH][tT][tT][pP][sS]?|[mM][aA][iI][lL][tT][oO]|[tT][eE][lL]"
_BAD_LINK = re.compile(rf'(<a\b[^<>]*?) href="(?!\s*(?:{_LINK_SCHEMES}):)[^"]*"')
# Two quick searches in C; what they find is looked at declaration by declaration.
_COLOUR = r"(?<=rgb)\(|(?<=rgba)\(|(?<=hsl)\(|(?<=hsla)\("
_SUSPECT_STYLE = re.compile(rf' style="(?:[^"(@\\]++|{_COLOUR})*+[(@\\]')
_NEGATIVE_MARGIN = re.compile(r"margin[^;\"]{0,60}-\d")
_STYLE = re.compile(r' style="([^"]*)"')
_RISKY_DECLARATION = re.compile(
    r"(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(|@|\\|^\s*(?i:margin)[^;]*-\d"
)
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=\s]*", re.I)
_SUSPECT_IMAGE = re.compile(r'[":] ?[01](?:\.0+)?(?:px)?\s*[";!]|none|hidden')
_TINY = {
    side: re.compile(rf'(?: {side}="|[";]\s*{side}:)\s*[01](?:\.0+)?(?:px)?\s*[";!]', re.I)
    for side in ("width", "height")
}
_HIDDEN = re.compile(r"(?:display:\s*none|visibility:\s*hidden)", re.I)


def sanitise(html: str) -> str:
    """Return the HTML with nothing in it but harmless layout, links, and images.

    Costs one nh3 pass. Give it only what `markup.is_tame` lets through.
    """
    cleaned = _CLEANER.clean(html)
    if ' class=""' in cleaned:
        cleaned = _EMPTY_CLASS.sub(r"\1", cleaned)
    if "<img" in cleaned:
        cleaned = _IMAGE.sub(_inert_image, cleaned)
    cleaned = _BAD_LINK.sub(r"\1", cleaned)
    if _SUSPECT_STYLE.search(cleaned) or _NEGATIVE_MARGIN.search(cleaned):
        cleaned = _STYLE.sub(_safe_style, cleaned)
    return cleaned


def content_ids(html: str) -> frozenset[str]:
    """Return the Content-IDs, without angle brackets, of the images that sanitised HTML shows."""
    if 'src="cid:' not in html:
        return frozenset()
    sources = (_SOURCE.search(image) for image in _IMAGE.findall(html))
    found = (decoded(source[1]) for source in sources if source)
    return frozenset(unquote(each[4:]) for each in found if each.startswith("cid:"))


def with_remote_images(html: str) -> str:
    """Return sanitised HTML with its images from the web enabled, for after the click."""
    live = f' src="{REMOTE_PREFIX}'
    return _IMAGE.sub(lambda image: image[0].replace(live, ' src="', 1), html)


def with_waiting_images(html: str) -> str:
    """Return sanitised HTML for display before the click: addresses of images from the web wait.

    A browser reports a scheme that it may not load for each image; an attribute of data it ignores.
    """
    live = f' src="{REMOTE_PREFIX}'
    return _IMAGE.sub(lambda image: image[0].replace(live, f' {WAITING}="', 1), html)


def _inert_image(image: re.Match[str]) -> str:
    tag = image[0]
    source = _SOURCE.search(tag)
    if source is None:
        return ""  # nothing to show: the address was relative or of a forbidden scheme
    scheme, _, rest = source[1].strip().partition(":")
    match scheme.lower():
        case "http" | "https":
            kept = "" if _is_tracking(tag) else f"{REMOTE_PREFIX}{source[1].strip()}"
        case "cid":
            kept = f"cid:{rest}"
        case "data":
            kept = source[1] if _is_small_image(source[1]) else ""
        case _:
            kept = ""
    return f'{tag[: source.start()]} src="{kept}"{tag[source.end() :]}' if kept else ""


def _is_small_image(address: str) -> bool:
    return len(address) <= MAX_DATA_IMAGE and _DATA_IMAGE.fullmatch(address) is not None


def _is_tracking(tag: str) -> bool:
    # An image nobody can see is there to tell that the mail has been opened.
    if not _SUSPECT_IMAGE.search(tag):
        return False
    return all(side.search(tag) for side in _TINY.values()) or _HIDDEN.search(tag) is not None


def _safe_style(style: re.Match[str]) -> str:
    # Functions load things or compute; negative margins lay text over other people's.
    declarations = decoded(style[1]).split(";")
    kept = [each for each in declarations if not _RISKY_DECLARATION.search(each)]
    value = ";".join(kept).replace("&", "&amp;").replace('"', "&quot;")
    return f' style="{value.replace("<", "&lt;").replace(">", "&gt;")}"'
