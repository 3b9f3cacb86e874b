"""Connected mailboxes: how they fare, their settings, disabling and deleting them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from limepkg_email.accounts import removal_run
from limepkg_email.accounts.listing import (
    AccountEntry,
    list_accounts,
    read_entry,
    sending_accounts,
)
from limepkg_email.accounts.preview import ActivationPreview, preview
from limepkg_email.accounts.removal import remove
from limepkg_email.accounts.settings import MOST_ALIASES, MOST_USERS
from limepkg_email.accounts.standing import Step
from limepkg_email.accounts.switching import switch
from limepkg_email.accounts.updating import update_account
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import Flag, identity, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.abandonment import give_up

MOST_TOGETHER = 100
"""Accounts that one call can enable or disable: each takes calls of the engine."""
MOST_DELETED = 1000
"""Accounts that one call can delete."""
DELETED_AT_ONCE = 5
"""Accounts that are deleted within the request; more of them become a task."""

blueprint = Resource("account", __name__, tag="Account", description="Connected mailboxes.")


def _template() -> fields.Integer:
    return identity(allow_none=True, strict=True)


class SettingsInput(ma.Schema):
    """Settings of an account; what is left out stays as it is."""

    name = fields.String(validate=validate.Length(max=256))
    aliases = fields.List(
        fields.String(validate=validate.Length(max=320)),
        validate=validate.Length(max=MOST_ALIASES),
        metadata={"description": "Further addresses of the mailbox."},
    )
    users = fields.List(
        identity(strict=True),
        validate=validate.Length(max=MOST_USERS),
        metadata={"description": "Ids of users who may see it and send from it."},
    )
    parent_limetype = fields.String(
        validate=validate.Length(max=64),
        metadata={"description": "On what new conversations hang; empty for the first one."},
    )
    time_zone = fields.String(
        validate=validate.Length(max=64), metadata={"example": "Europe/Stockholm"}
    )
    language = fields.String(validate=validate.Length(max=16), metadata={"example": "en"})
    message_template = _template()
    autoreply_template = _template()
    relay_template = _template()
    relay = Flag(metadata={"description": "Send a follower's answer on to the others."})
    create_persons = Flag()
    import_unread = Flag(
        metadata={"description": "Import unread mail from before the account was connected."}
    )
    signature = fields.String(metadata={"description": "HTML."})


class AccountQuery(ma.Schema):
    """Which accounts; `query` looks in id, address, name and aliases."""

    query = fields.String(load_default="", validate=validate.Length(max=320))
    state = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"description": "One of EmailEngine's, or `disabled`."},
    )
    limit = limit(50, 1000)
    offset = offset()


class AccountSchema(ma.Schema):
    """An account, how it fares, its settings, and when each step last went well."""

    id = fields.Integer()
    engine_account = fields.String(metadata={"description": "Its id in EmailEngine."})
    email = fields.String()
    name = fields.String()
    aliases = fields.List(fields.String())
    type = fields.String(metadata={"description": "`imap`, `gmail`, `outlook`…"})
    oauth_app = fields.String(
        metadata={"description": "Id of its OAuth2 application in EmailEngine, or empty."}
    )
    enabled = fields.Boolean()
    state = fields.String(
        metadata={"description": "EmailEngine's word, or `missing` if it does not know it."}
    )
    state_at = fields.AwareDateTime(allow_none=True)
    cause = fields.String(
        attribute="standing.cause",
        metadata={"description": "Why mail does not come, in words; empty if it does."},
    )
    next_step = fields.String(
        attribute="standing.next_step",
        validate=validate.OneOf([each.value for each in Step]),
        metadata={"description": "What a person can do about it."},
    )
    advice = fields.String(
        attribute="standing.advice", metadata={"description": "The next step as a sentence."}
    )
    users = fields.List(fields.Integer())
    parent_limetype = fields.String()
    time_zone = fields.String()
    language = fields.String()
    message_template = fields.Integer(allow_none=True)
    autoreply_template = fields.Integer(allow_none=True)
    relay_template = fields.Integer(allow_none=True)
    relay = fields.Boolean()
    create_persons = Flag()
    import_unread = Flag()
    activated_at = fields.AwareDateTime()
    signature = fields.String()
    last_seen = fields.AwareDateTime(
        allow_none=True,
        metadata={"description": "When a mail was looked at last, whatever became of it."},
    )
    last_imported = fields.AwareDateTime(allow_none=True)
    last_sent = fields.AwareDateTime(allow_none=True)
    last_recovery = fields.AwareDateTime(allow_none=True)
    recovery_error = fields.String(
        metadata={"description": "What kept the last recovery from its end, or empty."}
    )


class AccountPageSchema(ma.Schema):
    """A page of accounts by name, and how many there are in all."""

    items = fields.List(fields.Nested(AccountSchema))
    total = fields.Integer()


class SendingAccountSchema(ma.Schema):
    """An account from which the user may send."""

    id = fields.Integer()
    engine_account = fields.String()
    email = fields.String()
    name = fields.String()
    signature = fields.String()
    message_template = fields.Integer(allow_none=True)
    language = fields.String()
    time_zone = fields.String()


class SendingAccountPageSchema(ma.Schema):
    """The accounts from which the user may send, by name."""

    items = fields.List(fields.Nested(SendingAccountSchema))
    total = fields.Integer()


class PageQuery(ma.Schema):
    """Which part of the list."""

    limit = limit(200, 1000)
    offset = offset()


class PeopleQuery(PageQuery):
    """Which users; `query` looks in name and address."""

    query = fields.String(load_default="", validate=validate.Length(max=320))


class PersonSchema(ma.Schema):
    """A user of the CRM."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String()


