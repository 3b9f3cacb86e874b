"""Setup: plan, show, apply. Everything that an application needs before mail can flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from uuid import uuid4

from limepkg_email import migrate
from limepkg_email.errors import Conflict, InvalidInput, NotFound
from limepkg_email.hooks import collect
from limepkg_email.host import Application
from limepkg_email.schema import views, webhook
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.planning import check_parents, plan, sentence
from limepkg_email.services import Services
from limepkg_email.tasks import leases

__all__ = ["SetupReport", "is_installed", "plan", "run_setup"]

VERSION_SETTING = "limepkg_email.version"
"""The version of the package whose setup was run last."""

INSTALLATION_SETTING = "limepkg_email.installation"
"""The UUID of this installation; it marks our mails, so that an installation knows its own."""

_LEASE = "setup"
_LEASE_DURATION = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What setup did, or with a dry run would do, as sentences; no step means nothing to do."""

    steps: tuple[str, ...]
    applied: bool


@dataclass(frozen=True, slots=True)
class _Action:
    sentence: str
    run: Callable[[], object]


def run_setup(services: Services, *, dry_run: bool = False) -> SetupReport:
    """Install what is missing, or with `dry_run` only say what is; a second run has no steps.

    Raises `Conflict` and `InvalidInput`, before anything is changed, when the host's data model
    does not allow it, and `Conflict` when another setup is running. A setup that was interrupted is
    completed by running it again.
    """
    steps = _sentences(services)
    if not dry_run:
        migrate.upgrade(services.application.database)
        with _alone(services):
            # Asked again: another setup may have ended since.
            for action in _actions(services):
                action.run()
            webhook.register(services.config, services.engine)
    return SetupReport(steps, applied=not dry_run)


def installation_of(application: Application) -> str:
    """Give the id of this installation."""
    return str(application.settings.get(INSTALLATION_SETTING) or application.identifier)


def is_installed(services: Services) -> bool:
    """Tell whether setup was run since tables, configured parents or extensions changed."""
    application = services.application
    if not application.settings.get(VERSION_SETTING):
        return False
    if not migrate.is_current(application.database):
        return False
    try:
        return not any(_limetype_actions(services))
    except (Conflict, InvalidInput):
        return False


def _sentences(services: Services) -> tuple[str, ...]:
    steps = [action.sentence for action in _actions(services)]
    if not migrate.is_current(services.application.database):
        steps.insert(0, "Create or upgrade the package's own tables.")
    registration = webhook.pending(services.config, services.engine)
    return (*steps, registration) if registration else tuple(steps)


def _actions(services: Services) -> list[_Action]:
    return [*_limetype_actions(services), *_system_user(services), *_settings(services)]


def _limetype_actions(services: Services) -> Iterator[_Action]:
    application = services.application
    extra = collect(services.hooks.limetypes(application=application))
    described = application.limetypes.describe()
    steps = plan(declared(services.config, extra), described)
    check_parents(services.config, described)
    for step in steps:
        yield _Action(sentence(step), partial(application.limetypes.apply, step))


def _system_user(services: Services) -> Iterator[_Action]:
    application, name = services.application, services.config.system_user
    try:
        application.as_user(name)
    except NotFound:
        yield _Action(
            f"Create the system user {name}.", partial(application.ensure_system_user, name)
        )


def _settings(services: Services) -> Iterator[_Action]:
    settings, present = services.application.settings, version("limepkg-email")
    if settings.get(views.SETTING) is None:
        offered = views.default_views(services.config)
        yield _Action("Offer the default views.", partial(settings.set, views.SETTING, offered))
    if settings.get(INSTALLATION_SETTING) is None:
        new = str(uuid4())
        yield _Action(
            "Give the installation its id.", partial(settings.set, INSTALLATION_SETTING, new)
        )
    if settings.get(VERSION_SETTING) != present:
        yield _Action(
            f"Record the version {present}.", partial(settings.set, VERSION_SETTING, present)
        )


@contextmanager
def _alone(services: Services) -> Iterator[None]:
    database, holder = services.application.database, str(uuid4())
    with database.begin() as connection:
        if not leases.acquire(connection, _LEASE, holder, services.clock(), _LEASE_DURATION):
            raise Conflict("Another setup is running; wait until it has ended.")
    try:
        yield
    finally:
        with database.begin() as connection:
            leases.release(connection, _LEASE, holder)
