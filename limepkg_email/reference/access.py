"""Who may do what: permissions by name, and access to limetypes by letter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["create", "read", "update", "delete"]

EVERYTHING = "*"
"""Stands for every permission, and for every limetype that is not named."""

ADMIN = "email.admin"
USE = "email.use"
SEND_AS = "email.send_as:"


@dataclass(frozen=True, slots=True)
class Access:
    """What may be done with the objects of each limetype.

    `letters` are the initials of the allowed actions, by limetype; `*` stands for the limetypes
    that are not named.
    """

    letters: Mapping[str, str]

    def allows(self, action: Action, limetype: str) -> bool:
        """Tell whether the action is allowed on objects of the limetype."""
        letters = self.letters
        return action[0] in letters.get(limetype, letters.get(EVERYTHING, ""))


NO_ACCESS = Access({})
FULL_ACCESS = Access({EVERYTHING: "crud"})


@dataclass(frozen=True, slots=True)
class Role:
    """A group of users: what its members may do."""

    name: str
    permissions: tuple[str, ...]
    access: Access

    def row(self) -> dict[str, str]:
        """Give the role as it is stored."""
        return {
            "name": self.name,
            "permissions": json.dumps(self.permissions),
            "access": json.dumps(dict(self.access.letters)),
        }


ROLES = (
    Role("administrator", (EVERYTHING,), FULL_ACCESS),
    Role("agent", (USE, SEND_AS + EVERYTHING), FULL_ACCESS),
    Role("reader", (USE,), Access({EVERYTHING: "r"})),
)
"""The roles of a new database."""


@dataclass(frozen=True, slots=True)
class ReferenceUser:
    """The acting user, as the CRM knew it when the request or the job began.

    `stamp` changes with the password, so that a new one ends the sessions of the old one.
    """

    id: int
    login: str
    name: str
    email: str
    language: str | None
    permissions: frozenset[str]
    access: Access
    is_system: bool = False
    stamp: str = ""

    def can(self, permission: str) -> bool:
        """Tell whether the user has the permission, by role or by a grant of its own."""
        granted = self.permissions
        if permission in granted or EVERYTHING in granted:
            return True
        return permission.startswith(SEND_AS) and SEND_AS + EVERYTHING in granted


NOBODY = ReferenceUser(0, "", "", "", None, frozenset(), NO_ACCESS)
"""Acts until somebody has signed in: may do nothing and sees no object."""
