"""The composition root: the one object that a CRM makes, mounts and starts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask
from pluggy import HookRelay

from limepkg_email.clock import Clock, utc_now
from limepkg_email.commands import email_commands
from limepkg_email.config import Configuration, keys, load, plain
from limepkg_email.endpoints.api import mount
from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import ConfigurationError, NotFound, SetupRequired
from limepkg_email.feed.factory import DefaultFeed, FeedItemFactory
from limepkg_email.hooks import call_each, collect, create_plugin_manager, register, without
from limepkg_email.host import Application, Host
from limepkg_email.incoming.recovery_runs import RECOVERY
from limepkg_email.limetypes import Limetype
from limepkg_email.outgoing.unsettled import SETTLE_SENDS
from limepkg_email.schema.admin import ADMIN_CONFIG, AdminConfig
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.settings import CurrentSettings
from limepkg_email.schema.setup import is_installed
from limepkg_email.services import Services
from limepkg_email.tasks.counts import COUNTING
from limepkg_email.tasks.registry import TaskRegistry
from limepkg_email.tasks.retention import RETENTION
from limepkg_email.tasks.runner import Runner
from limepkg_email.tasks.schedule import JOB_SWEEP, BackgroundSchedules, Schedule
from limepkg_email.tasks.threads import ThreadRunner
from limepkg_email.tasks.worker import Worker
from limepkg_email.web_components import static_content, translations_directory

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

TASK_MODULE = "limepkg_email.tasks.tasks"
"""The module with the package's own tasks."""

URL_PREFIX = "/<application>/limepkg-email"
"""Where the endpoints are unless told otherwise; the host's identifier stands for `application`."""


