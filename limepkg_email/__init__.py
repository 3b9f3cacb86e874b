"""Email conversations for Lime-style CRMs; these are the names that hosts and extensions use."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING

from limepkg_email.errors import ConfigurationError, EmailIntegrationError
from limepkg_email.hooks import (
    Decision,
    Imported,
    MessageAction,
    MessageFilter,
    ParentReference,
    hookimpl,
)
from limepkg_email.host import (
    Application,
    Files,
    Host,
    LimeObject,
    Limetypes,
    Objects,
    Settings,
    StoredFile,
    UnitOfWork,
    User,
)
from limepkg_email.limetypes import Limetype, Option, Property

if TYPE_CHECKING:
    from limepkg_email.accounts.accounts import add_account
    from limepkg_email.engine.types import Message
    from limepkg_email.feed.item import FeedItem
    from limepkg_email.plugin import EmailIntegration
    from limepkg_email.schema.setup import run_setup

__version__ = _version("limepkg-email")

__all__ = [
    "Application",
    "ConfigurationError",
    "Decision",
    "EmailIntegration",
    "EmailIntegrationError",
    "FeedItem",
    "Files",
    "Host",
    "Imported",
    "LimeObject",
    "Limetype",
    "Limetypes",
    "Message",
    "MessageAction",
    "MessageFilter",
    "Objects",
    "Option",
    "ParentReference",
    "Property",
    "Settings",
    "StoredFile",
    "UnitOfWork",
    "User",
    "add_account",
    "hookimpl",
    "run_setup",
]


_HOMES = {
    "EmailIntegration": "limepkg_email.plugin",
    "FeedItem": "limepkg_email.feed.item",
    "Message": "limepkg_email.engine.types",
    "add_account": "limepkg_email.accounts.accounts",
    "run_setup": "limepkg_email.schema.setup",
}
"""Names that are imported when somebody asks for them: extensions and the sandbox need few."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
