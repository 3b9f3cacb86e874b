"""What every page needs: whose application it is, and what the request asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app, render_template, request, url_for

from limepkg_email.errors import NotFound, SetupRequired
from limepkg_email.host import Objects
from limepkg_email.query import In, Query
from limepkg_email.reference.access import ADMIN
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.attempts import Attempts
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.mail import Mail

PAGE_SIZE = 40

_PERSON = ("firstname", "lastname", "email")
_NAMES = {
    "person": _PERSON,
    "coworker": _PERSON,
    "company": ("name",),
    "helpdesk": ("title",),
    "conversation": ("subject",),
    "document": ("comment",),
}
"""The properties that make the name of an object, by limetype."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is shown; pages count from one."""

    page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def earlier(self) -> int | None:
        """The page before, if there is one."""
        return min(self.page - 1, self.pages) or None

    @property
    def later(self) -> int | None:
        """The page after, if there is one."""
        return self.page + 1 if self.page < self.pages else None


class Site:
    """The CRM and its mail, as the pages of one app use them."""

    def __init__(self, host: ReferenceHost, mail: Mail | None) -> None:
        self.host = host
        self.attempts = Attempts(host.clock)
        self._mail = mail

    def visit(self, application: str) -> ReferenceApplication:
        """Give the application of the path as the signed-in user; raises `Unauthorized`."""
        found = self.host.current_application()
        if found.identifier != application:
            raise NotFound()
        return found

    def mail(self, application: ReferenceApplication) -> Mail | None:
        """Give the mail, unless there is none or it is not set up yet."""
        if self._mail is None:
            return None
        try:
            self._mail.overview(application, ())
        except SetupRequired:
            return None
        return self._mail


def render(template: str, application: ReferenceApplication | None, **values: Any) -> str:
    """Render a page; every template knows the application, its user and where the mail is."""
    user = application.user if application is not None else None
    identifier = application.identifier if application is not None else _first_segment()
    return render_template(
        f"crm/{template}",
        application=identifier,
        user=user,
        language=application.language if application is not None else "",
        email_base=email_base(identifier),
        administrator=user is not None and user.can(ADMIN),
        **values,
    )


def email_base(identifier: str) -> str:
    """Give the path of the email package's endpoints; empty in a CRM without it."""
    if "limepkg_email_health.health" not in current_app.view_functions:
        return ""
    health = url_for("limepkg_email_health.health", application=identifier)
    return health.removesuffix("/health")


def asked_number(name: str, default: int = 0) -> int:
    """Give a number of the query that is not negative, or the default for anything else."""
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else default


def asked_page() -> int:
    """Give the page of a list that is asked for."""
    return max(1, asked_number("page", 1))


def asked_text(name: str) -> str:
    """Give a text to search for; what no object can hold is left out."""
    given = request.args.get(name, "").replace("\0", "").strip()
    return given.encode(errors="ignore").decode()[:200]


def names_of(objects: Objects, limetype: str, ids: Sequence[object]) -> dict[object, str]:
    """Give the names of objects by id; those that the user may not see are left out."""
    wanted = sorted({cast(int, each) for each in ids if each is not None})
    parts = _NAMES.get(limetype, ())
    if not wanted:
        return {}
    return {
        each.id: full_name([each[part] for part in parts]) or f"{limetype} {each.id}"
        for each in objects.query(Query(limetype, In("id", wanted), properties=parts))
    }


def full_name(parts: Sequence[object]) -> str:
    """Join first and last name; what is left, an address, only stands in for both."""
    names = [str(each) for each in parts[:2] if each]
    return " ".join(names) or next((str(each) for each in parts[2:] if each), "")


def _first_segment() -> str:
    return request.path.lstrip("/").partition("/")[0]
