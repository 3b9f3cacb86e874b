"""Who may call an endpoint: declared beside the view, checked in one place, denied without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from limepkg_email.host import User

View = TypeVar("View", bound=Callable[..., Any])

SMALL = 1024 * 1024
"""Bytes that a request may have, but for those that bring a message or its files."""

_ATTRIBUTE = "limepkg_email_access"


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs to reach a view.

    One of the `permissions` is enough; there are none for an endpoint that anybody may call, and
    `reason` then says why that is safe. `files` lets multipart forms in, beside JSON. `most_bytes`
    is how large a body without files may be. `before_setup` lets requests in although the data
    model is not installed yet.
    """

    permissions: tuple[str, ...]
    reason: str = ""
    files: bool = False
    most_bytes: int = SMALL
    before_setup: bool = False

    @property
    def permission(self) -> str:
        """The permissions in words: `email.use or email.admin`; empty if anybody may call."""
        return " or ".join(self.permissions)

    def allows(self, user: User) -> bool:
        """Tell whether the user may call the endpoint."""
        return not self.permissions or any(user.can(each) for each in self.permissions)


def requires(
    permission: str,
    *others: str,
    files: bool = False,
    most_bytes: int = SMALL,
    before_setup: bool = False,
) -> Callable[[View], View]:
    """Declare the permission that the acting user needs, or several of which one is enough.

    What else can be declared is told at `Access`.
    """
    permissions = (permission, *others)
    return _declare(
        Access(permissions, files=files, most_bytes=most_bytes, before_setup=before_setup)
    )


def public(reason: str) -> Callable[[View], View]:
    """Declare that anybody may call the endpoint, and why that is safe."""
    return _declare(Access((), reason))


def access_of(view: Callable[..., Any]) -> Access:
    """Give the declaration of a view; raises `TypeError` when there is none."""
    found = getattr(view, _ATTRIBUTE, None)
    if not isinstance(found, Access):
        raise TypeError(
            f"{view.__module__}.{view.__qualname__} declares no permission;"
            " put @requires(…) or @public(…) under its route"
        )
    return found


def _declare(access: Access) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, access)
        return view

    return decorate
