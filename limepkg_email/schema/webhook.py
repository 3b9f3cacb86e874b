"""The registration of our webhook with the mail engine; idempotent like the rest of setup."""

from __future__ import annotations

from typing import Any

from limepkg_email.config import Configuration
from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import EngineError

EVENTS = (
    "messageNew",
    "messageSent",
    "messageDeliveryError",
    "messageFailed",
    "messageBounce",
    "messageComplaint",
    "accountAdded",
    "accountDeleted",
    "accountInitialized",
    "authenticationError",
    "authenticationSuccess",
    "connectError",
)
"""The events we ask for. EmailEngine delivers one webhook at a time, so each useless one costs."""

MAX_TEXT = 500_000
"""Characters of a text that come with the webhook; a longer text is fetched by the import."""


def settings(config: Configuration) -> dict[str, Any]:
    """Give the engine's settings that can be read back, as they have to be."""
    return {
        "webhooksEnabled": True,
        "webhooks": config.webhook_url,
        "webhookEvents": list(EVENTS),
        "notifyText": True,
        "notifyTextSize": min(config.max_body_size, MAX_TEXT),
        "notifyHeaders": ["*"],
    }


def pending(config: Configuration, engine: EngineClient) -> str:
    """Say what `register` would change; an empty string if nothing that can be seen."""
    try:
        return missing(config, engine)
    except EngineError as error:
        # A plan can be shown without the engine; applying it will raise the same error.
        return f"Register the webhook {config.webhook_url} ({error.message})"


def missing(config: Configuration, engine: EngineClient) -> str:
    """Say what is not registered as it has to be, or nothing; raises what the engine raises."""
    if not config.webhook_url:
        return ""
    wanted = settings(config)
    present = engine.settings_get(*wanted)
    if present == wanted:
        return ""
    former = present.get("webhooks")
    instead = f" instead of {former}" if former and former != config.webhook_url else ""
    return f"Register the webhook {config.webhook_url}{instead}."


def register(config: Configuration, engine: EngineClient) -> None:
    """Make the engine deliver its events to us, signed with our secret."""
    if config.webhook_url:
        # Always the whole: the engine never shows its secret, so a rotated one cannot be noticed.
        engine.settings_set(
            {**settings(config), "serviceSecret": config.emailengine_service_secret}
        )
