"""The hosted form: a page on which a person connects a mailbox, and the way back."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request

from limepkg_email.sandbox import account_fields, ids
from limepkg_email.sandbox.accounts import Accounts
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.oauth import OAuthApps
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.validation import BOOLEAN, DATE, STRING, STRINGS, Field, check

_FIELDS = {
    "account": Field("string", nullable=True),
    "name": STRING,
    "email": Field("email"),
    "expectedEmail": Field("email"),
    "delegated": BOOLEAN,
    "syncFrom": Field("date", nullable=True),
    "notifyFrom": DATE,
    "subconnections": STRINGS,
    "path": Field("any"),
    "redirectUrl": Field("uri", required=True),
    "type": STRING,
}
_LIFETIME_MS = 24 * 3600 * 1000


class LinkError(Exception):
    """A link that was tampered with, used already, or is too old."""


class Forms:
    """Signed single-use links and what they lead to."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        accounts: Accounts,
        apps: OAuthApps,
        options: SandboxOptions,
    ) -> None:
        self._database = database
        self._settings = settings
        self._accounts = accounts
        self._apps = apps
        self._clock = options.clock

    def url(self, body: object) -> str:
        """A new link to the form."""
        values = check(body, _FIELDS)
        kind = values.pop("type", "")
        data = {key: value for key, value in values.items() if value is not None}
        for key in ("notifyFrom", "syncFrom"):
            if key in data:
                data[key] = iso(data[key])
        return self._link("/accounts/new", data, self._known_kind(kind))

    def consent_url(self, values: Json, redirect_url: str) -> str:
        """The address of the sign-in page for an account that is to use OAuth2."""
        oauth2 = values["oauth2"]
        data: Json = {
            key: values[key] for key in ("account", "name", "email") if values.get(key) is not None
        }
        auth = oauth2.get("auth") or {}
        data.setdefault("email", auth.get("user", ""))
        data["redirectUrl"] = redirect_url
        return self._link("/accounts/consent", data, str(oauth2.get("provider", "")))

    def read(self, data: str, signature: str, *, use: bool = False) -> Json:
        """What a link says; raises LinkError. `use` makes it the last time."""
        if not hmac.compare_digest(self._signature(data), signature):
            raise LinkError
        try:
            values: Json = json.loads(ids.decode(data))
        except (ValueError, binascii.Error) as error:
            raise LinkError from error
        age = self._clock().timestamp() * 1000 - values["t"]
        with self._database.transaction():
            used = self._database.row("SELECT 1 FROM form WHERE nonce = ?", values["n"])
            if used or age > _LIFETIME_MS:
                raise LinkError
            if use:
                self._database.run("INSERT INTO form VALUES (?, '')", values["n"])
        return values

    def app(self, kind: str) -> Json | None:
        """The OAuth2 application that a form type names."""
        return self._apps.find(kind)

    def apps(self) -> list[Json]:
        """The applications that the form offers."""
        return [app for app in self._apps.all() if app.get("enabled", True)]

    def consent_link(self, values: Json, kind: str) -> str:
        """The way from the form to the sign-in page of a provider, with the same link data."""
        return self._link("/accounts/consent", values, kind, nonce=values["n"])

    def register(self, values: Json, *, email: str, name: str, password: str, app: str) -> str:
        """Create the account; gives the address to send the browser to."""
        auth = {"user": email}
        body: Json = {"name": name or email, "email": email, "account": values.get("account")}
        if app:
            body["oauth2"] = {
                "provider": app,
                "auth": auth,
                "accessToken": secrets.token_hex(8),
                "refreshToken": secrets.token_hex(8),
            }
        else:
            server = {"host": "sandbox.example.com", "secure": True}
            login = {**auth, "pass": password}
            body["imap"] = {"auth": login, **server, "port": 993}
            body["smtp"] = {"auth": login, **server, "port": 465}
        for key in ("path", "subconnections", "notifyFrom", "syncFrom"):
            if key in values:
                body[key] = values[key]
        created = self._accounts.create(account_fields.check_create(body))
        parts = urlsplit(str(values["redirectUrl"]))
        pairs = [
            pair
            for pair in parse_qsl(parts.query, keep_blank_values=True)
            if pair[0] not in ("account", "state")
        ]
        pairs += [("account", created["account"]), ("state", created["state"])]
        return urlunsplit(parts._replace(query=urlencode(pairs)))

    def _known_kind(self, kind: str) -> str:
        return kind if kind == "imap" or self._apps.find(kind) else ""

    def _link(self, path: str, data: Json, kind: str, *, nonce: str = "") -> str:
        now = int(self._clock().timestamp() * 1000)
        values = {key: value for key, value in data.items() if key not in ("n", "t")}
        signed = {**values, "n": nonce or secrets.token_urlsafe(16), "t": data.get("t", now)}
        encoded = ids.encode(dumps(signed).encode("utf-8"))
        link = f"{self._settings.service_url.rstrip('/')}{path}"
        link += f"?data={encoded}&sig={self._signature(encoded)}"
        return link + (f"&type={quote(kind)}" if kind else "")

    def _signature(self, data: str) -> str:
        secret = str(self._settings.get("serviceSecret") or "").encode()
        digest = hmac.new(secret, data.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def blueprint(forms: Forms) -> Blueprint:
    """The pages of the form."""
    routes = Blueprint("form", __name__, template_folder="templates")

    @routes.errorhandler(LinkError)
    def link_error(_error: LinkError) -> tuple[str, int]:
        return render_template("form_error.html", message="This link was used or has expired."), 403

    @routes.get("/accounts/new")
    def show_form() -> str | Response:
        kind = request.args.get("type", "")
        values = forms.read(request.args.get("data", ""), request.args.get("sig", ""))
        if kind and kind != "imap":
            app = forms.app(kind)
            if app is not None and not app.get("enabled", True):
                return render_template("form_error.html", message="This application is disabled.")
            link = forms.consent_link(values, kind)
            return _to(f"{link}&login_hint={quote(str(values.get('email', '')))}")
        choices = (
            []
            if kind
            else [
                (app.get("title") or app["name"], forms.consent_link(values, app["id"]))
                for app in forms.apps()
            ]
        )
        return render_template("form.html", values=values, choices=choices, consent=False)

    @routes.get("/accounts/consent")
    def show_consent() -> str:
        values = forms.read(request.args.get("data", ""), request.args.get("sig", ""))
        app = forms.app(request.args.get("type", "")) or {"name": "an unknown application"}
        return render_template("form.html", values=values, choices=[], consent=True, app=app)

    @routes.post("/accounts/new")
    @routes.post("/accounts/consent")
    def connect() -> str | tuple[str, int]:
        data, signature = request.args.get("data", ""), request.args.get("sig", "")
        consent = request.path.endswith("/consent")
        if consent and request.form.get("answer") == "deny":
            # No way back: the real one shows an error and calls nobody.
            return render_template("form_error.html", message="Access was denied."), 400
        values = forms.read(data, signature, use=True)
        target = forms.register(
            values,
            email=request.form.get("email", "").strip(),
            name=request.form.get("name", "").strip(),
            password=request.form.get("password", ""),
            app=request.args.get("type", "") if consent else "",
        )
        return render_template("form_done.html", target=target)

    return routes


def _to(address: str) -> Response:
    response = redirect(address)
    return Response(response.get_data(), 302, {"Location": address})
