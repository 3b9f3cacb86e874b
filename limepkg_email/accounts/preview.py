"""How much mail from before an account was connected would be imported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limepkg_email.accounts.listing import read_entry
from limepkg_email.services import Services

LOOKED_AT: Final = 250
"""The newest unread mails that are looked at one by one; those below them are counted."""


@dataclass(frozen=True, slots=True)
class ActivationPreview:
    """Unread mails in the inbox from before `activated_at`, which `import_unread` lets in.

    Not `exact` when there are more unread mails since then than are looked at one by one: the
    number is then too high by those that were not looked at.
    """

    unread: int
    exact: bool
    import_unread: bool
    activated_at: datetime


def preview(services: Services, account: int) -> ActivationPreview:
    """Count the unread mails that are older than the activation, in one search of the engine.

    Raises `NotFound`, and the engine's error when the mailbox cannot be looked into.
    """
    with services.application.database.connect() as connection:
        entry = read_entry(connection, account)
    page = services.engine.search(
        entry.engine_account, "INBOX", {"unseen": True}, page_size=LOOKED_AT
    )
    newer = sum(
        1 for each in page.messages if each.date is not None and each.date >= entry.activated_at
    )
    return ActivationPreview(
        unread=max(page.total - newer, 0),
        exact=newer < LOOKED_AT,
        import_unread=entry.import_unread,
        activated_at=entry.activated_at,
    )
