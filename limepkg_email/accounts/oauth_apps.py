"""The OAuth2 applications with which mailboxes sign in at Google and Microsoft.

EmailEngine has them and alone keeps their secrets; our table repeats the rest, so that they can be
shown and referred to. Everything is done in EmailEngine first: what a crash leaves behind is
completed by the same call once more, or by the sync.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, and_, func, select, update

from limepkg_email import audit
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.db import table, upsert
from limepkg_email.engine.oauth2 import EngineOAuthApp
from limepkg_email.errors import (
    Conflict,
    EngineError,
    EngineNotFound,
    EngineRejected,
    InvalidInput,
    NotFound,
)
from limepkg_email.models import OAuthApp
from limepkg_email.services import Services
from limepkg_email.tasks import leases

PROVIDERS: Final = ("gmail", "outlook")
"""The providers for which an application can be made; a sync may bring others."""
BASE_SCOPES: Final = ("imap", "api")
OAUTH_APPS: Final = table(OAuthApp)
SUBJECT: Final = "oauth_app"
"""What the audit calls an application."""

_LEASE: Final = "oauth_app:create"
_LEASE_DURATION: Final = timedelta(minutes=2)
_ENGINE_NAMES: Final = {
    "name": "name",
    "provider": "provider",
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "base_scopes": "baseScopes",
    "authority": "authority",
    "enabled": "enabled",
    "redirect_url": "redirectUrl",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOAuthApp:
    """An application to make; `authority` is Microsoft's tenant, or `common`, and only theirs.

    Without `redirect_url` it gets the one of `redirect_url()`.
    """

    name: str
    provider: str
    client_id: str
    client_secret: str = field(repr=False)
    base_scopes: str = "imap"
    authority: str = ""
    enabled: bool = True
    redirect_url: str = ""


@dataclass(frozen=True, slots=True)
class OAuthAppEntry:
    """An application as it is read; what its fields mean stands at `models.OAuthApp`.

    `accounts` counts our accounts that use it.
    """

    id: int
    engine_app: str
    name: str
    provider: str
    base_scopes: str
    client_id: str
    authority: str
    redirect_url: str
    enabled: bool
    missing: bool
    created_at: datetime
    changed_at: datetime
    accounts: int


_COLUMNS = tuple(
    OAUTH_APPS.c[each.name] for each in fields(OAuthAppEntry) if each.name != "accounts"
)
_USING = (
    select(func.count())
    .where(ACCOUNTS.c.oauth_app == OAUTH_APPS.c.engine_app)
    .correlate(OAUTH_APPS)
    .scalar_subquery()
    .label("accounts")
)
_ENTRY = select(*_COLUMNS, _USING)


def redirect_url(services: Services) -> str:
    """Give the address that has to be registered with the provider before an application is made.

    EmailEngine answers there, below the address under which browsers reach it (`serviceUrl`).
    """
    base = services.engine.settings_get("serviceUrl").get("serviceUrl")
    return f"{str(base or services.config.emailengine_url).rstrip('/')}/oauth"


def secrets(services: Services) -> dict[str, bool]:
    """Tell of each application that EmailEngine has, by its id there, whether it has a secret."""
    return {each.id: each.has_secret for each in services.engine.oauth2.all()}


def listing(
    services: Services, *, limit: int = 50, offset: int = 0
) -> tuple[list[OAuthAppEntry], int]:
    """Give a page of applications by name, and how many there are in all; two statements."""
    page = _ENTRY.order_by(OAUTH_APPS.c.name, OAUTH_APPS.c.id).limit(limit).offset(offset)
    with services.application.database.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(OAUTH_APPS)) or 0
        return [OAuthAppEntry(**row) for row in connection.execute(page).mappings()], total


def read(services: Services, id: int) -> OAuthAppEntry:
    """Give one application; raises `NotFound`."""
    with services.application.database.connect() as connection:
        return find(connection, id)


def find(connection: Connection, id: int) -> OAuthAppEntry:
    """Give one application through a connection at hand; raises `NotFound`."""
    row = connection.execute(_ENTRY.where(OAUTH_APPS.c.id == id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no OAuth2 application {id}.")
    return OAuthAppEntry(**row)


def create(services: Services, new: NewOAuthApp) -> OAuthAppEntry:
    """Make an application in EmailEngine and note it here.

    One of the same name, provider and client id that EmailEngine has and we do not is taken over:
    that is what an interrupted call leaves behind. Raises `InvalidInput`, and `Conflict` when we
    have one of that name and client id.
    """
    _check_authority(new.provider, new.authority)
    values = {each.name: getattr(new, each.name) for each in fields(new)}
    values["redirect_url"] = new.redirect_url or redirect_url(services)
    with _alone(services):
        _check_unlike_others(services, new.name, new.client_id)
        engine_app = _make(services, values)
        with services.application.database.begin() as connection:
            id = _store(connection, engine_app, values, services.clock())
            audit.record(connection, services, "oauth_app.create", SUBJECT, id, after=values)
    return read(services, id)


def change(services: Services, id: int, values: Mapping[str, Any]) -> OAuthAppEntry:
    """Change what is given; `values` are fields of `NewOAuthApp` but for `provider`.

    A secret that is left out stays. Raises `NotFound`, `InvalidInput`, and `Conflict` when another
    one has that name and client id or EmailEngine does not know the application any more.
    """
    if not values:
        return read(services, id)
    present = read(services, id)
    if "authority" in values:
        _check_authority(present.provider, values["authority"])
    if {"name", "client_id"} & set(values):
        name, client_id = (values.get(each, getattr(present, each)) for each in _IDENTITY)
        _check_unlike_others(services, name, client_id, but=id)
    _change_in_engine(services, present, values)
    _note_change(services, present, values)
    return read(services, id)


_IDENTITY: Final = ("name", "client_id")


def _note_change(services: Services, present: OAuthAppEntry, values: Mapping[str, Any]) -> None:
    kept = {name: value for name, value in values.items() if name != "client_secret"}
    before = {name: getattr(present, name) for name in kept}
    if "client_secret" in values:
        # Nobody knows the former one: that it was set counts as a change.
        before["client_secret"] = ""
    with services.application.database.begin() as connection:
        connection.execute(
            update(OAUTH_APPS)
            .where(OAUTH_APPS.c.id == present.id)
            .values(**kept, missing=False, changed_at=services.clock())
        )
        audit.record(
            connection,
            services,
            "oauth_app.update",
            SUBJECT,
            present.id,
            before=before,
            after=values,
        )


def _change_in_engine(
    services: Services, present: OAuthAppEntry, values: Mapping[str, Any]
) -> None:
    try:
        with _field_names():
            services.engine.oauth2.update(present.engine_app, _for_engine(values))
    except EngineNotFound as error:
        with services.application.database.begin() as connection:
            gone = OAUTH_APPS.c.engine_app == present.engine_app
            connection.execute(update(OAUTH_APPS).where(gone).values(missing=True))
        raise Conflict(
            f"EmailEngine does not know {present.name} any more. Run the sync, which finds it again"
            " if it was made anew there, or delete it."
        ) from error


def _make(services: Services, values: Mapping[str, Any]) -> str:
    for each in services.engine.oauth2.all():
        if all(getattr(each, name) == values[name] for name in (*_IDENTITY, "provider")):
            return _take_over(services, each, values)
    with _field_names():
        made = services.engine.oauth2.create(_for_engine(values))
    if not made:
        raise EngineError("EmailEngine made the OAuth2 application without telling its id.")
    return made


def _take_over(services: Services, app: EngineOAuthApp, values: Mapping[str, Any]) -> str:
    changing = {name: value for name, value in values.items() if name != "provider"}
    with _field_names():
        services.engine.oauth2.update(app.id, _for_engine(changing))
    return app.id


def _store(
    connection: Connection, engine_app: str, values: Mapping[str, Any], now: datetime
) -> int:
    kept = {name: value for name, value in values.items() if name != "client_secret"}
    row = {**kept, "engine_app": engine_app, "missing": False, "changed_at": now}
    # A sync at the same time may have found it already.
    stored = upsert(connection, OAUTH_APPS).values(**row, created_at=now)
    statement = stored.on_conflict_do_update(index_elements=["engine_app"], set_=row)
    id: int = connection.execute(statement.returning(OAUTH_APPS.c.id)).scalar_one()
    return id


def _check_authority(provider: str, authority: str) -> None:
    if provider == "outlook" and not authority:
        sentence = "Give the tenant's id or domain, or “common” for accounts of any tenant."
        raise InvalidInput(sentence, errors={"authority": [sentence]})
    if provider != "outlook" and authority:
        sentence = "Only Microsoft has tenants; leave it empty."
        raise InvalidInput(sentence, errors={"authority": [sentence]})


def _check_unlike_others(services: Services, name: str, client_id: str, but: int = 0) -> None:
    # The two together are how a sync recognises an application that has another id in EmailEngine.
    alike = and_(
        OAUTH_APPS.c.name == name, OAUTH_APPS.c.client_id == client_id, OAUTH_APPS.c.id != but
    )
    with services.application.database.connect() as connection:
        if connection.scalar(select(OAUTH_APPS.c.id).where(alike).limit(1)) is None:
            return
    sentence = "There is an OAuth2 application of this name with this client id already."
    raise Conflict(sentence, errors={"name": [sentence]})


def _for_engine(values: Mapping[str, Any]) -> dict[str, Any]:
    # Refused by EmailEngine where it is empty.
    given = {name: value for name, value in values.items() if value != ""}
    return {_ENGINE_NAMES[name]: value for name, value in given.items()}


@contextmanager
def _field_names() -> Iterator[None]:
    """Say what EmailEngine refuses in the names of our fields."""
    ours = {engine: name for name, engine in _ENGINE_NAMES.items()}
    try:
        yield
    except EngineRejected as error:
        named = {ours.get(name, name): found for name, found in error.errors.items()}
        raise InvalidInput(error.message, errors=named) from error


@contextmanager
def _alone(services: Services) -> Iterator[None]:
    """Let one call at a time make an application: two would each make one in EmailEngine."""
    holder, database = str(uuid4()), services.application.database
    with database.begin() as connection:
        now = services.clock()
        if not leases.acquire(connection, _LEASE, holder, now, _LEASE_DURATION):
            raise Conflict("An OAuth2 application is being made already; try again in a moment.")
    try:
        yield
    finally:
        with database.begin() as connection:
            leases.release(connection, _LEASE, holder)
