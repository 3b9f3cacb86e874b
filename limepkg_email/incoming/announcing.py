"""Extensions hear of an imported mail: each for itself, and none can undo the import."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from limepkg_email import event_log
from limepkg_email.accounts.accounts import address_of
from limepkg_email.errors import HookError
from limepkg_email.event_log import Level
from limepkg_email.hooks import Imported, call_each
from limepkg_email.services import Services

_logger = logging.getLogger(__name__)


def announce(services: Services, imported: Imported) -> None:
    """Tell every extension; call it after the commit, so that an error cannot undo anything."""
    failed = call_each(
        services.hooks.message_imported, application=services.application, imported=imported
    )
    for extension, error in failed.items():
        _logger.error(
            "an extension failed to hear of an imported message",
            exc_info=error,
            extra={"extension": extension, "conversationmessage": imported.conversationmessage},
        )
        try:
            note_broken_extension(services, "message_imported", imported, extension)
        except SQLAlchemyError:
            _logger.exception("the log for administrators could not be written")


def note_broken_extension(
    services: Services, hook: str, imported: Imported, extension: str = ""
) -> None:
    """Note in the log that an extension failed after an import, which stands nevertheless."""
    who = f"The extension {extension}" if extension else "An extension"
    with services.application.database.begin() as connection:
        address = address_of(connection, imported.account)
        event_log.note(
            connection,
            services.clock(),
            Level.ERROR,
            HookError.code,
            f"{address}: {who} failed after a mail was imported, in {hook}.",
            account=imported.account,
            message=imported.conversationmessage,
        )
