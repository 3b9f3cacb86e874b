"""Instance-wide settings: what the API shows of them, and the sandbox's own."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.validation import (
    BOOLEAN,
    HEADER_LIST,
    INTEGER,
    STRING,
    STRINGS,
    Field,
    check,
)

_NULLABLE_URI = Field("uri", nullable=True)
FIELDS: Mapping[str, Field] = {
    "webhooksEnabled": BOOLEAN,
    "webhooks": _NULLABLE_URI,
    "webhookEvents": STRINGS,
    "webhooksCustomHeaders": HEADER_LIST,
    "notifyHeaders": STRINGS,
    "serviceUrl": _NULLABLE_URI,
    "serviceSecret": Field("string", nullable=True),
    "authServer": _NULLABLE_URI,
    "proxyEnabled": BOOLEAN,
    "proxyUrl": STRING,
    "notifyText": BOOLEAN,
    "notifyTextSize": INTEGER,
    "notifyWebSafeHtml": BOOLEAN,
    "notifyAttachments": BOOLEAN,
    "notifyAttachmentSize": INTEGER,
    "notifyCalendarEvents": BOOLEAN,
    "inboxNewOnly": BOOLEAN,
    "trackSentMessages": BOOLEAN,
    "trackOpens": BOOLEAN,
    "trackClicks": BOOLEAN,
    "resolveGmailCategories": BOOLEAN,
    "ignoreMailCertErrors": BOOLEAN,
    "queueKeep": INTEGER,
    "deliveryAttempts": INTEGER,
    "sentryEnabled": BOOLEAN,
    "templateHeader": STRING,
    "templateHtmlHead": STRING,
    "scriptEnv": STRING,
    "enableApiProxy": BOOLEAN,
    "enableTokens": BOOLEAN,
    "pageBrandName": STRING,
    "locale": STRING,
    "timezone": STRING,
    "imapIndexer": STRING,
    "gmailEnabled": BOOLEAN,
    "outlookEnabled": BOOLEAN,
    "smtpEhloName": STRING,
}
_DEFAULTS: Json = {"notifyText": True, "notifyTextSize": 2 * 1024 * 1024, "queueKeep": 0}
_OWN = "sandbox."


class Settings:
    """All settings, in memory and on disk."""

    def __init__(self, database: Database, service_url: str) -> None:
        self._database = database
        self._values: Json = {
            row["key"]: json.loads(row["value"])
            for row in database.rows("SELECT key, value FROM setting")
        }
        for key, value in {**_DEFAULTS, "serviceSecret": secrets.token_hex(16)}.items():
            if key not in self._values:
                self._put(key, value)
        self._service_url = service_url

    def get(self, key: str) -> Any:
        """The value of a setting, None when it was never set."""
        return self._values.get(key)

    @property
    def service_url(self) -> str:
        """The public address of the sandbox."""
        return str(self._values.get("serviceUrl") or self._service_url)

    def own(self, key: str, default: Any) -> Any:
        """A setting that only the sandbox has."""
        return self._values.get(_OWN + key, default)

    def set_own(self, key: str, value: Any) -> None:
        """Change a setting that only the sandbox has."""
        self._put(_OWN + key, value)

    def show(self, query: Mapping[str, str]) -> Json:
        """The wanted settings as the API shows them; a secret is only ever `true`."""
        wanted = check(dict(query), {**dict.fromkeys(FIELDS, BOOLEAN), "eventTypes": BOOLEAN})
        shown: Json = {}
        for key, value in wanted.items():
            if not value:
                continue
            if key == "serviceUrl":
                shown[key] = self.service_url
            elif key == "serviceSecret":
                shown[key] = bool(self._values.get(key))
            else:
                shown[key] = self._values.get(key)
        return shown

    def update(self, body: Any) -> list[str]:
        """Change settings; gives the names of the changed ones."""
        checked = check(body, FIELDS)
        for key, value in checked.items():
            self._put(key, value)
        return [key for key in body if key in checked]

    def reset(self) -> None:
        """Back to the settings of a fresh instance; the secret stays."""
        with self._database.transaction():
            for key in [key for key in self._values if key not in _DEFAULTS]:
                if key != "serviceSecret":
                    del self._values[key]
                    self._database.run("DELETE FROM setting WHERE key = ?", key)
            for key, value in _DEFAULTS.items():
                self._put(key, value)

    def _put(self, key: str, value: Any) -> None:
        self._values[key] = value
        self._database.run(
            "INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)", key, dumps(value)
        )
