import json
from pathlib import Path
from typing import Any

from limepkg_email.engine.oauth2 import EngineOAuthApp

CAPTURES = Path(__file__).parents[1] / "sandbox" / "captures"


def body(name: str) -> Any:
    return json.loads((CAPTURES / f"{name}.json").read_text("utf-8"))["response"]["body"]


def test_an_application_is_read_as_emailengine_shows_it() -> None:
    assert EngineOAuthApp.parse(body("oauth2-get-with-account")) == EngineOAuthApp(
        id="AAABogITAF4AAAAB",
        name="Outlook CRM renamed",
        provider="outlook",
        enabled=True,
        base_scopes="imap",
        authority="common",
        client_id="11111111-2222-3333-4444-555555555555",
        redirect_url="http://127.0.0.1:3300/oauth",
        has_secret=True,
    )


def test_an_entry_of_the_list_is_read_and_google_has_no_tenant() -> None:
    (entry,) = body("oauth2-list")["apps"]
    found = EngineOAuthApp.parse(entry)
    assert (found.id, found.provider, found.authority) == ("AAABogITAMoAAAAC", "gmail", "")


def test_what_is_missing_or_of_another_type_is_read_as_nothing() -> None:
    found = EngineOAuthApp.parse({"id": "A", "enabled": False, "name": 5, "clientSecret": None})
    assert found == EngineOAuthApp(id="A", enabled=False)
