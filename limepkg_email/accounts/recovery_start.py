"""Starting a recovery for some accounts: it brings what they missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from limepkg_email.services import Services
from limepkg_email.tasks import runs

RECOVERY: Final = "limepkg_email.tasks.tasks.recovery_process"
"""The name of the task."""


def start_recovery(services: Services, connection: Connection, accounts: Sequence[int]) -> str:
    """Add a recovery of these accounts in the transaction at hand; gives the run's id.

    Wake the workers after the commit.
    """
    return runs.create(
        connection,
        RECOVERY,
        {"accounts": sorted(accounts)},
        services.clock(),
        user=services.application.user.id,
        total=len(accounts),
    )
