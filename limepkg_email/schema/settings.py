"""What an administrator chose, laid over the environment configuration.

Everything stands under one name in the host's settings: the values of keys that are editable, and
the extensions that are switched off. A process that did not make a change sees it after at most
`FRESH_FOR`, and asks the host no more often than that.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

import marshmallow as ma
from marshmallow import validate

from limepkg_email import audit
from limepkg_email.clock import Clock
from limepkg_email.config import Configuration, Editable, Key, keys, load, plain
from limepkg_email.errors import InvalidInput
from limepkg_email.host import Application
from limepkg_email.schema.alone import alone
from limepkg_email.schema.titles import title
from limepkg_email.services import Services

log = logging.getLogger(__name__)

SETTING: Final = "limepkg_email.settings"
"""The name under which the host keeps what administrators chose."""
FRESH_FOR: Final = timedelta(seconds=10)
"""For how long a process goes by what it read last."""

_BUSY = "Somebody else changes the settings just now; try again."
_BY_OPERATOR = "Only whoever deploys the CRM can change this."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What administrators chose: values by key, and the names of extensions switched off."""

    values: Mapping[str, object]
    switched_off: frozenset[str] = frozenset()

    @classmethod
    def read(cls, application: Application) -> Chosen:
        """Ask the host; what is not as it has to be counts as not chosen."""
        stored = application.settings.get(SETTING)
        found = stored if isinstance(stored, dict) else {}
        values, names = found.get("values"), found.get("switched_off")
        return cls(
            values if isinstance(values, dict) else {},
            frozenset(map(str, names)) if isinstance(names, list) else frozenset(),
        )

    def write(self, application: Application) -> None:
        """Let the host keep it."""
        stored = {"values": dict(self.values), "switched_off": sorted(self.switched_off)}
        application.settings.set(SETTING, stored)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds: the configuration with the choices laid over it, and what is switched off."""

    config: Configuration
    switched_off: frozenset[str] = frozenset()


class CurrentSettings:
    """What holds in one application, kept in memory; may be shared by all threads of a process.

    The answer is the same object until something changes. While the host cannot be asked, what was
    read last goes on to hold.
    """

    def __init__(self, application: Application, environment: Configuration, clock: Clock) -> None:
        self._application = application
        self._environment = environment
        self._clock = clock
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._effective = Effective(environment)

    def get(self) -> Effective:
        """Give what holds; asks the host at most once in `FRESH_FOR`."""
        now = self._clock()
        # A clock that was set back must not keep an old answer for ever.
        if self._read_at is None or not self._read_at <= now < self._read_at + FRESH_FOR:
            # First, so that other threads do not ask as well.
            self._read_at = now
            with self._lock:
                # One at a time, so that what was read earlier never replaces what is newer.
                self._read()
        return self._effective

    def forget(self) -> None:
        """Ask again the next time: something was changed in this process."""
        self._read_at = None

    def _read(self) -> None:
        try:
            chosen = Chosen.read(self._application)
        except Exception as error:  # noqa: BLE001 - a host can raise anything; mail must go on
            log.warning("The settings cannot be read: %s", type(error).__name__)
            return
        config = overlaid(self._environment, self._application.config, chosen.values)
        found = Effective(config, chosen.switched_off)
        if found != self._effective:
            self._effective = found


def overlaid(
    environment: Configuration, given: Mapping[str, object], chosen: Mapping[str, object]
) -> Configuration:
    """Lay the chosen values over the environment; what may not be chosen (any more) has no effect.

    `given` are the keys that the environment sets itself.
    """
    changes: dict[str, Any] = {}
    for key in keys():
        if key.name not in chosen or not _is_editable(key, given):
            continue
        try:
            value = editable_field(key).deserialize(chosen[key.name])
        except ma.ValidationError:
            log.warning("The stored setting %s cannot be used", key.name)
            continue
        if key.editable is Editable.DOWNWARDS:
            value = min(value, getattr(environment, key.name))
        changes[key.name] = value
    return replace(environment, **changes) if changes else environment


def editable_field(key: Key) -> ma.fields.Field[Any]:
    """Make the field that checks what an administrator wants a key to be; `None` takes it back."""
    found = copy.deepcopy(key.check)
    found.allow_none = True
    found.metadata = {**found.metadata, "title": title(key.name), "description": key.help}
    if key.between is not None:
        found.validators = [*found.validators, validate.Range(*key.between)]
    return found


def settings_schema() -> type[ma.Schema]:
    """Make the schema of what an administrator may change; forms can be drawn from it."""
    table = {key.name: editable_field(key) for key in keys() if key.editable is not Editable.NEVER}
    return ma.Schema.from_dict(table, name="ConfigurationInput")


@dataclass(frozen=True, slots=True)
class Setting:
    """A key as an administrator sees it.

    `source` says who the value is from: `default`, `environment` or `administrator`. `value` is
    `None` for a secret; `is_set` tells whether there is one. `least` and `most` bound what an
    administrator may choose.
    """

    name: str
    title: str
    type: str
    value: object
    default: object
    source: str
    editable: bool
    secret: bool
    is_set: bool
    least: float | None
    most: float | None
    help: str


def list_settings(services: Services) -> list[Setting]:
    """Give every key with its present value, in the order of the table; reads the host's setting.

    Of secrets only whether they are set.
    """
    application = services.application
    chosen = Chosen.read(application)
    # Not the services' own: these may be some seconds old.
    environment = load(application.config, application.secrets)
    config = overlaid(environment, application.config, chosen.values)
    return [_setting(services, config, key, chosen.values) for key in keys()]


def change_settings(services: Services, wanted: Mapping[str, object]) -> None:
    """Choose values; `None` takes a choice back. Needs that the caller may: nothing is asked here.

    Raises `InvalidInput` with a sentence for each key that cannot be changed like that, and
    `Conflict` when somebody else changes the settings at the same moment. It is recorded before it
    is stored: the host's settings are in no transaction with the package's tables.
    """
    values = _checked(services, wanted)
    with alone(services, "settings", timedelta(seconds=30), _BUSY):
        present = Chosen.read(services.application)
        left = {name: each for name, each in present.values.items() if name not in values}
        new = {**left, **{name: each for name, each in values.items() if each is not None}}
        with services.application.database.begin() as connection:
            audit.record(
                connection,
                services,
                "settings.update",
                "settings",
                before={name: present.values.get(name) for name in values},
                after=values,
            )
        replace(present, values=new).write(services.application)


def switch_extension(services: Services, name: str, *, enabled: bool) -> None:
    """Switch an extension on or off in the application; recorded like `change_settings`."""
    with alone(services, "settings", timedelta(seconds=30), _BUSY):
        present = Chosen.read(services.application)
        off = present.switched_off - {name} if enabled else present.switched_off | {name}
        with services.application.database.begin() as connection:
            audit.record(
                connection,
                services,
                "extension.update",
                "extension",
                name,
                before={"enabled": name not in present.switched_off},
                after={"enabled": enabled},
            )
        replace(present, switched_off=off).write(services.application)


def _is_editable(key: Key, given: Mapping[str, object]) -> bool:
    if key.editable is Editable.UNLESS_SET:
        return key.name not in given
    return key.editable is Editable.DOWNWARDS


def _allowed(services: Services, key: Key) -> Any:
    """Give the greatest value of a key that can only be lowered."""
    return services.application.config.get(key.name, key.default)


def _checked(services: Services, wanted: Mapping[str, object]) -> dict[str, object]:
    table = {key.name: key for key in keys()}
    errors: dict[str, list[str]] = {}
    values: dict[str, object] = {}
    for name, value in wanted.items():
        try:
            values[name] = _checked_value(services, table.get(name), value)
        except ma.ValidationError as error:
            errors[name] = [str(each) for each in error.messages]
    if errors:
        raise InvalidInput(errors=errors)
    return values


def _checked_value(services: Services, key: Key | None, wanted: object) -> object:
    if key is None:
        raise ma.ValidationError("There is no such setting.")
    if not _is_editable(key, services.application.config):
        raise ma.ValidationError(_BY_OPERATOR)
    value = editable_field(key).deserialize(wanted)
    if value is not None and key.editable is Editable.DOWNWARDS:
        validate.Range(max=_allowed(services, key))(value)
    return value


def _setting(
    services: Services, config: Configuration, key: Key, chosen: Mapping[str, object]
) -> Setting:
    application = services.application
    given: Mapping[str, object] = {**application.config, **application.secrets}
    editable = _is_editable(key, given)
    least, most = key.between or (None, None)
    if key.editable is Editable.DOWNWARDS:
        least, most = 1, _allowed(services, key)
    return Setting(
        name=key.name,
        title=title(key.name),
        type=key.type,
        value=None if key.secret else plain(getattr(config, key.name)),
        default=plain(key.default),
        source=_source(key.name, given, chosen if editable else {}),
        editable=editable,
        secret=key.secret,
        is_set=bool(getattr(config, key.name)),
        least=least,
        most=most,
        help=key.help,
    )


def _source(name: str, given: Mapping[str, object], chosen: Mapping[str, object]) -> str:
    if name in chosen:
        return "administrator"
    return "environment" if name in given else "default"
