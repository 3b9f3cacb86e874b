"""Whether this process can do its work, and whether EmailEngine does its own."""

from __future__ import annotations

import marshmallow as ma
from sqlalchemy import select, text

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.standing import FAILING
from limepkg_email.endpoints.current import identifier, integration, services
from limepkg_email.endpoints.permissions import public, requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import EngineUnavailable
from limepkg_email.services import Services

blueprint = Resource("health", __name__, tag="Health", description="Whether this process works.")


class HealthSchema(ma.Schema):
    """The state of the process; an answer at all means that all is well."""

    status = ma.fields.String(required=True, validate=ma.validate.Equal("ok"))


class EngineHealthSchema(ma.Schema):
    """The state of EmailEngine; `account` is the mailbox that it was asked to look into."""

    status = ma.fields.String(required=True, validate=ma.validate.Equal("ok"))
    account = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null if none is connected."}
    )


@blueprint.route("/health")
@public("Whatever watches over the process has no user, and learns nothing but that it works.")
@blueprint.response(200, HealthSchema)
def health() -> dict[str, str]:
    """Tell that the application exists and that its database can be reached."""
    services = integration().anonymous_services(identifier())
    with services.application.database.connect() as connection:
        connection.execute(text("SELECT 1"))
    return {"status": "ok"}


@blueprint.route("/health/engine")
@requires("email.admin")
@blueprint.response(200, EngineHealthSchema)
def engine_health() -> dict[str, object]:
    """Tell that EmailEngine works, not only that it answers; 503 says why it does not.

    Its licence must not be suspended, and one of its workers must look into a mailbox.
    """
    return {"status": "ok", "account": check_engine(services())}


def check_engine(acting: Services) -> int | None:
    """Have the engine do something that needs a worker, and give the account that it did it for.

    An engine whose licence is suspended goes on answering, with all workers stopped. Raises
    `EngineUnavailable` and the engine's other errors.
    """
    if acting.engine.license().suspended:
        raise EngineUnavailable(
            "EmailEngine's licence is suspended: it does no work until renewed."
        )
    # One with a wrong password says nothing about the engine.
    usable = ACCOUNTS.c.enabled & ACCOUNTS.c.state.not_in(FAILING)
    chosen = select(ACCOUNTS.c.id, ACCOUNTS.c.engine_account).where(usable)
    with acting.application.database.connect() as connection:
        account = connection.execute(chosen.order_by(ACCOUNTS.c.id).limit(1)).one_or_none()
    if account is None:
        return None
    acting.engine.touch_inbox(account.engine_account)
    return int(account.id)
