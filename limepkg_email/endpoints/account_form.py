"""Connecting a mailbox: the link to the engine's form, the page it ends on, and taking it over."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import marshmallow as ma
from flask import Response, url_for
from marshmallow import fields, validate

from limepkg_email.accounts.connecting import connect
from limepkg_email.accounts.form import IMAP, FormLink, create_link
from limepkg_email.endpoints import account
from limepkg_email.endpoints.account import AccountSchema, SettingsInput
from limepkg_email.endpoints.current import identifier, integration, services
from limepkg_email.endpoints.fields import Flag, identity
from limepkg_email.endpoints.permissions import public, requires

blueprint = account.blueprint

_PATH = r"(?:|/(?:[^/\\\s][^\\\s]*)?)"


class FormInput(SettingsInput):
    """The mailbox that is to be connected, and the settings with which it begins."""

    email = fields.String(load_default="", validate=validate.Length(max=320))
    type = fields.String(
        load_default="",
        validate=validate.Length(max=16),
        metadata={
            "description": "`imap`, or the id of an OAuth2 application."
            " Left out: `imap`, and for `account` what it has.",
            "example": IMAP,
        },
    )
    account = identity(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "An account that signs in again; its settings stay."},
    )
    enabled = Flag(
        load_default=True, metadata={"description": "Whether a new account is enabled at once."}
    )
    back = fields.String(
        load_default="",
        validate=[validate.Length(max=500), validate.Regexp(_PATH + r"\Z")],
        metadata={"description": "The path in the CRM to which the person returns."},
    )

    @ma.validates_schema
    def _no_settings_of_known_accounts(self, values: dict[str, Any], **_: object) -> None:
        if not values["account"]:
            return
        for name in sorted(set(values) - {"account", "type", "back", "enabled"}):
            if values[name] != "":
                raise ma.ValidationError("Change it with PUT /account/{id}/.", name)


class FormLinkSchema(ma.Schema):
    """The address of the form, for a person's browser; it serves once."""

    url = fields.String()
    expires_at = fields.AwareDateTime()


class ConnectInput(ma.Schema):
    """What the form's redirect address says."""

    token = fields.String(required=True, validate=validate.Length(1, 200))
    account = fields.String(
        required=True,
        validate=validate.Length(1, 256),
        metadata={"description": "The account's id in EmailEngine."},
    )


class ConnectedSchema(ma.Schema):
    """The account as it is stored, and the path to which the person returns."""

    account = fields.Nested(AccountSchema)
    back = fields.String()


@blueprint.route("/account/form/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(FormInput)
@blueprint.response(200, FormLinkSchema)
def form_link(form: dict[str, Any]) -> FormLink:
    """Make a link to the form on which a person connects a mailbox or signs in again.

    It ends on a page of ours, which takes the account over. The link serves once, within an hour,
    and the same administrator has to end what was begun.
    """
    kind, known = form.pop("type"), form.pop("account")
    email, name = form.pop("email"), form.pop("name", "")
    return create_link(
        services(),
        redirect_url=url_for(
            f"{blueprint.name}.connected", application=identifier(), _external=True
        ),
        email=email,
        name=name,
        kind=kind or (IMAP if known is None else ""),
        choices=form,
        account=known,
    )


@blueprint.route("/account/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(ConnectInput)
@blueprint.response(201, ConnectedSchema)
def connect_account(connecting: dict[str, str]) -> dict[str, object]:
    """Take over the account that the form made or signed in again.

    The account is read from EmailEngine before anything is believed. One with a wrong password is
    stored as well and says what to do. 409 for a sign-in that was used or took too long, and for an
    address of another account: then nothing is stored, and a new account is gone in EmailEngine.
    """
    entry, back = connect(services(), connecting["token"], connecting["account"])
    return {"account": entry, "back": back}


@blueprint.route("/account/connected/")
@public(
    "The page is the same for everybody, holds no data and changes nothing: what it sends is"
    " checked like every request, and browsers may bring no cookie from the form's page to it."
)
@blueprint.doc(responses={"200": {"description": "An HTML page.", "content": {"text/html": {}}}})
def connected() -> Response:
    """Show the page on which the form ends; it sends what its address says to `POST /account/`."""
    integration().anonymous_services(identifier())
    html, policy = _page()
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@cache
def _page() -> tuple[str, str]:
    """Give the page and the policy that lets nothing run in it but its own script."""
    folder = files("limepkg_email.endpoints") / "connected"
    html, style, script = (
        (folder / name).read_text("utf-8") for name in ("page.html", "page.css", "page.js")
    )
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}';"
        " img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return html.replace("STYLE", style, 1).replace("SCRIPT", script, 1), policy


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
