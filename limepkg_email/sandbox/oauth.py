"""OAuth2 applications: kept and shown, never used against a real provider."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime

from limepkg_email.sandbox import ids
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.validation import BOOLEAN, PAGING, STRING, STRINGS, Field, check

_COMMON: Mapping[str, Field] = {
    "name": STRING,
    "description": STRING,
    "title": STRING,
    "enabled": BOOLEAN,
    "clientId": STRING,
    "clientSecret": STRING,
    "baseScopes": Field("string", choices=("imap", "api", "pubsub")),
    "extraScopes": STRINGS,
    "skipScopes": STRINGS,
    "pubSubApp": STRING,
    "serviceClient": STRING,
    "googleProjectId": STRING,
    "googleWorkspaceAccounts": BOOLEAN,
    "serviceClientEmail": STRING,
    "serviceKey": STRING,
    "authority": STRING,
    "cloud": STRING,
    "tenant": STRING,
    "redirectUrl": Field("uri"),
    "includeInListing": BOOLEAN,
}
_PROVIDERS = ("gmail", "gmailService", "outlook", "outlookService", "mailRu")
_SECRETS = ("clientSecret", "serviceKey")
_MASK = "******"
_ORDER = (
    "id",
    "name",
    "description",
    "title",
    "provider",
    "enabled",
    "baseScopes",
    "authority",
    "clientId",
    "clientSecret",
    "redirectUrl",
    "cloud",
    "created",
    "updated",
    "includeInListing",
)


class OAuthApps:
    """All OAuth2 applications of a sandbox."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def find(self, app_id: str) -> Json | None:
        """The application with this id, secrets and all."""
        row = self._database.row("SELECT * FROM oauth_app WHERE id = ?", app_id)
        return _record(row) if row else None

    def all(self) -> list[Json]:
        """All applications, newest first."""
        rows = self._database.rows("SELECT * FROM oauth_app ORDER BY number DESC")
        return [_record(row) for row in rows]

    def create(self, body: object) -> Json:
        """Make an application."""
        values = check(body, _create_fields(body))
        values.setdefault("enabled", True)
        values.setdefault("baseScopes", "imap")
        values.setdefault("includeInListing", True)
        if values["provider"] == "outlook":
            values.setdefault("cloud", "global")
        now = self._clock()
        values["created"] = iso(now)
        with self._database.transaction():
            number = self._database.number("SELECT seq FROM sqlite_sequence WHERE name='oauth_app'")
            app_id = ids.app_id(now, number + 1)
            self._database.run(
                "INSERT INTO oauth_app (id, record) VALUES (?, ?)", app_id, dumps(values)
            )
        return {"id": app_id, "created": True}

    def update(self, app_id: str, body: object) -> Json:
        """Change what is given of an application."""
        values = check(body, _COMMON)
        with self._database.transaction():
            app = self.find(app_id)
            if app is None:
                raise _not_found()
            app.pop("id")
            app.update(values, updated=iso(self._clock()))
            self._database.run("UPDATE oauth_app SET record = ? WHERE id = ?", dumps(app), app_id)
        return {"id": app_id, "updated": True}

    def delete(self, app_id: str) -> Json:
        """Delete an application; its accounts live on as orphans."""
        with self._database.transaction():
            count = self.accounts(app_id) if self.find(app_id) else 0
            deleted = self._database.run("DELETE FROM oauth_app WHERE id = ?", app_id) > 0
        return {"id": app_id, "deleted": deleted, "accounts": count}

    def show(self, app_id: str) -> Json:
        """An application as the API shows it, with the number of its accounts."""
        app = self.find(app_id)
        if app is None:
            raise _not_found()
        return {**_shown(app), "accounts": self.accounts(app_id)}

    def list(self, query: Mapping[str, str]) -> Json:
        """A page of applications."""
        values = check(dict(query), PAGING)
        apps = self.all()
        page, size = values["page"], values["pageSize"]
        return {
            "total": len(apps),
            "pages": -(-len(apps) // size),
            "page": page,
            "apps": [_shown(app) for app in apps[page * size : (page + 1) * size]],
        }

    def accounts(self, app_id: str) -> int:
        """How many accounts use the application."""
        return self._database.number(
            "SELECT count(*) FROM account WHERE json_extract(record, '$.oauth2.provider') = ?",
            app_id,
        )


def _create_fields(body: object) -> Mapping[str, Field]:
    provider = body.get("provider") if isinstance(body, dict) else None
    fields = {
        **_COMMON,
        "name": Field("string", required=True),
        "provider": Field("string", required=True, choices=_PROVIDERS),
    }
    if provider in ("gmailService", "outlookService"):
        return fields
    required: dict[str, Field] = {
        "clientId": Field("string", required=True),
        "clientSecret": Field("string", required=True),
    }
    if provider == "outlook":
        required["authority"] = Field("string", required=True, label="Authority")
    required["redirectUrl"] = Field("uri", required=True, label="OAuth2AppRedirectUrl")
    return {key: rule for key, rule in fields.items() if key not in required} | required


def _record(row: sqlite3.Row) -> Json:
    return {"id": row["id"], **json.loads(row["record"])}


def _shown(app: Json) -> Json:
    masked = {key: _MASK if key in _SECRETS and app[key] else app[key] for key in app}
    known = {key: masked[key] for key in _ORDER if key in masked}
    return known | {key: value for key, value in masked.items() if key not in known}


def _not_found() -> ApiError:
    return ApiError(404, "Document was not found", code="NotFound")
