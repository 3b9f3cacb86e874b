"""The administrator's pages, as data: a host shows them wherever it keeps such pages."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import Schema

from limepkg_email.schema.settings import settings_schema

PERMISSION = "email.admin"
"""What a user needs to see any of the pages."""


@dataclass(frozen=True, slots=True)
class AdminPage:
    """One page: `path` is unique among them, `component` the tag of the web component in it."""

    title: str
    path: str
    permission: str
    component: str
    description: str


@dataclass(frozen=True, slots=True)
class AdminConfig:
    """All of it: the pages in their order, and what an administrator may set.

    `settings` is a marshmallow schema from which a host can draw a form: each field has `title` and
    `description` in its metadata, and its bounds. What was filled in goes to `PUT /settings/`.
    """

    name: str
    title: str
    pages: tuple[AdminPage, ...]
    settings: type[Schema]


ADMIN_CONFIG = AdminConfig(
    name="limepkg_email",
    title="Email integration",
    pages=(
        AdminPage(
            "OAuth2 Applications",
            "oauth2-applications",
            PERMISSION,
            "lwc-oauth-app-management",
            "Applications with which people sign in at Google and Microsoft.",
        ),
        AdminPage(
            "Email Accounts",
            "email-accounts",
            PERMISSION,
            "lwc-account-management",
            "The mailboxes that are connected, and how they are doing.",
        ),
        AdminPage(
            "Templates",
            "templates",
            PERMISSION,
            "lwc-template-management",
            "Texts of messages, automatic replies and relayed mails.",
        ),
    ),
    settings=settings_schema(),
)
"""What `EmailIntegration.register_config` gives."""
