"""EmailEngine's OAuth2 applications: the calls of `EngineClient.oauth2` and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from limepkg_email.engine.reading import Json, integer, text
from limepkg_email.engine.transport import Transport, segment

Pages = Callable[[str, str, int, Mapping[str, object]], Iterator[Mapping[str, Any]]]
"""Reads a list page by page: path, key of the entries, entries per page, filters."""

_PATH: Final = "/v1/oauth2"
_PAGE_SIZE: Final = 1000


@dataclass(frozen=True, slots=True)
class EngineOAuthApp:
    """An OAuth2 application as EmailEngine shows it; its secret is never shown, only that it is.

    `base_scopes` is `imap` or `api`, `authority` Microsoft's tenant, empty for other providers.
    """

    id: str
    name: str = ""
    provider: str = ""
    enabled: bool = True
    base_scopes: str = "imap"
    authority: str = ""
    client_id: str = ""
    redirect_url: str = ""
    has_secret: bool = False

    @classmethod
    def parse(cls, value: Json) -> EngineOAuthApp:
        """Read an application, alone or in a list."""
        return cls(
            id=text(value.get("id")),
            name=text(value.get("name")),
            provider=text(value.get("provider")),
            enabled=value.get("enabled") is not False,
            base_scopes=text(value.get("baseScopes")) or "imap",
            authority=text(value.get("authority")),
            client_id=text(value.get("clientId")),
            redirect_url=text(value.get("redirectUrl")),
            has_secret=bool(value.get("clientSecret") or value.get("serviceKey")),
        )


class OAuth2Apps:
    """The calls about OAuth2 applications; they raise what those of `EngineClient` raise."""

    def __init__(self, http: Transport, pages: Pages) -> None:
        self._http = http
        self._pages = pages

    def all(self, *, page_size: int = _PAGE_SIZE) -> Iterator[EngineOAuthApp]:
        """Yield all applications, newest first, page by page."""
        seen: set[str] = set()
        for entry in self._pages(_PATH, "apps", page_size, {}):
            app = EngineOAuthApp.parse(entry)
            # One that is made meanwhile shifts the pages, so that an entry can come twice.
            if app.id and app.id not in seen:
                seen.add(app.id)
                yield app

    def get(self, app: str) -> EngineOAuthApp:
        """Return one application."""
        return EngineOAuthApp.parse(self._http.json("GET", _one(app)))

    def create(self, values: Mapping[str, Any]) -> str:
        """Make an application and return its id; the same values once more make another one."""
        return text(self._http.json("POST", _PATH, body=dict(values)).get("id"))

    def update(self, app: str, values: Mapping[str, Any]) -> None:
        """Change what is given of an application."""
        self._http.json("PUT", _one(app), body=dict(values), repeat=True)

    def delete(self, app: str) -> int:
        """Delete an application, if there is one, and return how many accounts are left without it.

        They are not deleted: they live on and cannot sign in any more.
        """
        return integer(self._http.json("DELETE", _one(app), repeat=True).get("accounts"))


def _one(app: str) -> str:
    return f"{_PATH}/{segment(app)}"
