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

    `webhook_registered` is `None` while nobody knows: without an answer, or without `webhook_url`.
    """

    reachable: bool
    licensed: bool
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
    url = services.config.webhook_url
    try:
        found = services.engine.license()
    except EngineError as error:
        state = EngineState(
            reachable=False,
            licensed=False,
            webhook_url=url,
            webhook_registered=None,
            message=error.message,
        )
        return state, (f"Register the webhook {url}.",) if url else ()
    pending = webhook.pending(services.config, services.engine)
    state = EngineState(
        reachable=True,
        licensed=not found.suspended,
        webhook_url=url,
        webhook_registered=not pending if url else None,
        message=_SUSPENDED if found.suspended else "" if url else _NO_URL,
    )
    return state, (pending,) if pending else ()


_SUSPENDED = "EmailEngine has stopped working because it has no licence; enter one there."
_NO_URL = "`webhook_url` is not set: new mail is found by the scheduled recovery only."
