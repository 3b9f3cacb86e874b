"""The CRM's users: people, system users and API keys."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from limepkg_email.clock import Clock
from limepkg_email.errors import Conflict, InvalidInput, NotFound
from limepkg_email.reference import tables
from limepkg_email.reference.access import Access, ReferenceUser, Role
from limepkg_email.reference.database import Database
from limepkg_email.reference.values import text

_SHORTEST_PASSWORD = 8


class Users:
    """The users of one application; whoever can reach this object may do everything with them."""

    __slots__ = ("_clock", "_database", "_password_method")

    def __init__(self, database: Database, clock: Clock, password_method: str) -> None:
        self._database = database
        self._clock = clock
        self._password_method = password_method

    def add(
        self,
        login: str,
        *,
        name: str = "",
        email: str = "",
        password: str | None = None,
        role: str = "agent",
        language: str | None = None,
        grants: Iterable[str] = (),
        is_system: bool = False,
    ) -> int:
        """Add a user and give its id; without a password nobody can sign in as the user.

        `grants` are permissions of this user alone, such as `email.send_as:support`. Raises
        `Conflict` when the login is taken.
        """
        row = {
            "login": _checked("login", login),
            "name": _checked("name", name or login),
            "email": _checked("email", email),
            "password_hash": None if password is None else self._hash(password),
            "role": role,
            "language": language,
            "grants": json.dumps(sorted(grants)),
            "active": True,
            "is_system": is_system,
        }
        return self._insert(row)

    def add_role(self, role: Role) -> None:
        """Add a role; raises `Conflict` when there is one of that name."""
        try:
            with self._database.engine.begin() as connection:
                connection.execute(insert(tables.role), role.row())
        except IntegrityError as error:
            raise Conflict(f"there is a role {role.name!r} already") from error

    def find(self, login: str) -> ReferenceUser:
        """Give the active user with this login; raises `NotFound`."""
        found = self._read(_BY_LOGIN, login)
        if found is None:
            raise NotFound(f"there is no user {login!r}")
        return found

    def by_id(self, id_: int) -> ReferenceUser | None:
        """Give the active user with this number."""
        return self._read(_BY_ID, id_)

    def by_api_key(self, key: str) -> ReferenceUser | None:
        """Give the active user to whom the key belongs."""
        return self._read(_BY_API_KEY, _digest(key))

    def by_password(self, login: str, password: str) -> ReferenceUser | None:
        """Give the user if the password is right; takes as long for logins that do not exist."""
        columns = tables.user.c
        statement = select(columns.password_hash).where(columns.login == login, columns.active)
        with self._database.reader.connect() as connection:
            stored = connection.execute(statement).scalar()
        if not stored:
            # One hash, as a login that exists costs: the time must not tell which ones do.
            generate_password_hash(password, self._password_method)
            return None
        return self.find(login) if check_password_hash(stored, password) else None

    def by_session(self, id_: int, stamp: str) -> ReferenceUser | None:
        """Give the active user of a session that was begun with the present password."""
        found = self.by_id(id_)
        right = found is not None and secrets.compare_digest(found.stamp, stamp)
        return found if right else None

    def people(self) -> list[ReferenceUser]:
        """Give the active users but for the system users, by name."""
        with self._database.reader.connect() as connection:
            found = [_user(row) for row in connection.execute(_PEOPLE)]
        # Here, because databases order names in ways of their own.
        return sorted(found, key=lambda each: (each.name.lower(), each.id))

    def set_password(self, login: str, password: str) -> None:
        """Give the user a new password; ends its sessions."""
        self._change(login, password_hash=self._hash(password))

    def set_grants(self, login: str, grants: Iterable[str]) -> None:
        """Replace the permissions that the user has beyond its role."""
        self._change(login, grants=json.dumps(sorted(grants)))

    def deactivate(self, login: str) -> None:
        """Keep the user out; its name stays on what it did."""
        self._change(login, active=False)

    def add_api_key(self, login: str, label: str = "") -> str:
        """Make a key for the header `x-api-key`; only its digest is kept."""
        key = secrets.token_urlsafe(32)
        row = {
            "user": self.find(login).id,
            "label": label,
            "digest": _digest(key),
            "created_at": self._clock(),
        }
        with self._database.engine.begin() as connection:
            connection.execute(insert(tables.api_key), row)
        return key

    def remove_api_key(self, key: str) -> None:
        """Make the key invalid."""
        with self._database.engine.begin() as connection:
            connection.execute(
                delete(tables.api_key).where(tables.api_key.c.digest == _digest(key))
            )

    def ensure_system_user(self, login: str) -> None:
        """Create the system user, as an administrator as whom nobody can sign in."""
        try:
            self.add(login, role="administrator", is_system=True)
        except Conflict:
            if not self.find(login).is_system:
                raise Conflict(f"{login!r} is a person, not a system user") from None

    def _read(self, statement: Select[Any], key: object) -> ReferenceUser | None:
        with self._database.reader.connect() as connection:
            found = connection.execute(statement, {"key": key}).one_or_none()
        return None if found is None else _user(found)

    def _insert(self, row: dict[str, Any]) -> int:
        try:
            with self._database.engine.begin() as connection:
                key = connection.execute(insert(tables.user), row).inserted_primary_key
        except IntegrityError as error:
            raise Conflict(
                f"the login {row['login']!r} is taken, or there is no such role"
            ) from error
        assert key is not None  # noqa: S101 - the insert of one row has a key
        return int(key[0])

    def _change(self, login: str, **values: object) -> None:
        statement = update(tables.user).where(tables.user.c.login == login).values(values)
        with self._database.engine.begin() as connection:
            if not connection.execute(statement).rowcount:
                raise NotFound(f"there is no user {login!r}")

    def _hash(self, password: str) -> str:
        if len(password) < _SHORTEST_PASSWORD:
            raise InvalidInput(f"a password has at least {_SHORTEST_PASSWORD} characters")
        return generate_password_hash(password, self._password_method)


def _users(where: ColumnElement[bool]) -> Select[Any]:
    user, role = tables.user.c, tables.role.c
    columns = (
        user.id,
        user.login,
        user.name,
        user.email,
        user.language,
        user.grants,
        user.is_system,
        user.password_hash,
        role.permissions,
        role.access,
    )
    return select(*columns).join_from(tables.user, tables.role).where(user.active, where)


# Built once: every request and every job begins with one of them.
_BY_LOGIN = _users(tables.user.c.login == bindparam("key"))
_BY_ID = _users(tables.user.c.id == bindparam("key"))
_BY_API_KEY = _users(
    tables.user.c.id.in_(
        select(tables.api_key.c.user).where(tables.api_key.c.digest == bindparam("key"))
    )
)

_PEOPLE = _users(tables.user.c.is_system.is_(False))


def _user(row: Any) -> ReferenceUser:
    return ReferenceUser(
        id=row.id,
        login=row.login,
        name=row.name,
        email=row.email,
        language=row.language,
        permissions=frozenset((*json.loads(row.permissions), *json.loads(row.grants))),
        access=Access(json.loads(row.access)),
        is_system=row.is_system,
        stamp=_digest(row.password_hash or "")[:16],
    )


def _checked(name: str, value: str) -> str:
    try:
        return text(value)
    except ValueError as error:
        raise InvalidInput(f"{name} {error}") from None


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
