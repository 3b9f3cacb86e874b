"""The CRM as a Flask application: its pages, and the email package's endpoints if it is given."""

from __future__ import annotations

from flask import Flask

from limepkg_email.plugin import EmailIntegration
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.integrated_mail import IntegratedMail
from limepkg_email.reference.mail import Mail
from limepkg_email.reference.pages import create_pages
from limepkg_email.reference.pages.faults import unexpected
from limepkg_email.web_components import static_blueprint

LARGEST_REQUEST = 64 * 1024 * 1024
LARGEST_TEXT = 4 * 1024 * 1024


def create_app(
    host: ReferenceHost,
    integration: EmailIntegration | None = None,
    *,
    secret_key: str,
    mail: Mail | None = None,
) -> Flask:
    """Make the web application of the CRM.

    `secret_key` signs the session cookies. With an `integration` its endpoints are mounted, and
    the tickets show its mail, unless `mail` says where else it comes from. Without either the CRM
    is one without mail.
    """
    app = Flask("limepkg_email.reference", static_folder=None)
    app.secret_key = secret_key
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_TEXT)
    host.init_app(app)
    if mail is None and integration is not None:
        mail = IntegratedMail(integration)
    app.register_blueprint(create_pages(host, mail))
    for status in (404, 405, 413, 500):
        app.register_error_handler(status, unexpected)
    if integration is not None:
        integration.register_blueprint(app)
        app.register_blueprint(static_blueprint(host_page=True))
    return app
