"""Somebody at the pages of the bundled CRM, without a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "long enough"


@dataclass
class Browser:
    """Somebody at the pages; keeps cookies and sends forms with the token of the page."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, buffered=True)

    def post(self, page: str, path: str, **data: Any) -> TestResponse:
        """Send a form that stands on the page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        token = found[1] if found else ""
        return self.client.post(path, data={"csrf_token": token, **data})

    def sign_in(self, login: str, **data: str) -> TestResponse:
        values = {"login": login, "password": PASSWORD, **data}
        return self.post("/demo/sign-in", "/demo/sign-in", **values)
