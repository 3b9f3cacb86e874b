"""Who makes a request: an API key or a signed session cookie, and the defence against forged posts.

A browser adds the cookie to requests that other sites make it send. Therefore a request that
changes something and comes with the cookie must show that a page of ours made it: by the session's
token (form field `csrf_token` or header `X-CSRF-Token`), or, unless it is an HTML form that could
have carried the token, by an `Origin` of the same host. Requests with an API key need neither.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import Flask, Request, request, session

from limepkg_email.errors import Forbidden
from limepkg_email.reference.access import ReferenceUser
from limepkg_email.reference.users import Users

API_KEY_HEADER = "x-api-key"
TOKEN_FIELD = "csrf_token"  # noqa: S105 - the name of a field
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 - the name of a header

_USERS = "limepkg_reference_users"
_TOKEN = "limepkg_reference_token"  # noqa: S105 - the name of a key
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({"application/x-www-form-urlencoded"})


class FormTooOld(Forbidden):
    """The form is too old; load the page again."""


def protect_cookies(app: Flask) -> None:
    """Keep the session cookie away from scripts and from other sites' requests."""
    app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")


def sign_in(identifier: str, users: Users, login: str, password: str) -> ReferenceUser | None:
    """Begin a session of the application if the password is right."""
    found = users.by_password(login, password)
    if found is not None:
        begin_session(identifier, found)
    return found


def begin_session(identifier: str, user: ReferenceUser) -> None:
    """Remember in the cookie who is signed in to the application."""
    session[_USERS] = {**session.get(_USERS, {}), identifier: [user.id, user.stamp]}
    # A new token, so that nobody can have planted the old one before the sign-in.
    session[_TOKEN] = secrets.token_urlsafe(32)


def sign_out(identifier: str) -> None:
    """Forget who is signed in to the application."""
    session[_USERS] = {
        name: value for name, value in session.get(_USERS, {}).items() if name != identifier
    }


def csrf_token() -> str:
    """Give the token that a form of this session must carry."""
    if _TOKEN not in session:
        session[_TOKEN] = secrets.token_urlsafe(32)
    return str(session[_TOKEN])


def require_token() -> None:
    """Refuse a form that does not carry the session's token."""
    if not _has_token(request):
        raise FormTooOld()


def is_from_here() -> bool:
    """Tell whether a page of this site has sent the request, as the browser says."""
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def requesting_user(identifier: str, users: Users) -> ReferenceUser | None:
    """Give the user who makes the present request; raises `Forbidden` for forged ones."""
    key = request.headers.get(API_KEY_HEADER)
    if key is not None:
        return users.by_api_key(key)
    known = session.get(_USERS, {}).get(identifier)
    user = None if known is None else users.by_session(*known)
    if user is not None and request.method not in _SAFE and not _is_own(request):
        raise Forbidden("the request does not come from a page of this site")
    return user


def _is_own(made: Request) -> bool:
    if _has_token(made):
        return True
    return made.mimetype not in _FORMS and is_from_here()


def _has_token(made: Request) -> bool:
    given = made.headers.get(TOKEN_HEADER) or made.form.get(TOKEN_FIELD, "")
    known = str(session.get(_TOKEN, ""))
    return bool(known) and secrets.compare_digest(given.encode(), known.encode())
