"""A form with a text that cannot be taken, because the session is over, comes back with it."""

from __future__ import annotations

from flask import Response, make_response, request

from limepkg_email.errors import EmailIntegrationError
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.pages.visit import render
from limepkg_email.reference.sign_in import TOKEN_FIELD, is_from_here

_SHOWN = {"recipients": "Mail to", "subject": "Title or subject", "text": "Text"}
"""What somebody typed, with its label; everything else goes along unseen."""


def holds_text() -> bool:
    """Tell whether the request is a form of ours in which somebody has written."""
    return request.method == "POST" and is_from_here() and bool(request.form.get("text"))


def give_back(visitor: ReferenceApplication | None, error: EmailIntegrationError) -> Response:
    """Answer with the form as it was sent; it can be sent again by whoever is signed in."""
    unseen = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _SHOWN and name != TOKEN_FIELD
    ]
    page = render(
        "kept.html",
        visitor,
        shown=[(each, text, request.form.get(each, "")) for each, text in _SHOWN.items()],
        unseen=unseen,
        files=any(each.filename for each in request.files.getlist("files")),
    )
    return make_response(page, error.status)
