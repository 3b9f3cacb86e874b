"""The one table of configuration keys: name, type, default, whether secret, and its meaning.

These are environment values, set by whoever deploys. Values that an administrator edits live
in the host's settings, so that a restored database never carries a production token into a test
system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, post_load, validate
from marshmallow import fields as ma

from limepkg_email.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ConversationParent:
    """A limetype that conversations can hang on.

    `title` is the property that takes the subject of the first mail. `relation` is the name of the
    belongsto on the conversation, `limetype` unless told otherwise.
    """

    limetype: str
    title: str
    relation: str = ""

    @property
    def property(self) -> str:
        """The conversation's property that points at the parent."""
        return self.relation or self.limetype


@dataclass(frozen=True, slots=True)
class FollowerParent:
    """A limetype that a follower can be, found by its address property.

    `names` are the properties that together make the name, `relation` the belongsto on follower.
    """

    limetype: str
    address: str
    names: tuple[str, ...] = ("name",)
    relation: str = ""

    @property
    def property(self) -> str:
        """The follower's property that points at the parent."""
        return self.relation or self.limetype


class _ConversationParentSchema(Schema):
    limetype = ma.String(required=True)
    title = ma.String(required=True)
    relation = ma.String(load_default="")

    @post_load
    def _build(self, values: dict[str, Any], **_: object) -> ConversationParent:
        return ConversationParent(**values)


class _FollowerParentSchema(Schema):
    limetype = ma.String(required=True)
    address = ma.String(required=True)
    names = ma.List(ma.String(), load_default=lambda: ["name"])
    relation = ma.String(load_default="")

    @post_load
    def _build(self, values: dict[str, Any], **_: object) -> FollowerParent:
        return FollowerParent(**{**values, "names": tuple(values["names"])})


_address = validate.URL(require_tld=False)


def _address_or_nothing(value: str) -> None:
    if value:
        _address(value)


_positive = validate.Range(min=0, min_inclusive=False)
_not_negative = validate.Range(min=0)


