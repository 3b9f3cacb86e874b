"""The installed extensions as an administrator sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pluggy import PluginManager

from limepkg_email.hooks import collect, extensions, hooks_of
from limepkg_email.schema.settings import Chosen
from limepkg_email.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offered:
    """A filter or an action of an extension."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension: the hooks it implements, what it offers, whether it is asked."""

    name: str
    enabled: bool
    hooks: tuple[str, ...]
    filters: tuple[Offered, ...]
    actions: tuple[Offered, ...]


def list_extensions(manager: PluginManager, services: Services) -> list[Extension]:
    """Give the extensions by name, those that are switched off included."""
    off = Chosen.read(services.application).switched_off
    return [
        Extension(
            name=name,
            enabled=name not in off,
            hooks=tuple(hooks_of(manager, plugin)),
            filters=_offered(manager, "message_filters", plugin, services),
            actions=_offered(manager, "message_actions", plugin, services),
        )
        for name, plugin in extensions(manager).items()
    ]


def _offered(
    manager: PluginManager, hook: str, plugin: object, services: Services
) -> tuple[Offered, ...]:
    others = [each for each in manager.get_plugins() if each is not plugin]
    try:
        found: Iterable[Any] = collect(
            manager.subset_hook_caller(hook, others)(application=services.application)
        )
        return tuple(Offered(str(each.name), str(each.description)) for each in found)
    except Exception:
        # A broken extension is just what one wants to find and switch off here.
        log.exception("An extension cannot say what it offers")
        return ()
