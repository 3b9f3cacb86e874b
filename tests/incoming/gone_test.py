"""Mails about a conversation that somebody has deleted."""

from __future__ import annotations

from limepkg_email.incoming.pipeline import import_message
from limepkg_email.models import Disposition
from limepkg_email.thread_index import enter_outgoing
from tests.incoming.arriving import arriving
from tests.installation import Installation

GONE = 4711
"""A conversation that is not there; its number is not given again by chance."""


def test_answers_to_a_deleted_conversation_begin_one_new_conversation(
    installation: Installation,
) -> None:
    with installation.services.application.database.begin() as connection:
        enter_outgoing(connection, ["<ours@example.com>"], GONE)
    for _ in range(3):
        mail = arriving("Re: Booking", in_reply_to="<ours@example.com>")
        outcome = import_message(installation.services, "support", mail)
        assert outcome.disposition is Disposition.IMPORTED
    assert len(installation.all("conversation")) == 1
    assert len(installation.all("conversationmessage")) == 3
