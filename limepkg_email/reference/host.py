"""The CRM as a host: several applications in one process, and the one of the present request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from flask import Flask, request

from limepkg_email.clock import Clock, utc_now
from limepkg_email.errors import NotFound, Unauthorized
from limepkg_email.reference.application import ReferenceApplication, Tenant
from limepkg_email.reference.options import ReferenceApplicationOptions
from limepkg_email.reference.sign_in import protect_cookies, requesting_user

_KNOWN = "limepkg_email.reference.application"


class ReferenceHost:
    """The bundled CRM; `applications` are its options by identifier.

    With an app, its session cookie is hardened. The app needs a secret key for people to sign in.
    """

    def __init__(
        self,
        app: Flask | None,
        applications: Mapping[str, ReferenceApplicationOptions],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self.clock = clock
        self._tenants = {
            identifier: Tenant(identifier, options, clock)
            for identifier, options in applications.items()
        }
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Harden the app's session cookie."""
        protect_cookies(app)

    def applications(self) -> Iterable[str]:
        """Give the identifiers of all applications."""
        return tuple(self._tenants)

    def application(self, identifier: str) -> ReferenceApplication:
        """Give the application, acting as nobody yet; raises `NotFound`."""
        tenant = self._tenants.get(identifier)
        if tenant is None:
            raise NotFound(f"there is no application {identifier!r}")
        return ReferenceApplication(tenant)

    def current_application(self) -> ReferenceApplication:
        """Inside a request: the application that the path begins with, as the signed-in user.

        Raises `Unauthorized` when nobody is signed in, and `Forbidden` when another site may have
        made the browser send the request.
        """
        # Kept with the request itself: an app context can outlive it.
        known = request.environ.get(_KNOWN)
        if known is None:
            known = request.environ[_KNOWN] = self._signed_in()
        return cast("ReferenceApplication", known)

    def create_databases(self) -> None:
        """Create the tables of every application that has none."""
        for tenant in self._tenants.values():
            tenant.create_database()

    def close(self) -> None:
        """Close all connections to the databases."""
        for tenant in self._tenants.values():
            tenant.dispose()

    def _signed_in(self) -> ReferenceApplication:
        application = self.application(request.path.lstrip("/").partition("/")[0])
        user = requesting_user(application.identifier, application.users)
        if user is None:
            raise Unauthorized()
        return application.acting_as(user)
