"""What the demo's agent has written already: a mail that bounces, and one for tomorrow."""

from __future__ import annotations

from datetime import datetime, timedelta

from limepkg_email.outgoing.compose import submit
from limepkg_email.outgoing.draft import Draft, Recipient
from limepkg_email.services import Services

GONE = Recipient("bounce-former-colleague@example.org", "Carl Carlsson")
"""An address whose mailbox the sandbox does not have: its mail comes back."""


def write_samples(services: Services, account: int, now: datetime) -> None:
    """Write to a customer whose colleague has left, and to one who is to hear tomorrow at nine.

    `services` act as the agent. `now` is in the time zone in which nine o'clock is meant.
    """
    submit(
        services,
        Draft(
            account,
            subject="Invoice 2041",
            html="<p>Hello,</p><p>your invoice is on its way.</p>",
            recipients=(Recipient("lisa@example.net", "Lisa Lind"), GONE),
            signature=True,
        ),
    )
    tomorrow = (now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    submit(
        services,
        Draft(
            account,
            subject="Your delivery comes today",
            html="<p>Good morning Bo,</p><p>the plants arrive before noon.</p>",
            recipients=(Recipient("bo@example.org", "Bo Berg"),),
            send_at=tomorrow,
            signature=True,
        ),
    )
