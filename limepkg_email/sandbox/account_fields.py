"""What may be said when an account is registered or changed, and how it is shown again."""

from collections.abc import Mapping

from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.validation import (
    BOOLEAN,
    HEADER_LIST,
    INTEGER,
    PAGING,
    STRING,
    STRINGS,
    Field,
    check,
)

STATES = (
    "init",
    "unset",
    "connected",
    "connecting",
    "syncing",
    "authenticationError",
    "connectError",
    "disconnected",
    "paused",
)
_AUTH = Field(
    "object",
    keys={
        "user": Field("string", required=True),
        "pass": Field("string", nullable=True),
        "accessToken": Field("string", nullable=True),
        "delegatedUser": STRING,
        "delegatedAccount": STRING,
    },
)
_SERVER: Mapping[str, Field] = {
    "auth": _AUTH,
    "useAuthServer": BOOLEAN,
    "host": STRING,
    "port": INTEGER,
    "secure": BOOLEAN,
    "tls": Field("object"),
    "partial": BOOLEAN,
}
_IMAP: Mapping[str, Field] = {
    **_SERVER,
    "resyncDelay": INTEGER,
    "disabled": BOOLEAN,
    "sentMailPath": Field("string", nullable=True),
    "draftsMailPath": Field("string", nullable=True),
    "junkMailPath": Field("string", nullable=True),
    "trashMailPath": Field("string", nullable=True),
    "archiveMailPath": Field("string", nullable=True),
}
_OAUTH2: Mapping[str, Field] = {
    "authorize": BOOLEAN,
    "provider": STRING,
    "redirectUrl": Field("uri"),
    "auth": _AUTH,
    "useAuthServer": BOOLEAN,
    "accessToken": STRING,
    "refreshToken": STRING,
    "authority": STRING,
    "expires": Field("date"),
    "partial": BOOLEAN,
}
_COMMON: Mapping[str, Field] = {
    "name": STRING,
    "email": Field("email"),
    "path": Field("any"),
    "subconnections": STRINGS,
    "webhooks": Field("any", nullable=True),
    "copy": Field("boolean", nullable=True),
    "logs": BOOLEAN,
    "notifyFrom": Field("date", nullable=True),
    "syncFrom": Field("date", nullable=True),
    "proxy": Field("string", nullable=True),
    "smtpEhloName": Field("string", nullable=True),
    "imapIndexer": Field("string", choices=("full", "fast")),
    "imap": Field("object", keys=_IMAP, nullable=True),
    "smtp": Field("object", keys=_SERVER, nullable=True),
    "oauth2": Field("object", keys=_OAUTH2, nullable=True),
    "webhooksCustomHeaders": HEADER_LIST,
    "locale": Field("string", nullable=True),
    "tz": Field("string", nullable=True),
}
_CREATE: Mapping[str, Field] = {
    "account": Field("string", nullable=True, maximum=256),
    **_COMMON,
    "name": Field("string", required=True, maximum=256),
}
_LIST: Mapping[str, Field] = {
    **PAGING,
    "state": Field("string", label="AccountState", choices=STATES),
    "query": STRING,
}


def check_create(body: object) -> Json:
    """The checked body of an account registration."""
    return _to_json(check(body, _CREATE))


def check_update(body: object) -> Json:
    """The checked body of a change."""
    return _to_json(check(body, _COMMON))


def check_list(query: Mapping[str, str]) -> Json:
    """The checked query of the account list."""
    return check(dict(query), _LIST)


def masked_blocks(record: Json) -> Json:
    """The connection blocks with stars in the place of secrets."""
    blocks: Json = {}
    for key in ("imap", "oauth2", "smtp"):
        block = record.get(key)
        if not isinstance(block, dict):
            continue
        shown = dict(block)
        auth = shown.get("auth")
        if isinstance(auth, dict):
            shown["auth"] = {
                name: "******" if name in ("pass", "accessToken") and value else value
                for name, value in auth.items()
            }
        for secret in ("accessToken", "refreshToken"):
            if shown.get(secret):
                shown[secret] = "******"
        if key == "imap" and not shown.get("disabled"):
            shown.setdefault("resyncDelay", 900)
        blocks[key] = shown
    return blocks


def _to_json(values: Json) -> Json:
    for key in ("notifyFrom", "syncFrom"):
        if values.get(key) is not None:
            values[key] = iso(values[key])
        elif key in values and key == "notifyFrom":
            del values[key]
    oauth2 = values.get("oauth2")
    if isinstance(oauth2, dict) and oauth2.get("expires") is not None:
        oauth2["expires"] = iso(oauth2["expires"])
    return values