class EmailIntegration:
    """The email integration of one host, and the plugin that a CRM registers.

    `runner` wakes the workers: threads of this process unless another one is given. `extensions`
    are pluggy plugins in addition to those that entry points name; `load_entry_points` can leave
    the latter out. Nothing happens until `register_blueprint` or `start` is called.
    """

    def __init__(
        self,
        host: Host,
        *,
        runner: Runner | None = None,
        clock: Clock = utc_now,
        extensions: Iterable[object] = (),
        load_entry_points: bool = True,
    ) -> None:
        self.host = host
        self.clock = clock
        self.plugins = create_plugin_manager(load_entry_points=load_entry_points)
        self.plugins.register(DefaultFeed(), "limepkg_email.feed")
        for extension in extensions:
            register(self.plugins, extension)
        self._runner = runner
        self._worker: Worker | None = None
        self._schedules: BackgroundSchedules | None = None
        self._lock = Lock()
        self._anonymous: dict[str, Services] = {}
        self._system: dict[str, Services] = {}
        self._settings: dict[str, CurrentSettings] = {}
        self._hooks: dict[frozenset[str], HookRelay] = {}
        self._installed: set[str] = set()

    def check(self) -> None:
        """Check the configuration of every application; raises `ConfigurationError`."""
        for identifier in self.host.applications():
            self._kept(self._anonymous, identifier, self._build)

    def anonymous_services(self, identifier: str) -> Services:
        """Give the services of an application, acting as nobody: for what proves itself otherwise.

        Raises `NotFound` for an unknown application. Costs no query, but for one in ten seconds
        that looks for changed settings.
        """
        found = self._kept(self._anonymous, identifier, self._build)
        return self._present(self._anonymous, found)

    def services(self, identifier: str) -> Services:
        """Give the services of an application, acting as the system user: for background work.

        Raises `SetupRequired` while there is no such user. Costs no query from the second time on,
        but for one in ten seconds that looks for changed settings.
        """
        found = self._kept(self._system, identifier, self._build_for_system_user)
        return self._present(self._system, found)

    def request_services(self) -> Services:
        """Give the services of the request's application, acting as the signed-in user."""
        application = self.host.current_application()
        return replace(self.anonymous_services(application.identifier), application=application)

    def settings_changed(self, identifier: str) -> None:
        """Let this process see at once what an administrator changed; others do within seconds."""
        if identifier in self._settings:
            self._settings[identifier].forget()

    def require_installed(self, services: Services) -> None:
        """Raise `SetupRequired` unless the data model of the application is complete.

        Costs no query once it is: a newer data model comes with a newer package, in a new process.
        """
        identifier = services.application.identifier
        if identifier in self._installed:
            return
        if not is_installed(services):
            raise SetupRequired
        self._installed.add(identifier)

    def register_blueprint(
        self,
        app: Flask,
        config: Mapping[str, object] | None = None,  # noqa: ARG002 - part of the hook
        url_prefix: str = URL_PREFIX,
    ) -> None:
        """Mount the endpoints; raises `ConfigurationError` when an application's is not right.

        `config` is what loaders in the style of Lime pass; here every application has its own.
        """
        self.check()
        mount(app, self, url_prefix)
        app.cli.add_command(email_commands(self))

    def start(self) -> None:
        """Start workers and schedules in this process; leave it out where others do the work.

        Once more changes nothing while they run.
        """
        if self._worker is not None:
            return
        self.check()
        self._worker = Worker(self.services, TaskRegistry(self.get_task_modules()))
        if self._runner is None:
            self._runner = ThreadRunner(
                self._thread_count(), next_due=self._worker.next_due, clock=self.clock
            )
        if isinstance(self._runner, ThreadRunner):
            self._worker.take_turns(self._runner.others_wait)
        self._runner.start(self._worker.work, self._identifiers)
        self._schedules = BackgroundSchedules(
            self.register_scheduled_tasks(),
            self.services,
            self._identifiers,
            lambda identifier: self.anonymous_services(identifier).config,
        )
        self._schedules.start()
        # One that fails must keep neither the others nor the mail of this process from working.
        for name, error in call_each(self.plugins.hook.startup, integration=self).items():
            log.error("The extension %s failed to start", name, exc_info=error)

    def celery(self, broker_url: str, **options: Any) -> Celery:
        """Give a Celery app whose workers do the jobs and whose beat ticks the schedules.

        Call it in the web processes too, instead of `start`: it lets them wake those workers.
        `options` are further settings of Celery. Needs the extra `celery`; raises `ValueError` when
        this integration has a runner already.
        """
        from limepkg_email.tasks import celery

        if self._runner is not None:
            raise ValueError("the email integration has a runner already")
        self.check()
        worker = Worker(self.services, TaskRegistry(self.get_task_modules()))
        app = celery.create_app(broker_url, **options)
        runner = celery.CeleryRunner(app, next_due=worker.next_due, clock=self.clock)
        runner.answer_with(worker.work)
        celery.look_when_connected(app, runner, self._identifiers)
        celery.add_schedules(app, self.register_scheduled_tasks(), self.services, self._identifiers)
        self._runner = runner
        return app

    def stop(self) -> None:
        """End workers and schedules, each after the job that it does."""
        if self._schedules is not None:
            self._schedules.stop()
            self._schedules = None
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        if self._runner is not None:
            self._runner.stop()

    def feed_item_factory(self, application: Application) -> FeedItemFactory:
        """Give the factory that turns the application's messages into feed items."""
        hooks = self.anonymous_services(application.identifier).hooks
        factory: FeedItemFactory = hooks.feed_item_factory(application=application)
        return factory

    # From here on the hooks that a host calls, under the names that Lime packages give them.

    def default_config(self) -> dict[str, object]:
        """Give the default of every configuration key that has one which is not simply empty."""
        return {key.name: plain(key.default) for key in keys() if key.default not in (None, "")}

    def register_config(self) -> AdminConfig:
        """Give the administrator's pages and the schema of the settings, as data."""
        return ADMIN_CONFIG

    def register_limeobject_classes(self, register_class: Callable[..., object]) -> None:
        """Register classes for limetypes: the package works with plain objects and has none."""

    def register_event_handlers(self, *_: object) -> None:
        """Subscribe to the host's events: the package needs none of them."""

    def register_web_components(self) -> list[str]:
        """Give components to load one by one: none, as the static content defines all of them."""
        return []

    def register_static_content(self) -> list[tuple[str, str]]:
        """Give (route, directory) of the web components; empty where they have not been built.

        In the directory `<namespace>/<namespace>.esm.js` is the script that pages load.
        """
        return static_content()

    def register_translations(self) -> str:
        """Give the directory with a catalogue (`.po`) for each language."""
        return translations_directory()

    def get_task_modules(self) -> list[str]:
        """Give the dotted names of the modules with tasks."""
        return [TASK_MODULE]

    def register_scheduled_tasks(self) -> list[Schedule]:
        """Give what is to run again and again."""
        return [JOB_SWEEP, RETENTION, COUNTING, SETTLE_SENDS, RECOVERY]

    def register_limetypes(self, application: Application) -> tuple[Limetype, ...]:
        """Give the limetypes that setup installs, those of the extensions included."""
        extra = collect(self.plugins.hook.limetypes(application=application))
        return declared(self.anonymous_services(application.identifier).config, extra)

    def register_feed_item_factories(self, application: Application) -> dict[str, FeedItemFactory]:
        """Give the feed item factory of each limetype that has one."""
        return {"conversationmessage": self.feed_item_factory(application)}

    def _kept(
        self, cache: dict[str, Services], identifier: str, build: Callable[[str], Services]
    ) -> Services:
        found = cache.get(identifier)
        if found is None:
            # Built outside the lock: a slow database must not hold up the other applications.
            built = build(identifier)
            with self._lock:
                found = cache.setdefault(identifier, built)
        return found

    def _present(self, cache: dict[str, Services], kept: Services) -> Services:
        """Give the services with the settings that hold now; the same object until they change."""
        identifier = kept.application.identifier
        effective = self._settings[identifier].get()
        hooks = self._hooks_without(effective.switched_off)
        if kept.config is effective.config and kept.hooks is hooks:
            return kept
        with self._lock:
            cache[identifier] = replace(kept, config=effective.config, hooks=hooks)
            return cache[identifier]

    def _hooks_without(self, switched_off: frozenset[str]) -> HookRelay:
        if not switched_off:
            return self.plugins.hook
        with self._lock:
            if switched_off not in self._hooks:
                self._hooks[switched_off] = without(self.plugins, switched_off)
            return self._hooks[switched_off]

    def _build(self, identifier: str) -> Services:
        application = self.host.application(identifier)
        config = _load(application)
        with self._lock:
            self._settings[identifier] = CurrentSettings(application, config, self.clock)
        engine = EngineClient(
            config.emailengine_url, config.emailengine_token, timeout=(3.05, config.engine_timeout)
        )
        return Services(
            application=application,
            config=config,
            engine=engine,
            hooks=self.plugins.hook,
            clock=self.clock,
            wake=lambda: self._wake(identifier),
        )

    def _build_for_system_user(self, identifier: str) -> Services:
        services = self.anonymous_services(identifier)
        try:
            application = services.application.as_user(services.config.system_user)
        except NotFound:
            raise SetupRequired from None
        return replace(services, application=application)

    def _wake(self, identifier: str) -> None:
        if self._runner is not None:
            self._runner.wake(identifier)

    def _identifiers(self) -> list[str]:
        return list(self.host.applications())

    def _thread_count(self) -> int:
        counts = (
            self.anonymous_services(each).config.worker_threads for each in self._identifiers()
        )
        return max(counts, default=1)


def _load(application: Application) -> Configuration:
    try:
        return load(application.config, application.secrets)
    except ConfigurationError as error:
        raise ConfigurationError(f"{application.identifier}: {error}") from None
