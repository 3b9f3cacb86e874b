"""Starting a recovery for some accounts: it brings what they missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from limepkg_email.services import Services
from limepkg_email.tasks import runs

RECOVERY: Final = "limepkg_email.tasks.tasks.recovery_process"
"""The name of the task."""


def start_recovery(
    services: Services,
    connection: Connection,
    accounts: Sequence[int],
    *,
    catching_up: bool = False,
) -> str:
    """Add a recovery of these accounts in the transaction at hand; gives the run's id.

    `catching_up` says that nobody listened to the accounts' webhooks up to now, so that mail that
    came by now is imported however new it is. Wake the workers after the commit.
    """
    now = services.clock()
    payload: dict[str, Any] = {"accounts": sorted(accounts)}
    if catching_up:
        payload["unannounced_before"] = now.isoformat()
    user = services.application.user.id
    return runs.create(connection, RECOVERY, payload, now, user=user, total=len(accounts))
