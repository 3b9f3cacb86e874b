"""Setup: plan, show, apply. Everything that an application needs before mail can flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from uuid import uuid4

from limepkg_email import migrate
from limepkg_email.errors import Conflict, EngineError, InvalidInput, NotFound
from limepkg_email.hooks import collect
from limepkg_email.host import Application
from limepkg_email.schema import views, webhook
from limepkg_email.schema.alone import alone
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.planning import check_documents, check_parents, plan, sentence
from limepkg_email.services import Services

__all__ = ["SetupReport", "install", "is_installed", "plan", "run_setup"]

VERSION_SETTING = "limepkg_email.version"
"""The version of the package whose setup was run last."""

INSTALLATION_SETTING = "limepkg_email.installation"
"""The UUID of this installation; it marks our mails, so that an installation knows its own."""

_LEASE = "setup"
_LEASE_DURATION = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What setup did, or with a dry run would do, as sentences; no step means nothing to do.

    `unfinished` says what is left to do, and why, when all else is done.
    """

    steps: tuple[str, ...]
    applied: bool
    unfinished: str = ""


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
        _install(services)
        webhook.register(services.config, services.engine)
    return SetupReport(steps, applied=not dry_run)


def install(services: Services) -> SetupReport:
    """Do what `run_setup` does, but let an engine that refuses or is away be no error.

    What it could not be told stands in `unfinished`. Raises what `run_setup` raises otherwise.
    """
    steps = _sentences(services)
    _install(services)
    try:
        webhook.register(services.config, services.engine)
    except EngineError as error:
        sentence = (
            f"The webhook is not registered: {error.message} Everything else is done;"
            " run the setup again."
        )
        return SetupReport(steps, applied=True, unfinished=sentence)
    return SetupReport(steps, applied=True)


def _install(services: Services) -> None:
    migrate.upgrade(services.application.database)
    with alone(services, _LEASE, _LEASE_DURATION, "Another setup is running; wait until it ends."):
        # Asked again: another setup may have ended since.
        for action in _actions(services):
            action.run()


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


def installation_steps(services: Services) -> tuple[str, ...]:
    """Say what is left to do in the CRM itself, without asking the engine.

    Raises `Conflict` and `InvalidInput` when the host's data model does not allow it.
    """
    steps = [action.sentence for action in _actions(services)]
    if not migrate.is_current(services.application.database):
        steps.insert(0, "Create or upgrade the package's own tables.")
    return tuple(steps)


def _sentences(services: Services) -> tuple[str, ...]:
    steps = installation_steps(services)
    registration = webhook.pending(services.config, services.engine)
    return (*steps, registration) if registration else steps


def _actions(services: Services) -> list[_Action]:
    return [*_limetype_actions(services), *_system_user(services), *_settings(services)]


def _limetype_actions(services: Services) -> Iterator[_Action]:
    application = services.application
    extra = collect(services.hooks.limetypes(application=application))
    described = application.limetypes.describe()
    steps = plan(declared(services.config, extra), described)
    check_parents(services.config, described)
    check_documents(described)
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
