"""Mails as a real EmailEngine described them, with made-up content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from limepkg_email.engine.types import Message

FOLDERS = (
    Path(__file__).parent.parent / "sandbox" / "captures",
    Path(__file__).parent / "mails" / "captures",
)


def notified(name: str) -> Message:
    """The mail of a `messageNew` webhook."""
    return Message.parse(_read(f"webhook-messageNew-{name}")["body"]["data"])


def listed(name: str) -> list[Message]:
    """The entries of a folder listing."""
    return [Message.parse(each) for each in _read(name)["response"]["body"]["messages"]]


def fetched(name: str) -> Message:
    """The mail of a single request."""
    return Message.parse(_read(name)["response"]["body"])


def _read(name: str) -> Any:
    paths = (folder / f"{name}.json" for folder in FOLDERS)
    return json.loads(next(path for path in paths if path.exists()).read_text())
