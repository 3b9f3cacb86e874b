"""Email conversations for Lime-style CRMs; these are the names that hosts and extensions use."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from limepkg_email.plugin import EmailIntegration

__version__ = _version("limepkg-email")

__all__ = [
    "Application",
    "ConfigurationError",
    "Decision",
    "EmailIntegration",
    "EmailIntegrationError",
    "Files",
    "Host",
    "Imported",
    "LimeObject",
    "Limetypes",
    "MessageAction",
    "MessageFilter",
    "Objects",
    "ParentReference",
    "Settings",
    "StoredFile",
    "UnitOfWork",
    "User",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    # The composition root imports everything; extensions and the sandbox need little of it.
    if name == "EmailIntegration":
        from limepkg_email.plugin import EmailIntegration

        return EmailIntegration
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
