"""The one table of configuration keys: name, type, default, whether secret, and its meaning.

Environment values are set by whoever deploys. Those keys that an administrator may change as well
are marked with `editable`; what administrators chose lives in the host's settings and is laid over
the environment (`schema/settings.py`). Addresses and secrets are never among them, so that a
restored database carries no production token into a test system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
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


_language = validate.Regexp(
    re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z"),
    error="Give the code of a language, such as “en” or “sv”, or with a region “en-GB”.",
)


def _token_or_nothing(value: str) -> None:
    if value:
        validate.Length(min=16)(value)


_positive = validate.Range(min=0, min_inclusive=False)
_not_negative = validate.Range(min=0)


class Editable(StrEnum):
    """Whether an administrator may change a key, besides whoever deploys."""

    NEVER = "never"
    UNLESS_SET = "unless_set"
    """Yes, unless the environment says what it has to be."""
    DOWNWARDS = "downwards"
    """Yes, but never above what the environment allows: its value, or the default."""


def _key(
    check: ma.Field[Any],
    help: str,  # noqa: A002
    *,
    default: Any = MISSING,
    secret: bool = False,
    editable: Editable = Editable.NEVER,
    between: tuple[float, float] | None = None,
) -> Any:
    # `between` are the bounds of what an administrator may choose.
    metadata = {
        "check": check,
        "help": help,
        "secret": secret,
        "editable": editable,
        "between": between,
    }
    # What is written of the object, into a log or a report of an error, has no secret in it.
    return field(default=default, repr=not secret, metadata=metadata)


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
    metrics_token: str = _key(
        ma.String(validate=_token_or_nothing),
        "Token with which `/metrics` may be read; empty: only administrators may.",
        default="",
        secret=True,
    )
    webhook_url: str = _key(
        ma.String(validate=_address_or_nothing),
        "Address at which EmailEngine reaches `/webhook/`; empty: setup registers no webhook.",
        default="",
    )
    handle_unprocessed_emails_enabled: bool = _key(
        ma.Boolean(),
        "Run the scheduled recovery.",
        default=True,
        editable=Editable.UNLESS_SET,
    )
    vacuum_cleaner_grace_period: float = _key(
        ma.Float(validate=_not_negative),
        "Minutes for which the recovery leaves a mail to the webhook.",
        default=2.0,
        editable=Editable.UNLESS_SET,
        between=(0, 1440),
    )
    max_import_age_for_failed_messages: float = _key(
        ma.Float(validate=_positive),
        "Days for which the recovery tries mails of the failed folder again.",
        default=1.0,
        editable=Editable.UNLESS_SET,
        between=(0, 365),
    )
    recovery_interval: float = _key(
        ma.Float(validate=_positive),
        "Minutes between two scheduled recoveries.",
        default=20.0,
        editable=Editable.UNLESS_SET,
        between=(1, 1440),
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
        editable=Editable.UNLESS_SET,
    )
    max_followers_per_mail: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Addresses of one mail that become followers; the rest are named in its trace.",
        default=40,
        editable=Editable.DOWNWARDS,
    )
    max_attachments_per_mail: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Files of one mail that are fetched; the rest are named in its trace.",
        default=100,
        editable=Editable.DOWNWARDS,
    )
    max_message_size: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Bytes of the files of one mail that are fetched; larger files are named in the message.",
        default=50_000_000,
        editable=Editable.DOWNWARDS,
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
        editable=Editable.DOWNWARDS,
    )
    max_draft_files_size: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Bytes of the files that one user's drafts may hold together.",
        default=100_000_000,
    )
    max_recipients: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Recipients that one message from the CRM may have.",
        default=100,
        editable=Editable.DOWNWARDS,
    )
    undo_seconds: float = _key(
        ma.Float(validate=_not_negative),
        "Seconds for which a message written in the CRM can be taken back.",
        default=10.0,
        editable=Editable.UNLESS_SET,
        between=(0, 300),
    )
    max_relays_per_address: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Relayed mails that one address gets within two hours, so that machines come to rest.",
        default=40,
        editable=Editable.UNLESS_SET,
        between=(1, 200),
    )
    max_autoreplies_per_address: int = _key(
        ma.Integer(strict=True, validate=_positive),
        "Automatic replies that one address gets within two hours.",
        default=5,
        editable=Editable.UNLESS_SET,
        between=(1, 20),
    )
    default_language: str = _key(
        ma.String(validate=_language),
        "Language of templates where there is none in the wanted language, such as `en` or `sv`.",
        default="en",
        editable=Editable.UNLESS_SET,
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
        ma.Float(validate=_positive),
        "Days for which finished jobs are kept.",
        default=7.0,
        editable=Editable.UNLESS_SET,
        between=(1, 365),
    )
    run_retention: float = _key(
        ma.Float(validate=_positive),
        "Days for which tasks that have ended can be asked after.",
        default=30.0,
        editable=Editable.UNLESS_SET,
        between=(1, 365),
    )
    log_retention: float = _key(
        ma.Float(validate=_positive),
        "Days for which entries of the log are kept.",
        default=90.0,
        editable=Editable.UNLESS_SET,
        between=(1, 3650),
    )
    sent_text_retention: float = _key(
        ma.Float(validate=_positive),
        "Days for which the text of a mail that was sent, failed or was cancelled is kept in the"
        " outbox, from where it can be sent again.",
        default=30.0,
        editable=Editable.UNLESS_SET,
        between=(1, 3650),
    )
    audit_retention: float = _key(
        ma.Float(validate=_positive),
        "Days for which it is kept what administrators did.",
        default=730.0,
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
    """A row of the table as the reference page and `default_config` show it.

    `check` is the field that checks a value, `between` are the bounds of an administrator's choice.
    """

    name: str
    type: str
    default: object
    required: bool
    secret: bool
    help: str
    check: ma.Field[Any]
    editable: Editable
    between: tuple[float, float] | None


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
            check=each.metadata["check"],
            editable=each.metadata["editable"],
            between=each.metadata["between"],
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


def plain(value: object) -> object:
    """Give the value of a key as JSON can carry it."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        named: dict[str, Any] = asdict(value)
        return {name: plain(each) for name, each in named.items()}
    return value


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
