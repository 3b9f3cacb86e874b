"""What a mail says, as a page and pictures at addresses of their own."""

from __future__ import annotations

from typing import Any, cast

import marshmallow as ma
from flask import Response, send_file
from marshmallow import fields, validate

from limepkg_email.endpoints.current import base_url, identifier, integration, services
from limepkg_email.endpoints.display import page, policy
from limepkg_email.endpoints.permissions import public, requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.endpoints.signed_address import check_path, signed_path
from limepkg_email.errors import NotFound
from limepkg_email.host import Application, LimeObject, Objects
from limepkg_email.incoming.files import PICTURES
from limepkg_email.query import Equals, Query
from limepkg_email.services import Services

_A_PICTURE = {"200": {"description": "A picture.", "content": {"image/*": {}}}}

blueprint = Resource("body", __name__, tag="Message", description="Messages and what they say.")


class BodyQuery(ma.Schema):
    """Which part of the mail, and whether the senders may learn that it is being read."""

    part = fields.String(load_default="visible", validate=validate.OneOf(("visible", "complete")))
    images = fields.Boolean(
        load_default=False, metadata={"description": "Load images from the web."}
    )
    theme = fields.String(
        load_default="",
        validate=validate.OneOf(("", "light", "dark")),
        metadata={"description": "That of the page around the message, if not the system's."},
    )


@blueprint.route("/message/<int:message_id>/body")
@requires("email.use")
@blueprint.doc(responses={"200": {"description": "An HTML page.", "content": {"text/html": {}}}})
@blueprint.arguments(BodyQuery, location="query")
def body(query: dict[str, Any], message_id: int) -> Response:
    """Show a message as a page that can neither run anything nor reach anybody.

    `visible` leaves out the quoted history of earlier mails.
    """
    acting = services()
    with acting.application.unit_of_work() as work:
        message = _message(work.objects, message_id, ("subject", "body", "visiblebody"))
        embedded = _embedded(acting, work.objects, message_id)
    complete, visible = str(message["body"] or ""), str(message["visiblebody"] or "")
    folded = query["part"] == "visible" and visible not in ("", complete)
    html = visible if folded else complete or visible
    subject = str(message["subject"] or "")
    images, theme = query["images"], query["theme"]
    content = page(html, subject, embedded, remote_images=images, folded=folded, theme=theme)
    response = Response(content, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy(remote_images=images)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.route("/embedded-file/<int:file_id>")
@requires("email.use")
@blueprint.doc(responses=_A_PICTURE)
def embedded_file(file_id: int) -> Response:
    """Give a picture that a message shows."""
    return _picture(services().application, file_id)


@blueprint.route("/embedded-file/<int:file_id>/<int:until>/<signature>")
@public("The address is signed, was made for who may see the message, and ends after two hours.")
@blueprint.doc(responses=_A_PICTURE)
def signed_embedded_file(file_id: int, until: int, signature: str) -> Response:
    """Give a picture to the page of the message that shows it."""
    acting = integration().services(identifier())
    check_path(acting, file_id, until, signature)
    return _picture(acting.application, file_id)


def _picture(application: Application, file_id: int) -> Response:
    with application.unit_of_work() as work:
        embedded = work.objects.get("embeddedfile", file_id)
        _message(work.objects, cast(int, embedded["conversationmessage"] or 0), ())
    stored = application.files.describe(str(embedded["file"] or ""))
    if stored.content_type not in PICTURES:
        raise NotFound("The file is no picture that can be shown.")
    response = send_file(application.files.open(stored.id), stored.content_type, etag=False)
    response.content_length = stored.size
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _message(objects: Objects, id: int, properties: tuple[str, ...]) -> LimeObject:
    found = objects.query(Query("conversationmessage", Equals("id", id), properties=properties))
    if not found:
        raise NotFound(f"There is no message {id}.")
    return found[0]


def _embedded(acting: Services, objects: Objects, message: int) -> dict[str, str]:
    of_message = Equals("conversationmessage", message)
    rows = objects.query(Query("embeddedfile", of_message, properties=("contentid",)))
    address = base_url() + "/embedded-file/"
    return {str(each["contentid"] or ""): address + signed_path(acting, each.id) for each in rows}
