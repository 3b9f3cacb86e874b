"""The administrator's pages as data."""

from __future__ import annotations

from pathlib import Path

import pytest
from marshmallow import ValidationError

from tests.installation import installed


def test_a_host_gets_the_pages_and_the_settings(tmp_path: Path) -> None:
    with installed(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        config = found.integration.register_config()
    assert [(each.title, each.component) for each in config.pages] == [
        ("OAuth2 Applications", "lwc-oauth-app-management"),
        ("Email Accounts", "lwc-account-management"),
        ("Templates", "lwc-template-management"),
    ]
    assert {each.permission for each in config.pages} == {"email.admin"}
    assert len({each.path for each in config.pages}) == len(config.pages)


def test_a_form_can_be_drawn_from_the_settings_and_refuses_what_is_out_of_bounds(
    tmp_path: Path,
) -> None:
    with installed(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        schema = found.integration.register_config().settings()
    for field in schema.fields.values():
        assert field.metadata["title"]
        assert field.metadata["description"]
    assert schema.load({"undo_seconds": 20}) == {"undo_seconds": 20.0}
    with pytest.raises(ValidationError):
        schema.load({"undo_seconds": 301})
    with pytest.raises(ValidationError):
        schema.load({"emailengine_url": "http://127.0.0.1"})
