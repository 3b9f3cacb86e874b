"""Addresses of pictures that work without a user, for a while, for whoever was shown them.

The page of a mail is confined to an origin of its own, so a browser sends no cookie for the
pictures in it. Their addresses are therefore made for who may see the mail, and are signed.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

from limepkg_email.errors import NotFound
from limepkg_email.services import Services

HOUR = 3600


def signed_path(services: Services, file: int) -> str:
    """Give the end of an address that works for one to two hours.

    The hours are whole ones, so that a browser finds the picture in its cache.
    """
    until = (_seconds(services.clock()) // HOUR + 2) * HOUR
    return f"{file}/{until}/{_signature(services, file, until)}"


def check_path(services: Services, file: int, until: int, signature: str) -> None:
    """Raise `NotFound` unless the address was made by `signed_path` and has not ended."""
    expected = _signature(services, file, until)
    made = hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())
    if not made or until <= _seconds(services.clock()):
        raise NotFound("The address of the picture has ended; load the message again.")


def _signature(services: Services, file: int, until: int) -> str:
    # Begins unlike anything that is signed with the same secret for another purpose.
    content = f"embedded-file {services.application.identifier} {file} {until}"
    secret = services.config.emailengine_service_secret
    return hmac.new(secret.encode(), content.encode(), sha256).hexdigest()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