def _key(check: ma.Field[Any], help: str, *, default: Any = MISSING, secret: bool = False) -> Any:  # noqa: A002
    return field(default=default, metadata={"check": check, "help": help, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Every key of the environment configuration, checked; units stand in each key's help."""

    emailengine_url: str = _key(
        ma.Url(required=True, require_tld=False),
        "Address of EmailEngine, without a path, such as http://127.0.0.1:3000.",
    )
    emailengine_token: str = _key(
        ma.String(required=True, validate=validate.Length(min=1)),
        "Access token of EmailEngine with the scope `api` or `*`.",
        secret=True,
    )
    emailengine_service_secret: str = _key(
        ma.String(required=True, validate=validate.Length(min=8)),
        "Key with which EmailEngine signs its webhooks; setup sends it to EmailEngine.",
        secret=True,
    )
    webhook_url: str = _key(
        ma.String(validate=_address_or_nothing),
        "Address at which EmailEngine reaches `/webhook/`; empty: setup registers no webhook.",
        default="",
    )
    handle_unprocessed_emails_enabled: bool = _key(
        ma.Boolean(), "Run the scheduled recovery.", default=True
    )
    vacuum_cleaner_grace_period: float = _key(
        ma.Float(validate=_not_negative),
        "Minutes for which the recovery leaves a mail to the webhook.",
        default=2.0,
    )
    max_import_age_for_failed_messages: float = _key(
        ma.Float(validate=_positive),
        "Days for which the recovery tries mails of the failed folder again.",
        default=1.0,
    )
    recovery_interval: float = _key(
        ma.Float(validate=_positive), "Minutes between two scheduled recoveries.", default=20.0
    )
    failed_folder: str = _key(
        ma.String(validate=validate.Length(min=1, max=200)),
        "Mail folder to which mails that could not be imported are moved.",
        default="Lime CRM Integration Failed",
    )
    system_user: str = _key(
        ma.String(validate=validate.Length(min=1)),
        "The user as whom background work acts; setup creates it.",
        default="emailengine@lime",
    )
    conversation_parents: tuple[ConversationParent, ...] = _key(
        ma.List(ma.Nested(_ConversationParentSchema), validate=validate.Length(min=1)),
        "Limetypes that conversations can hang on; the first is made for new conversations.",
        default=(ConversationParent("helpdesk", "title"),),
    )
    follower_parents: tuple[FollowerParent, ...] = _key(
        ma.List(ma.Nested(_FollowerParentSchema)),
        "Limetypes that a follower can be, in the order in which an address is looked for.",
        default=(
            FollowerParent("coworker", "email", ("firstname", "lastname")),
            FollowerParent("person", "email", ("firstname", "lastname")),
        ),
    )
    join_by_subject: bool = _key(
        ma.Boolean(),
        "Let a reply without known references join the one recent conversation of the same"
        " account that has its subject and its sender.",
        default=True,
    )
    max_followers_per_mail: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Addresses of one mail that become followers; the rest are named in its trace.",
        default=40,
    )
    max_attachments_per_mail: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Files of one mail that are fetched; the rest are named in its trace.",
        default=100,
    )
    max_message_size: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Bytes of the files of one mail that are fetched; larger files are named in the message.",
        default=50_000_000,
    )
    max_body_size: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Characters of a body that are kept; a note in the message says that there is more.",
        default=2_000_000,
    )
    max_attachment_size: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Bytes of one file that can be sent; EmailEngine's EENGINE_MAX_SIZE must hold its base64.",
        default=3_900_000,
    )
    max_recipients: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Recipients that one message from the CRM may have.",
        default=100,
    )
    undo_seconds: float = _key(
        ma.Float(validate=_not_negative),
        "Seconds for which a message written in the CRM can be taken back.",
        default=10.0,
    )
    engine_timeout: float = _key(
        ma.Float(validate=_positive), "Seconds to wait for an answer of EmailEngine.", default=30.0
    )
    job_lease: float = _key(
        ma.Float(validate=_positive),
        "Seconds after which a job whose worker went silent is given to another worker.",
        default=300.0,
    )
    job_attempts: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Tries of a job before it is set aside as failed.",
        default=10,
    )
    job_retention: float = _key(
        ma.Float(validate=_positive), "Days for which finished jobs are kept.", default=7.0
    )
    worker_threads: int = _key(
        ma.Integer(strict=True, validate=_positive), "Threads of the in-process worker.", default=2
    )

    @property
    def lease(self) -> timedelta:
        """The job lease as a duration."""
        return timedelta(seconds=self.job_lease)


@dataclass(frozen=True, slots=True)
class Key:
    """A row of the table as the reference page and `default_config` show it."""

    name: str
    type: str
    default: object
    required: bool
    secret: bool
    help: str


def keys() -> tuple[Key, ...]:
    """Give the table of keys, in its order."""
    return tuple(
        Key(
            name=each.name,
            type=type(each.metadata["check"]).__name__.lower(),
            default=None if each.default is MISSING else each.default,
            required=each.default is MISSING,
            secret=each.metadata["secret"],
            help=each.metadata["help"],
        )
        for each in fields(Configuration)
    )


def load(config: Mapping[str, object], secrets: Mapping[str, str]) -> Configuration:
    """Check the values and give them as one `Configuration`.

    Raises `ConfigurationError` that names the key when one is unknown, missing, ill-typed, or when
    a secret stands among the plain values.
    """
    table = {each.name: each for each in fields(Configuration)}
    _refuse_misplaced(config, secrets, table)
    schema = Schema.from_dict({name: _check(each) for name, each in table.items()})(unknown=RAISE)
    try:
        values = schema.load({**config, **secrets})
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from None
    checked: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Configuration(**checked)


def _check(key: Field[Any]) -> ma.Field[Any]:
    check: ma.Field[Any] = key.metadata["check"]
    return check


def _refuse_misplaced(
    config: Mapping[str, object], secrets: Mapping[str, str], table: Mapping[str, Field[Any]]
) -> None:
    for name in config:
        if name in table and table[name].metadata["secret"]:
            raise ConfigurationError(f"{name}: is a secret; give it among the secrets")
    for name in secrets:
        if name in table and not table[name].metadata["secret"]:
            raise ConfigurationError(f"{name}: is no secret; give it among the plain values")


def _sentence(error: ValidationError) -> str:
    messages: dict[str, object] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return "; ".join(f"{name}: {_flat(messages[name])}" for name in sorted(messages))


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_flat(each)}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return str(value)
