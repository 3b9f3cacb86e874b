"""JSON objects as Python sees them, and the one way they are written."""

import json
from typing import Any, TypeAlias

# A JSON object at the edge: its values are whatever the wire format says.
Json: TypeAlias = dict[str, Any]


def dumps(value: object) -> str:
    """Write compact JSON that keeps non-ASCII characters and the order of keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_bytes(value: object) -> bytes:
    """Write compact JSON as UTF-8; half surrogate pairs become replacement characters."""
    text = dumps(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
