"""How a stored message looks in the API: as a list item, in full, and in a webhook."""

import base64
import html
import re

import nh3

from limepkg_email.sandbox import ids
from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.messages import find_part
from limepkg_email.sandbox.stored import StoredMessage, prelude_fields

_FLAG_KEYS = (("\\Flagged", "flagged"), ("\\Answered", "answered"), ("\\Draft", "draft"))
_KEPT_SCHEMES = frozenset({"http", "https", "mailto", "tel", "data", "cid"})


def list_item(message: StoredMessage) -> Json:
    """What lists and searches show."""
    item = _head(message)
    _copy(message.summary, item, ("subject", "from", "replyTo", "to", "cc"))
    _add_tail(message, item)
    _add_text_reference(message, item)
    return item


def full(message: StoredMessage, detail: Json, header_names: list[str] | None = None) -> Json:
    """Everything about a message but its text."""
    item = _head(message)
    item = {"id": item.pop("id"), "uid": item.pop("uid"), "path": message.path, **item}
    _copy(message.summary, item, ("subject", "from", "replyTo"))
    _copy(detail, item, ("sender",))
    _copy(message.summary, item, ("to", "cc"))
    _copy(detail, item, ("bcc",))
    _add_tail(message, item)
    if header_names is not None:
        item["headers"] = headers(message, detail, header_names)
    _add_text_reference(message, item)
    return item


def add_properties(message: StoredMessage, detail: Json, item: Json) -> None:
    """Add what comes after the text: automatic answer, special use, bounce."""
    if detail.get("isAutoReply"):
        item["isAutoReply"] = True
    if message.special_use:
        item["specialUse"] = message.special_use
        item["messageSpecialUse"] = message.special_use
    if "bounce" in detail:
        item["isBounce"] = True
        if "messageId" in detail["bounce"]:
            item["relatedMessageId"] = detail["bounce"]["messageId"]


def headers(message: StoredMessage, detail: Json, names: list[str]) -> dict[str, list[str]]:
    """The wanted header fields (`["*"]` for all): lower-case names, raw values."""
    found: dict[str, list[str]] = {}
    for name, value in [*prelude_fields(message.prelude), *detail["headers"]]:
        if names == ["*"] or name in names:
            found.setdefault(name, []).append(value)
    return found


def texts(detail: Json, *, kind: str = "*", limit: int | None = None) -> Json:
    """The texts of a message, each cut to so many characters."""
    item: Json = {}
    more = False
    for key in ("plain", "html", "rfc822"):
        if key in detail and kind in ("*", key):
            text = detail[key]
            item[key] = text if limit is None else text[:limit]
            more = more or len(item[key]) < len(text)
    item["hasMore"] = more
    return item


def web_safe(texts_found: Json, message: StoredMessage, raw: bytes) -> Json:
    """The texts with harmless HTML, its attached images inside it."""
    safe = dict(texts_found)
    source = safe.get("html")
    if source is None:
        source = f"<pre>{html.escape(str(safe.get('plain', '')))}</pre>"
    images = _images(message, raw)
    body = safe_html(re.sub(r"""cid:([^"'\s>)]+)""", lambda m: images.get(m[1], m[0]), source))
    more = safe.pop("hasMore", False)
    return {
        **safe,
        "html": f'<div style="overflow: auto;">{body}</div>',
        "hasMore": more,
        "webSafe": True,
    }


def safe_html(source: str) -> str:
    """HTML without anything that acts."""
    return nh3.clean(
        source,
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": {"style", "align", "dir", "lang", "title"}},
        clean_content_tags={"script", "style", "title"},
        url_schemes=set(_KEPT_SCHEMES),
        link_rel=None,
    )


def _images(message: StoredMessage, raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in message.summary.get("attachments", []):
        if "contentId" in entry and entry["contentType"].startswith("image/"):
            part = find_part(raw, entry["part"])
            if part is not None:
                data = base64.b64encode(part.data()).decode("ascii")
                found[entry["contentId"].strip("<>")] = f"data:{entry['contentType']};base64,{data}"
    return found


def _head(message: StoredMessage) -> Json:
    item: Json = {"id": message.id, "uid": message.uid}
    if message.email_id:
        item["emailId"] = message.email_id
    if message.thread_id:
        item["threadId"] = message.thread_id
    item["date"] = iso(message.date)
    item["flags"] = list(message.flags)
    if "\\Seen" not in message.flags:
        item["unseen"] = True
    for flag, key in _FLAG_KEYS:
        if flag in message.flags:
            item[key] = True
    item["size"] = message.size
    return item


def _add_tail(message: StoredMessage, item: Json) -> None:
    attachments = message.summary.get("attachments")
    if attachments:
        item["attachments"] = [
            {
                "id": ids.attachment_id(message.code, message.uid, entry["part"]),
                **{key: value for key, value in entry.items() if key != "part"},
            }
            for entry in attachments
        ]
    _copy(message.summary, item, ("messageId", "inReplyTo"))


def _add_text_reference(message: StoredMessage, item: Json) -> None:
    if "encodedSize" in message.summary:
        item["text"] = {
            "id": ids.text_id(message.code, message.uid, message.summary["textParts"]),
            "encodedSize": message.summary["encodedSize"],
        }


def _copy(source: Json, target: Json, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key in source:
            target[key] = source[key]
