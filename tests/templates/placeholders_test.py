"""What authors are told about the values that they may write."""

import pytest

from limepkg_email.errors import Forbidden
from limepkg_email.templates import placeholders
from limepkg_email.templates.context import KNOWN
from limepkg_email.templates.placeholders import list_placeholders
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import TemplateSource, check
from tests.templates.conftest import Office

NAMES = {*KNOWN, *(f"{name}.{part}" for name, parts in KNOWN.items() for part in parts)}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_value_there_is_and_no_other_has_an_explanation(language: str) -> None:
    assert set(placeholders._EXPLANATIONS[language]) == NAMES


@pytest.mark.parametrize("language", ["en", "sv-FI", "de", None])
def test_values_are_listed_as_templates_write_them(office: Office, language: str | None) -> None:
    groups = list_placeholders(office.agent, language)
    values = [value for group in groups for value in group.values]
    assert {each.name for each in (*groups, *values)} == NAMES
    for each in values:
        assert each.explanation.endswith((".", "}}."))
        assert each.example
        check(TemplateSource("", f"<p>{{{{ {each.name} }}}}</p>"), MOCKED)


def test_examples_are_in_the_language_of_the_explanations(office: Office) -> None:
    found = {
        value.name: value.example
        for group in list_placeholders(office.agent, "sv")
        for value in group.values
    }
    assert found["message.date"] == "22 november 2026 09:30 UTC"
    assert found["message.body"] == "When will the parcel come?"


def test_only_users_of_the_integration_are_told(office: Office) -> None:
    with pytest.raises(Forbidden):
        list_placeholders(office.stranger)
