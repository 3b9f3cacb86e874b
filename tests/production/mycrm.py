"""A CRM as it runs in production: web processes, Celery workers and beat import this module.

Everything comes from the environment: DATABASE_URL, BROKER_URL, FILES, ENGINE_URL, ENGINE_TOKEN,
WEBHOOK_URL. `celery -A tests.production.mycrm:celery_app worker` works, `python -m
tests.production.mycrm` serves the web and prints its port.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from flask import Flask

from limepkg_email.plugin import EmailIntegration
from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost
from limepkg_email.reference.server import WebServer
from tests.installation import SERVICE_SECRET

app = Flask("mycrm")
app.secret_key = "production"
host = ReferenceHost(
    app,
    {
        "demo": ReferenceApplicationOptions(
            database_url=os.environ["DATABASE_URL"],
            files_directory=Path(os.environ["FILES"]),
            config={
                "emailengine_url": os.environ["ENGINE_URL"],
                "webhook_url": os.environ.get("WEBHOOK_URL", ""),
                # Minutes by default: a test cannot wait for a silent worker that long.
                "job_lease": 5.0,
            },
            secrets={
                "emailengine_token": os.environ["ENGINE_TOKEN"],
                "emailengine_service_secret": SERVICE_SECRET,
            },
            password_method="pbkdf2:sha256:1",
        )
    },
)
email = EmailIntegration(host, load_entry_points=False)
email.register_blueprint(app)
celery_app = email.celery(os.environ["BROKER_URL"])

if __name__ == "__main__":
    with WebServer(app, "127.0.0.1", int(sys.argv[1])):
        threading.Event().wait()
