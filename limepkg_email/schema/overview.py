"""How far the installation has come: an answer for the administrator's page, never an error."""

from __future__ import annotations

from dataclasses import dataclass

from limepkg_email.errors import Conflict, EngineError, InvalidInput
from limepkg_email.schema import webhook
from limepkg_email.schema.setup import installation_steps, is_installed
from limepkg_email.services import Services


@dataclass(frozen=True, slots=True)
class EngineState:
    """Whether the engine answers and works; `message` says what is wrong, or is empty.

    `licensed` and `webhook_registered` are `None` while nobody knows: without an answer, the latter
    without `webhook_url` as well.
    """

    reachable: bool
    licensed: bool | None
    webhook_url: str
    webhook_registered: bool | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class SetupOverview:
    """What is there and what is left to do; `problem` says why it cannot be done and what to do."""

    installed: bool
    steps: tuple[str, ...]
    problem: str
    engine: EngineState


def overview(services: Services) -> SetupOverview:
    """Ask the host and the engine; changes nothing."""
    engine, registration = _engine(services)
    try:
        steps, problem = installation_steps(services), ""
    except (Conflict, InvalidInput) as error:
        return SetupOverview(installed=False, steps=(), problem=error.message, engine=engine)
    installed = is_installed(services)
    return SetupOverview(installed, (*steps, *registration), problem, engine)


def _engine(services: Services) -> tuple[EngineState, tuple[str, ...]]:
    """Give how the engine does, and what is left to do there as far as that is known."""
    url = services.config.webhook_url
    try:
        suspended = services.engine.license().suspended
    except EngineError as error:
        return EngineState(False, None, url, None, error.message), ()
    told = _SUSPENDED if suspended else ""
    try:
        missing = webhook.missing(services.config, services.engine)
    except EngineError as error:
        return EngineState(True, not suspended, url, None, told or error.message), ()
    if not url:
        return EngineState(True, not suspended, url, None, told or _NO_URL), ()
    state = EngineState(True, not suspended, url, not missing, told)
    return state, (missing,) if missing else ()


_SUSPENDED = "EmailEngine has stopped working because it has no licence; enter one there."
_NO_URL = "`webhook_url` is not set: new mail is found by the scheduled recovery only."
