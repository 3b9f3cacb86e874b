"""What a piece of domain work is given: the application it acts in and the tools it may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pluggy import HookRelay

from limepkg_email.clock import Clock
from limepkg_email.config import Configuration
from limepkg_email.engine.client import EngineClient
from limepkg_email.host import Application


@dataclass(frozen=True, slots=True)
class Services:
    """One application with its acting user, checked configuration, engine client, hooks and clock.

    `wake` tells the runner that jobs were committed; losing the call only delays them to the sweep.
    """

    application: Application
    config: Configuration
    engine: EngineClient
    hooks: HookRelay
    clock: Clock
    wake: Callable[[], None]
