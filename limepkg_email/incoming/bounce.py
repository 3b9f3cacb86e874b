"""Which of our mails a delivery report is about, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass

from limepkg_email.engine.types import Message


@dataclass(frozen=True, slots=True)
class BounceReport:
    """What a delivery report says."""

    message_ids: tuple[str, ...] = ()
    recipient: str = ""
    action: str = "failed"
    status: str = ""
    text: str = ""


def read_bounce(message: Message) -> BounceReport:
    """Read a delivery report."""
    return BounceReport(message_ids=message.references())