class PeopleSchema(ma.Schema):
    """A page of users by name, and how many there are in all."""

    items = fields.List(fields.Nested(PersonSchema))
    total = fields.Integer()


class AccountsInput(ma.Schema):
    """The accounts that are meant."""

    accounts = fields.List(
        identity(strict=True), required=True, validate=validate.Length(1, MOST_TOGETHER)
    )


class DeletionInput(ma.Schema):
    """The accounts that are to be deleted."""

    accounts = fields.List(
        identity(strict=True), required=True, validate=validate.Length(1, MOST_DELETED)
    )


class DeletionStartedSchema(ma.Schema):
    """The task that does it; `GET /task/{task_id}/` tells how far it is."""

    id = fields.String()
    status = fields.String()


class SwitchInput(AccountsInput):
    """The accounts that are to be enabled or disabled."""

    enabled = Flag(required=True)


class OutcomeSchema(ma.Schema):
    """What became of one account, and why if it failed."""

    id = fields.Integer()
    outcome = fields.String(validate=validate.OneOf(["changed", "deleted", "unchanged", "failed"]))
    reason = fields.String()


class OutcomesSchema(ma.Schema):
    """What became of each account, in their order."""

    items = fields.List(fields.Nested(OutcomeSchema))
    total = fields.Integer()


class PreviewSchema(ma.Schema):
    """Unread mail from before the account was connected."""

    unread = fields.Integer(
        metadata={"description": "Mails in the inbox that `import_unread` lets in."}
    )
    exact = fields.Boolean(
        metadata={"description": "False if there is so much new unread mail that it may be fewer."}
    )
    import_unread = Flag()
    activated_at = fields.AwareDateTime()


@blueprint.route("/account/", methods=["GET"])
@requires("email.admin")
@blueprint.arguments(AccountQuery, location="query")
@blueprint.response(200, AccountPageSchema)
def accounts(query: dict[str, Any]) -> dict[str, object]:
    """Give the connected mailboxes by name, with what is wrong and what to do about it."""
    found, total = list_accounts(services(), **query)
    return {"items": found, "total": total}


@blueprint.route("/user/account/")
@requires("email.use", "email.admin")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, SendingAccountPageSchema)
def own_accounts(query: dict[str, int]) -> dict[str, object]:
    """Give the enabled accounts from which the acting user may send, by name."""
    return _page(sending_accounts(services()), query)


@blueprint.route("/users/")
@requires("email.admin")
@blueprint.arguments(PeopleQuery, location="query")
@blueprint.response(200, PeopleSchema)
def people(query: dict[str, Any]) -> dict[str, object]:
    """Give the users to whom an account can be assigned, by name."""
    wanted = query["query"].lower()
    everybody = services().application.people()
    found = [each for each in everybody if wanted in f"{each.name}\n{each.email}".lower()]
    return _page(found, query)


@blueprint.route("/account/<int:account_id>/", methods=["GET"])
@requires("email.admin")
@blueprint.response(200, AccountSchema)
def account(account_id: int) -> AccountEntry:
    """Give one account."""
    with services().application.database.connect() as connection:
        return read_entry(connection, account_id)


@blueprint.route("/account/<int:account_id>/", methods=["PUT"])
@requires("email.admin")
@blueprint.arguments(SettingsInput)
@blueprint.response(200, AccountSchema)
def change_account(settings: dict[str, Any], account_id: int) -> AccountEntry:
    """Change some settings of an account; what is left out stays. Gives the account."""
    return update_account(services(), account_id, settings)


@blueprint.route("/account/<int:account_id>/preview/")
@requires("email.admin")
@blueprint.response(200, PreviewSchema)
def activation_preview(account_id: int) -> ActivationPreview:
    """Count the unread mails from before the account was connected, which could be imported."""
    return preview(services(), account_id)


@blueprint.route("/account/", methods=["PUT"])
@requires("email.admin")
@blueprint.arguments(SwitchInput)
@blueprint.response(200, OutcomesSchema)
def switch_accounts(switching: dict[str, Any]) -> dict[str, object]:
    """Enable or disable accounts; `changed`, `unchanged` or `failed` for each of them.

    A disabled account sends nothing and imports nothing; EmailEngine stops receiving where it can.
    Enabling starts a recovery, which imports what came meanwhile.
    """
    done = switch(services(), switching["accounts"], enabled=switching["enabled"])
    return {"items": done, "total": len(done)}


@blueprint.route("/account/", methods=["DELETE"])
@requires("email.admin")
@blueprint.arguments(DeletionInput)
@blueprint.doc(
    responses={
        "202": {
            "description": f"The task, for more than {DELETED_AT_ONCE} accounts.",
            "content": {"application/json": {"schema": DeletionStartedSchema}},
        }
    }
)
@blueprint.response(200, OutcomesSchema)
def delete_accounts(deleting: dict[str, list[int]]) -> dict[str, object] | Response:
    """Delete accounts, in EmailEngine too; `deleted`, `unchanged` or `failed` for each of them.

    Conversations stay. What an account still had to send is shown as failed. Send it as
    `application/json`. For more than five accounts it answers 202 with a task, whose `result` has
    the form of the answer otherwise.
    """
    accounts = list(dict.fromkeys(deleting["accounts"]))
    if len(accounts) > DELETED_AT_ONCE:
        run = removal_run.start(services(), accounts)
        started = jsonify(DeletionStartedSchema().dump({"id": run.guid, "status": run.state.value}))
        started.status_code = 202
        return started
    done = remove(services(), accounts, give_up)
    return {"items": done, "total": len(done)}


def _page(found: list[Any], query: dict[str, Any]) -> dict[str, object]:
    first = query["offset"]
    return {"items": found[first : first + query["limit"]], "total": len(found)}
