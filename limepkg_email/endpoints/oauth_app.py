"""OAuth2 applications: with them mailboxes at Google and Microsoft sign in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.accounts import oauth_apps
from limepkg_email.accounts.oauth_apps import BASE_SCOPES, PROVIDERS, NewOAuthApp, OAuthAppEntry
from limepkg_email.accounts.oauth_removal import Outcome, Removal, plan_removal, remove
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import Flag, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import EngineError
from limepkg_email.outgoing.abandonment import give_up
from limepkg_email.services import Services

_MOST = 200

blueprint = Resource(
    "oauth_app",
    __name__,
    tag="OAuth2 Application",
    description="OAuth2 applications, with which mailboxes at Google and Microsoft sign in.",
)


def _name(**options: Any) -> fields.String:
    shown = validate.Regexp(r"[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z", error="Give a name.")
    return fields.String(validate=validate.And(validate.Length(1, 256), shown), **options)


def _word(most: int, **options: Any) -> fields.String:
    plain = validate.Regexp(r"[!-~]+\Z", error="Letters, digits and signs without spaces.")
    return fields.String(validate=validate.And(validate.Length(1, most), plain), **options)


def _base_scopes(**options: Any) -> fields.String:
    description = "`imap` for IMAP and SMTP, `api` for Gmail's API and Microsoft Graph."
    return fields.String(
        validate=validate.OneOf(BASE_SCOPES), metadata={"description": description}, **options
    )


def _authority(**options: Any) -> fields.String:
    description = "Microsoft's tenant: its id or domain, or `common`. Only for `outlook`."
    tenant = validate.Regexp(r"[A-Za-z0-9.-]*\Z", error="An id, a domain, or “common”.")
    return fields.String(
        validate=validate.And(validate.Length(max=256), tenant),
        metadata={"description": description},
        **options,
    )


def _redirect_url(**options: Any) -> fields.String:
    description = "Where the provider sends people back to; left out, EmailEngine's own address."
    return fields.String(
        validate=validate.And(
            validate.Length(max=1024), validate.URL(schemes={"http", "https"}, require_tld=False)
        ),
        metadata={"description": description},
        **options,
    )


class NewOAuthAppSchema(ma.Schema):
    """An application as it was registered with the provider."""

    name = _name(required=True)
    provider = fields.String(required=True, validate=validate.OneOf(PROVIDERS))
    client_id = _word(512, required=True)
    client_secret = _word(1024, required=True, load_only=True)
    base_scopes = _base_scopes(load_default="imap")
    authority = _authority(load_default="")
    enabled = Flag(load_default=True)
    redirect_url = _redirect_url(load_default="")

    @ma.post_load
    def _build(self, values: dict[str, Any], **_: object) -> NewOAuthApp:
        return NewOAuthApp(**values)


class OAuthAppChangeSchema(ma.Schema):
    """What is to change; what is left out stays, the secret too."""

    name = _name()
    client_id = _word(512)
    client_secret = _word(1024, load_only=True)
    base_scopes = _base_scopes()
    authority = _authority()
    enabled = Flag()
    redirect_url = _redirect_url()


class OAuthAppSchema(ma.Schema):
    """An application; its secret is never shown."""

    id = fields.Integer()
    engine_app = fields.String(metadata={"description": "Its id in EmailEngine."})
    name = fields.String()
    provider = fields.String()
    base_scopes = fields.String()
    client_id = fields.String()
    redirect_url = fields.String(
        metadata={"description": "The address that must be registered with the provider."}
    )
    authority = fields.String()
    enabled = Flag()
    has_secret = fields.Boolean(
        allow_none=True,
        metadata={"description": "Null when EmailEngine, which has the secret, cannot be asked."},
    )
    missing = fields.Boolean(metadata={"description": "EmailEngine does not know it any more."})
    accounts = fields.Integer(metadata={"description": "Our accounts that sign in with it."})
    created_at = fields.AwareDateTime()
    changed_at = fields.AwareDateTime()


class OAuthAppsQuery(ma.Schema):
    """Which page."""

    limit = limit(50, _MOST)
    offset = offset()


class OAuthAppsSchema(ma.Schema):
    """A page of applications, and what to register with the provider before making one."""

    items = fields.List(fields.Nested(OAuthAppSchema))
    total = fields.Integer()
    redirect_url = fields.String(
        allow_none=True,
        metadata={
            "description": "The address to register with the provider for a new application; null"
            " when EmailEngine cannot be asked."
        },
    )
    problem = fields.String(
        metadata={"description": "Why EmailEngine cannot be asked; empty when all is well."}
    )


class OAuthAppRemovalQuery(ma.Schema):
    """Whether to delete or only to tell."""

    dry_run = fields.Boolean(
        load_default=False,
        metadata={"description": "Only list the accounts that would go; nothing is deleted."},
    )


class GoingAccountSchema(ma.Schema):
    """An account that goes with the application."""

    id = fields.Integer(
        allow_none=True, metadata={"description": "Null for one that only EmailEngine has."}
    )
    engine_account = fields.String()
    email = fields.String()
    name = fields.String()
    outcome = fields.Enum(Outcome, by_value=True)
    reason = fields.String()


class OAuthAppRemovalSchema(ma.Schema):
    """What was deleted, or would be: first the accounts, then the application."""

    id = fields.Integer()
    name = fields.String()
    dry_run = fields.Boolean()
    deleted = fields.Boolean(metadata={"description": "The application itself is gone."})
    reason = fields.String(metadata={"description": "Why it is not."})
    left = fields.Integer(
        metadata={"description": "Accounts that came meanwhile and now have no application."}
    )
    accounts = fields.List(fields.Nested(GoingAccountSchema))


@blueprint.route("/oauth_app/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(NewOAuthAppSchema)
@blueprint.response(201, OAuthAppSchema)
def create_oauth_app(new: NewOAuthApp) -> dict[str, Any]:
    """Create an OAuth2 application.

    After an interrupted attempt the same request completes it. Answers 409 when there is one of
    this name with this client id.
    """
    return _shown(oauth_apps.create(services(), new), True)


@blueprint.route("/oauth_app/", methods=["GET"])
@requires("email.admin")
@blueprint.arguments(OAuthAppsQuery, location="query")
@blueprint.response(200, OAuthAppsSchema)
def get_oauth_apps(query: dict[str, int]) -> dict[str, Any]:
    """Give the OAuth2 applications by name, and the redirect address for a new one."""
    acting = services()
    entries, total = oauth_apps.listing(acting, **query)
    found = _ask_engine(acting)
    items = [
        _shown(each, found["secrets"].get(each.engine_app, found["other"])) for each in entries
    ]
    return {
        "items": items,
        "total": total,
        "redirect_url": found["redirect_url"],
        "problem": found["problem"],
    }


@blueprint.route("/oauth_app/<int:oauth_app_id>", methods=["PUT"])
@requires("email.admin")
@blueprint.arguments(OAuthAppChangeSchema)
@blueprint.response(200, OAuthAppSchema)
def update_oauth_app(values: dict[str, Any], oauth_app_id: int) -> dict[str, Any]:
    """Change an OAuth2 application.

    Answers 409 when EmailEngine does not know it any more, or another one has its name and client
    id.
    """
    acting = services()
    changed = oauth_apps.change(acting, oauth_app_id, values)
    found = _ask_engine(acting)
    return _shown(changed, found["secrets"].get(changed.engine_app, found["other"]))


@blueprint.route("/oauth_app/<int:oauth_app_id>", methods=["DELETE"])
@requires("email.admin")
@blueprint.arguments(OAuthAppRemovalQuery, location="query")
@blueprint.response(200, OAuthAppRemovalSchema)
def delete_oauth_app(query: dict[str, bool], oauth_app_id: int) -> dict[str, Any]:
    """Delete an OAuth2 application and the accounts that sign in with it.

    The accounts go first; one that cannot be deleted keeps the application. What they still had to
    send is shown as failed. The same request once more goes on where it stopped.
    """
    if query["dry_run"]:
        return _removal_shown(plan_removal(services(), oauth_app_id), dry_run=True)
    return _removal_shown(remove(services(), oauth_app_id, give_up), dry_run=False)


def _ask_engine(acting: Services) -> dict[str, Any]:
    """Ask what only EmailEngine knows; when it is away, what we have is shown all the same.

    `other` is what is said of the secret of an application that EmailEngine does not have.
    """
    try:
        return {
            "redirect_url": oauth_apps.redirect_url(acting),
            "secrets": oauth_apps.secrets(acting),
            "other": False,
            "problem": "",
        }
    except EngineError as error:
        return {"redirect_url": None, "secrets": {}, "other": None, "problem": error.message}


def _shown(app: OAuthAppEntry, secret: bool | None) -> dict[str, Any]:
    return {**asdict(app), "has_secret": secret}


def _removal_shown(removal: Removal, *, dry_run: bool) -> dict[str, Any]:
    return {
        "id": removal.app.id,
        "name": removal.app.name,
        "dry_run": dry_run,
        "deleted": removal.deleted,
        "reason": removal.reason,
        "left": removal.left,
        "accounts": removal.accounts,
    }
