"""Who may call an endpoint: declared beside the view, checked in one place, denied without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "limepkg_email_access"


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs to reach a view.

    `permission` is empty for an endpoint that anybody may call; `reason` then says why that is
    safe. `files` lets multipart forms in, beside JSON. `before_setup` lets requests in although the
    data model is not installed yet.
    """

    permission: str
    reason: str = ""
    files: bool = False
    before_setup: bool = False


def requires(
    permission: str, *, files: bool = False, before_setup: bool = False
) -> Callable[[View], View]:
    """Declare the permission that the acting user needs, and what else `Access` tells."""
    return _declare(Access(permission, files=files, before_setup=before_setup))


def public(reason: str) -> Callable[[View], View]:
    """Declare that anybody may call the endpoint, and why that is safe."""
    return _declare(Access("", reason))


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
