"""A configuration with what has no default."""

from __future__ import annotations

from limepkg_email.config import Configuration


def configuration(**values: object) -> Configuration:
    """Give the defaults, changed by the given values."""
    needed: dict[str, object] = {
        "emailengine_url": "http://127.0.0.1:3000",
        "emailengine_token": "token",
        "emailengine_service_secret": "a secret",
    }
    return Configuration(**needed | values)  # type: ignore[arg-type]
