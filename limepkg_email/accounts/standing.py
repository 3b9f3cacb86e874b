"""How an account fares, in words: what is wrong with it and what a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from limepkg_email.text import one_line

MISSING: Final = "missing"
"""The state of an account that the engine does not know any more."""
ORPHAN: Final = "oauth2"
"""The type of an account whose OAuth2 application is gone; which one it was, we still know."""
FAILING: Final = frozenset(
    {"authenticationError", "connectError", "disconnected", "unset", MISSING}
)
"""States in which no mail comes."""
CONNECTED: Final = frozenset({"connected", "syncing"})
"""States in which all is well."""


class Step(StrEnum):
    """What a person can do next about an account."""

    NONE = "none"
    WAIT = "wait"
    ENABLE = "enable"
    SIGN_IN_AGAIN = "sign_in_again"
    CHECK_SERVER = "check_server"
    CHECK_APP = "check_app"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class Standing:
    """Why mail does not come, empty if it does, and the next step with a sentence for it."""

    cause: str
    next_step: Step
    advice: str


_ADVICE: Mapping[Step, str] = {
    Step.NONE: "",
    Step.WAIT: "Wait a moment; the mail engine is connecting.",
    Step.ENABLE: "Enable the account; mail that came meanwhile is then caught up on.",
    Step.SIGN_IN_AGAIN: "Sign in to the mailbox again.",
    Step.CHECK_SERVER: (
        "Check that the mail server is up and that its name and port are right;"
        " sign in again if they are not. The mail engine tries again by itself."
    ),
    Step.CHECK_APP: "Choose another OAuth2 application, and sign in to the mailbox again.",
    Step.RECONNECT: "Connect the mailbox again; conversations and settings stay.",
}


def standing(*, enabled: bool, state: str, last_error: str, kind: str) -> Standing:
    """Tell how an account fares; `kind` is its type."""
    step, cause = _step(enabled=enabled, state=state, orphan=kind == ORPHAN)
    said = one_line(last_error, 500)
    if said and cause and step not in (Step.ENABLE, Step.CHECK_APP):
        cause = f"{cause} It was said: {said}"
    return Standing(cause, step, _ADVICE[step])


def _step(*, enabled: bool, state: str, orphan: bool) -> tuple[Step, str]:
    if state == MISSING:
        return Step.RECONNECT, "The mail engine does not know the account any more."
    refused = state == "authenticationError"
    if not enabled and not refused:
        return Step.ENABLE, "The account is disabled."
    if orphan:
        return Step.CHECK_APP, "The OAuth2 application of the account was deleted."
    if refused:  # enabling it would not help
        return Step.SIGN_IN_AGAIN, "The mail server refuses the login."
    if state == "connectError":
        return Step.CHECK_SERVER, "The mail server cannot be reached."
    if state in FAILING:
        return Step.RECONNECT, "The mail engine has no connection to the mailbox."
    return (Step.NONE, "") if state in CONNECTED else (Step.WAIT, "")
