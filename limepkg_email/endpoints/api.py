"""Mounts the endpoints in a host's Flask app and documents them, without touching its own pages."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_smorest import Api

from limepkg_email.endpoints import (
    account_form,
    body,
    composer,
    conversation,
    conversations,
    delivery,
    documentation,
    documents,
    drafts,
    elsewhere,
    failed_messages,
    feed,
    health,
    log,
    message,
    metrics,
    oauth_app,
    reading,
    receipts,
    recovery,
    runs,
    settings,
    setup,
    signature,
    snippet,
    sync,
    template,
    time_zone,
    webhook,
)
from limepkg_email.endpoints.current import EXTENSION, Mounted
from limepkg_email.endpoints.document import describe, permissions
from limepkg_email.endpoints.faults import ErrorSchema
from limepkg_email.endpoints.resource import Resource

if TYPE_CHECKING:
    from limepkg_email.plugin import EmailIntegration

TITLE = "Email Integration API"

RESOURCES: tuple[Resource, ...] = (
    webhook.blueprint,
    account_form.blueprint,
    conversation.blueprint,
    conversations.blueprint,
    drafts.blueprint,
    composer.blueprint,
    message.blueprint,
    documents.blueprint,
    failed_messages.blueprint,
    receipts.blueprint,
    recovery.blueprint,
    log.blueprint,
    metrics.blueprint,
    delivery.blueprint,
    body.blueprint,
    feed.blueprint,
    reading.blueprint,
    oauth_app.blueprint,
    sync.blueprint,
    runs.blueprint,
    time_zone.blueprint,
    template.blueprint,
    snippet.blueprint,
    signature.blueprint,
    settings.blueprint,
    setup.blueprint,
    health.blueprint,
    documentation.blueprint,
    elsewhere.unknown,
)
"""Every group of endpoints."""


class QuietApi(Api):  # type: ignore[misc]
    """An `Api` that leaves the app as it found it, but for the blueprints it is given."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        # The original answers every error of the whole app in JSON, those of the host's own pages
        # included. The blueprints have handlers of their own.
        pass

    def _register_doc_blueprint(self) -> None:
        # The document is an endpoint like the others, below the same prefix.
        pass

    def add(self, resource: Resource, url_prefix: str) -> None:
        """Register the endpoints of a group, and their documentation unless it has none."""
        self._app.register_blueprint(resource, url_prefix=url_prefix)
        if resource.documented:
            self.spec.tag({"name": resource.tag, "description": resource.description})
            resource.register_views_in_doc(
                self, self._app, self.spec, name=resource.name, parameters=None
            )


def mount(app: Flask, integration: EmailIntegration, url_prefix: str) -> None:
    """Add every endpoint to the app below the prefix; an app takes one integration."""
    if EXTENSION in app.extensions:
        raise ValueError("the email integration is mounted in this app already")
    options = {"title": TITLE, "version": version("limepkg-email"), "openapi_version": "3.1.0"}
    api = QuietApi(app, config_prefix=EXTENSION, spec_kwargs=options)
    for resource in RESOURCES:
        api.add(resource, url_prefix)
    access = permissions(app, url_prefix, {each.name for each in RESOURCES})

    def document(base_url: str) -> dict[str, Any]:
        return describe(api.spec.to_dict(), url_prefix, base_url, access)

    app.extensions[EXTENSION] = Mounted(integration, document)
