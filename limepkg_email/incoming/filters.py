"""Whether a mail is imported at all: the filters of extensions, asked in order."""

from __future__ import annotations

from limepkg_email.engine.types import Message
from limepkg_email.errors import HookError
from limepkg_email.hooks import Decision, MessageFilter, collect
from limepkg_email.incoming.trace import Trace
from limepkg_email.services import Services


def decide(services: Services, message: Message, trace: Trace) -> Decision | None:
    """Ask every filter until one decides; raises `HookError` that names a filter that broke."""
    filters: list[MessageFilter] = collect(
        services.hooks.message_filters(application=services.application)
    )
    for each in filters:
        decision = _ask(each, message)
        if decision is not None:
            verb = "skips" if decision.skipped else "accepts"
            trace.note(
                "filter",
                f"{each.name} {verb}: {decision.reason}",
                "filter_skipped" if decision.skipped else "filter_accepted",
                filter=each.name,
                reason=decision.reason,
            )
            return decision
    return None


def _ask(each: MessageFilter, message: Message) -> Decision | None:
    try:
        return each.decide(message)
    except Exception as error:  # an extension can raise anything; the name tells whom to ask
        raise HookError(f"The filter {each.name!r} failed: {error!r}") from error
