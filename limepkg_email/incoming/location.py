"""Where a mail lies by now: a move gives it a new id, and the ids of its files change with it."""

from __future__ import annotations

from limepkg_email.engine.types import Message
from limepkg_email.errors import EngineNotFound
from limepkg_email.incoming.identity import mail_key
from limepkg_email.services import Services

_INBOX = "INBOX"


def find_again(services: Services, account: str, message: Message) -> Message | None:
    """Find a mail that was moved, in the inbox and in the failed folder, by its Message-ID.

    Gives the mail as it is described where it lies now, or `None` when it is in neither of them.
    """
    if not message.message_id:
        return None
    wanted, terms = mail_key(message), {"header": {"Message-ID": message.message_id}}
    for path in (_INBOX, services.config.failed_folder):
        try:
            found = services.engine.search(account, path, terms).messages
        except EngineNotFound:  # nothing has failed here yet, so there is no such folder
            continue
        for each in found:
            if mail_key(each) == wanted:
                return services.engine.message(account, each.id, text=False)
    return None
