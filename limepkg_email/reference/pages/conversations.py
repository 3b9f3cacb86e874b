"""Conversations for the ticket page's script to offer, where a message is to go somewhere else."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, jsonify

from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import TICKET, ConversationLine, Mail
from limepkg_email.reference.pages.visit import Site, asked_number, asked_text, names_of

_MOST = 20


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the address of conversations."""

    @pages.get("/<application>/conversations")
    def conversations(application: str) -> Response:
        """Give conversations by subject or id as JSON, the latest first."""
        visited = site.visit(application)
        mail = site.mail(visited)
        found = _found(visited, mail) if mail else []
        with visited.unit_of_work() as work:
            titles = names_of(work.objects, TICKET, [each.ticket for each in found])
        response = jsonify(items=[_line(each, titles) for each in found])
        response.headers["Cache-Control"] = "no-store"
        return response


def _found(visited: ReferenceApplication, mail: Mail) -> Sequence[ConversationLine]:
    return mail.find(visited, asked_text("q"), _MOST, asked_number("id") or None)


def _line(found: ConversationLine, titles: dict[object, str]) -> dict[str, object]:
    return {
        "id": found.id,
        "subject": found.subject,
        "ticket": found.ticket,
        "title": titles.get(found.ticket, ""),
        "who": found.who,
        "messages": found.messages,
        "last": found.last.isoformat() if found.last else None,
    }
