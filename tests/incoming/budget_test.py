"""How many SQL statements an import takes: a budget that must not grow."""

from __future__ import annotations

import pytest

from limepkg_email.engine.types import Message
from limepkg_email.incoming.pipeline import import_message
from tests.incoming.arriving import arriving
from tests.installation import Installation
from tests.statements import counted

NEW_THREAD = 14
REPLY = 12


def statements_of(installation: Installation, message: Message) -> list[str]:
    import_message(installation.services, "support", arriving())  # whatever is read only once
    with counted(installation.services.application.database) as statements:
        import_message(installation.services, "support", message)
    return statements


def test_new_thread_stays_within_its_budget(installation: Installation) -> None:
    crowd = tuple(f"user{number}@example.org" for number in range(30))
    for mail in (arriving(), arriving(cc=crowd)):
        assert len(statements_of(installation, mail)) <= NEW_THREAD


def test_reply_stays_within_its_budget(installation: Installation) -> None:
    import_message(installation.services, "support", arriving(message_id="<start@example.org>"))
    reply = arriving(in_reply_to="<start@example.org>")
    assert len(statements_of(installation, reply)) <= REPLY


@pytest.mark.parametrize("length", [2, 40])
def test_reply_costs_the_same_in_a_long_conversation(
    installation: Installation, length: int
) -> None:
    known: tuple[str, ...] = ("<start@example.org>",)
    import_message(installation.services, "support", arriving(message_id=known[0]))
    for number in range(length):
        mail = arriving(
            message_id=f"<{number}@example.org>",
            in_reply_to=known[-1],
            references=known,
            cc=(f"user{number}@example.org",),
        )
        import_message(installation.services, "support", mail)
        known = (*known, f"<{number}@example.org>")
    reply = arriving(in_reply_to=known[-1], references=known, sender="user0@example.org")
    assert len(statements_of(installation, reply)) <= REPLY
