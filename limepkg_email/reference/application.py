"""One application of the CRM: its data, seen as one acting user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, inspect, select

from limepkg_email.clock import Clock
from limepkg_email.reference import tables
from limepkg_email.reference.access import NOBODY, ROLES, ReferenceUser
from limepkg_email.reference.database import Database
from limepkg_email.reference.ddl import limetype_tables
from limepkg_email.reference.definitions import builtin, to_json
from limepkg_email.reference.files import ReferenceFiles
from limepkg_email.reference.limetypes import ReferenceLimetypes
from limepkg_email.reference.options import ReferenceApplicationOptions
from limepkg_email.reference.schema import SchemaCache
from limepkg_email.reference.settings import ReferenceSettings
from limepkg_email.reference.users import Users
from limepkg_email.reference.work import ReferenceUnitOfWork


@dataclass(frozen=True, slots=True)
class Notification:
    """Something that a user was told, and the page that it leads to."""

    text: str
    url: str
    created_at: datetime


class Tenant:
    """What all users of one application share in this process."""

    def __init__(self, identifier: str, options: ReferenceApplicationOptions, clock: Clock) -> None:
        self.identifier = identifier
        self.options = options
        self.clock = clock
        self.database = self._open(options.database_url)
        separate = options.separate_plugin_database
        self.plugin_database = self.database if separate is None else self._open(separate)
        self.cache = SchemaCache(self.database, clock)
        self.users = Users(self.database, clock, options.password_method)

    def create_database(self) -> bool:
        """Create the CRM's tables, limetypes and roles; tells whether they were missing."""
        with self.database.engine.begin() as connection:
            if inspect(connection).has_table(tables.schema_version.name):
                # Databases of earlier versions lack this one.
                tables.notification.create(connection, checkfirst=True)
                return False
            tables.metadata.create_all(connection)
            found = builtin()
            limetype_tables(found).create_all(connection)
            rows = [{"name": each.name, "definition": to_json(each)} for each in found]
            connection.execute(insert(tables.limetype), rows)
            connection.execute(insert(tables.role), [role.row() for role in ROLES])
            connection.execute(insert(tables.schema_version), {"id": 1, "version": 1})
        return True

    def _open(self, url: str) -> Database:
        options = self.options
        return Database(url, pool_size=options.pool_size, pool_timeout=options.pool_timeout)

    def dispose(self) -> None:
        """Close all connections to the databases."""
        self.database.dispose()
        self.plugin_database.dispose()


class ReferenceApplication:
    """One application with one acting user; it is cheap to make and never changes."""

    __slots__ = ("_tenant", "_user")

    def __init__(self, tenant: Tenant, user: ReferenceUser = NOBODY) -> None:
        self._tenant = tenant
        self._user = user

    @property
    def identifier(self) -> str:
        """The application's name as it stands in URLs."""
        return self._tenant.identifier

    @property
    def language(self) -> str:
        """The acting user's language, or the application's."""
        return self._user.language or self._tenant.options.language

    @property
    def user(self) -> ReferenceUser:
        """The acting user."""
        return self._user

    @property
    def config(self) -> Mapping[str, object]:
        """Environment values set by whoever deploys."""
        return self._tenant.options.config

    @property
    def secrets(self) -> Mapping[str, str]:
        """Environment secrets; never stored in the database."""
        return self._tenant.options.secrets

    @property
    def settings(self) -> ReferenceSettings:
        """Values an administrator edits."""
        return ReferenceSettings(self._tenant.database)

    @property
    def limetypes(self) -> ReferenceLimetypes:
        """The data model."""
        return ReferenceLimetypes(self._tenant.database, self._tenant.cache)

    @property
    def files(self) -> ReferenceFiles:
        """The file store."""
        tenant = self._tenant
        directory = tenant.options.files_directory
        return ReferenceFiles(tenant.database, tenant.cache, directory, tenant.clock)

    @property
    def database(self) -> Engine:
        """The database for the package's own tables."""
        return self._tenant.plugin_database.engine

    @property
    def users(self) -> Users:
        """The people, system users and API keys of the application."""
        return self._tenant.users

    def people(self) -> list[ReferenceUser]:
        """Give the people who can sign in, by name."""
        return self._tenant.users.people()

    def unit_of_work(self) -> ReferenceUnitOfWork:
        """Begin a transaction as the acting user."""
        tenant = self._tenant
        return ReferenceUnitOfWork(
            tenant.database,
            tenant.cache,
            self._user.access,
            shared=tenant.plugin_database is tenant.database,
        )

    def as_user(self, name: str) -> ReferenceApplication:
        """The same application with another acting user, by login; raises `NotFound`."""
        return ReferenceApplication(self._tenant, self._tenant.users.find(name))

    def acting_as(self, user: ReferenceUser) -> ReferenceApplication:
        """The same application with a user that was found already."""
        return ReferenceApplication(self._tenant, user)

    def ensure_system_user(self, name: str) -> None:
        """Create the system user, with `email.admin`, if it is missing."""
        self._tenant.users.ensure_system_user(name)

    def object_url(self, limetype: str, id: int) -> str:
        """Give the address of the page that shows the object to a person."""
        return f"{self._tenant.options.base_url}/{self.identifier}/{limetype}/{id}/"

    def notify(self, user: int, text: str, url: str) -> None:
        """Note for the user a sentence that leads to a page."""
        row = {"user": user, "text": text, "url": url, "created_at": self._tenant.clock()}
        with self._tenant.database.engine.begin() as connection:
            connection.execute(insert(tables.notification), row)

    def notifications(self, user: int) -> list[Notification]:
        """Give what the user was told, newest first."""
        noted = tables.notification.c
        chosen = select(noted.text, noted.url, noted.created_at).where(noted.user == user)
        with self._tenant.database.engine.connect() as connection:
            rows = connection.execute(chosen.order_by(noted.id.desc()))
            return [Notification(*row) for row in rows]

    def create_database(self) -> bool:
        """Create the CRM's tables, limetypes and roles; tells whether they were missing."""
        return self._tenant.create_database()
