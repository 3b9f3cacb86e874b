"""Connected mailboxes: who sends from them, how people sign in, what recoveries found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, text, true
from sqlalchemy.orm import Mapped, mapped_column

from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime


class Account(Base):
    """A connected mailbox. `engine_account` is its id in EmailEngine.

    `activated_at` is the instant from which mail is imported. `aliases` are further addresses that
    are its own. `parent_limetype` overrides the first configured conversation parent. With
    `import_unread` unread mail from before the activation is imported too. `relay` sends a
    follower's answer on to the others. Without an `autoreply_template` nothing is answered
    automatically; without a `relay_template` the default one serves. `message_template` is offered
    first in the composer. `signature` is HTML.

    `type` and `oauth_app` are what the engine says: `imap`, `gmail`, `outlook`… and the id of the
    OAuth2 application there. `state` is the engine's word of the instant `state_at`, `missing` when
    it does not know the account any more. `time_zone` is an IANA name.
    """

    __tablename__ = PREFIX + "account"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    engine_account: Mapped[str] = mapped_column(String(256), unique=True)
    email: Mapped[str] = mapped_column(String(320), index=True)
    name: Mapped[str] = mapped_column(String(256), default="")
    aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    state: Mapped[str] = mapped_column(String(64), default="init")
    last_error: Mapped[str] = mapped_column(Text, default="")
    parent_limetype: Mapped[str] = mapped_column(String(64), default="")
    create_persons: Mapped[bool] = mapped_column(Boolean, default=False)
    import_unread: Mapped[bool] = mapped_column(Boolean, default=True)
    activated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    relay: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    relay_template: Mapped[int | None] = mapped_column(BigId)
    autoreply_template: Mapped[int | None] = mapped_column(BigId)
    signature: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    message_template: Mapped[int | None] = mapped_column(BigId)
    type: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    oauth_app: Mapped[str] = mapped_column(
        String(64), default="", server_default=text("''"), index=True
    )
    state_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")


class AccountUser(Base):
    """A user to whom an account is assigned: may see it in the composer and send from it.

    Beside what the host's permission `email.send_as:<account>` allows.
    """

    __tablename__ = PREFIX + "account_user"

    account: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    user: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, index=True)


class OAuthApp(Base):
    """An OAuth2 application as the engine has it; `engine_app` is its id there.

    Its secret is kept by the engine alone. `base_scopes` is `api` for Gmail's API and Microsoft
    Graph, `imap` for IMAP and SMTP; `authority` is Microsoft's tenant. `missing` says that the
    engine does not know it any more.
    """

    __tablename__ = PREFIX + "oauth_app"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    engine_app: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    provider: Mapped[str] = mapped_column(String(32))
    base_scopes: Mapped[str] = mapped_column(String(16), default="imap")
    client_id: Mapped[str] = mapped_column(String(512), default="")
    authority: Mapped[str] = mapped_column(String(256), default="")
    redirect_url: Mapped[str] = mapped_column(String(1024), default="")
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    missing: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FormState(Base):
    """The one-time state of a link to the engine's hosted form; `digest` is its SHA-256.

    `choices` are the settings with which the account begins. `engine_account` is the account that
    signs in again, empty for a new one.
    """

    __tablename__ = PREFIX + "form_state"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[int] = mapped_column(BigId)
    engine_account: Mapped[str] = mapped_column(String(256), default="")
    choices: Mapped[Any] = mapped_column(JSON, default=dict)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccountReport(Base):
    """What a recovery found in an account: every mail it listed is in exactly one of the counts.

    `unaccounted` must be 0. `recovered` counts mails that came back from the failed folder,
    `error` says why the account could not be looked at to the end.
    """

    __tablename__ = PREFIX + "account_report"
    __table_args__ = (Index("ix_limepkg_email_account_report_account_id", "account", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account: Mapped[str] = mapped_column(String(256))
    run: Mapped[str] = mapped_column(String(36), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)
    listed: Mapped[int] = mapped_column(Integer, default=0)
    imported: Mapped[int] = mapped_column(Integer, default=0)
    recovered: Mapped[int] = mapped_column(Integer, default=0)
    second_sightings: Mapped[int] = mapped_column(Integer, default=0)
    filtered: Mapped[int] = mapped_column(Integer, default=0)
    own: Mapped[int] = mapped_column(Integer, default=0)
    too_old: Mapped[int] = mapped_column(Integer, default=0)
    before_activation: Mapped[int] = mapped_column(Integer, default=0)
    known: Mapped[int] = mapped_column(Integer, default=0)
    in_grace: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    unaccounted: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(Text, default="")
