"""Storing templates, on SQLite and PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import update

from limepkg_email.db import table
from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound, TemplateError
from limepkg_email.models import Account
from limepkg_email.services import Services
from limepkg_email.templates.defaults import Purpose, built_in
from limepkg_email.templates.service import (
    TemplateInput,
    create_template,
    delete_template,
    get_template,
    list_templates,
    update_template,
)
from limepkg_email.templates.serving import create_defaults, default_for, set_default, source_for
from limepkg_email.templates.stored import StoredTemplate
from tests.templates.conftest import Office

ANSWER = TemplateInput("Answer", "message", "en", "Re: {{ conversation.subject }}", "<p>Hi</p>")


def use_template(office: Office, **columns: int | None) -> None:
    with office.admin.application.database.begin() as connection:
        connection.execute(update(table(Account)).values(**columns))


def default(office: Office, name: str, language: str, purpose: str = "message") -> StoredTemplate:
    wanted = TemplateInput(name, purpose, language, "", f"<p>{name}</p>")
    return set_default(office.admin, create_template(office.admin, wanted).id)


def test_a_template_can_be_created_read_changed_and_deleted(office: Office) -> None:
    created = create_template(office.admin, ANSWER)
    assert (created.version, created.is_default, created.purpose) == (1, False, Purpose.MESSAGE)
    assert get_template(office.agent, created.id) == created
    changed = update_template(office.admin, created.id, 1, replace(ANSWER, body="<p>Ho</p>"))
    assert (changed.version, changed.body) == (2, "<p>Ho</p>")
    delete_template(office.admin, created.id, 2)
    with pytest.raises(NotFound):
        get_template(office.agent, created.id)


def test_templates_are_listed_by_name_and_purpose(office: Office) -> None:
    for name, purpose in (("B", "relay"), ("A", "message"), ("C", "relay")):
        create_template(office.admin, replace(ANSWER, name=name, purpose=purpose))
    assert [each.name for each in list_templates(office.agent)] == ["A", "B", "C"]
    assert [each.name for each in list_templates(office.agent, "relay")] == ["B", "C"]


def test_a_change_of_a_version_that_somebody_else_changed_is_a_conflict(office: Office) -> None:
    created = create_template(office.admin, ANSWER)
    update_template(office.admin, created.id, 1, replace(ANSWER, body="<p>theirs</p>"))
    with pytest.raises(Conflict, match="it has version 2"):
        update_template(office.admin, created.id, 1, replace(ANSWER, body="<p>mine</p>"))
    with pytest.raises(Conflict):
        set_default(office.admin, created.id, 1)
    with pytest.raises(Conflict):
        delete_template(office.admin, created.id, 1)
    assert get_template(office.admin, created.id).body == "<p>theirs</p>"


def test_a_name_is_given_once(office: Office) -> None:
    create_template(office.admin, ANSWER)
    other = create_template(office.admin, replace(ANSWER, name="Other"))
    with pytest.raises(Conflict, match="named “Answer” already") as caught:
        create_template(office.admin, ANSWER)
    assert "name" in caught.value.errors
    with pytest.raises(Conflict):
        update_template(office.admin, other.id, 1, ANSWER)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 129),
        ("purpose", "newsletter"),
        ("language", ""),
        ("language", "english"),
        ("language", "en-" + "x" * 20),
        ("language", "e<"),
        ("subject", "x" * 513),
        ("body", " \n"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(office: Office, field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_template(office.admin, replace(ANSWER, **{field: value}))
    assert list(caught.value.errors) == [field]


def test_a_template_with_an_unknown_name_is_not_stored(office: Office) -> None:
    wrong = replace(ANSWER, subject="{{ recipent.name }}", body="a\n{{ user.nam }}")
    with pytest.raises(TemplateError) as caught:
        create_template(office.admin, wrong)
    assert caught.value.errors == {
        "subject": ["Line 1: There is no value `recipent`. Did you mean `recipient`?"],
        "body": ["Line 2: There is no value `user.nam`. Did you mean `user.name`?"],
    }
    created = create_template(office.admin, ANSWER)
    with pytest.raises(TemplateError):
        update_template(office.admin, created.id, 1, wrong)
    assert list_templates(office.admin) == [created]


@pytest.mark.parametrize(
    "change",
    [
        lambda services: create_template(services, ANSWER),
        lambda services: update_template(services, 1, 1, ANSWER),
        lambda services: delete_template(services, 1),
        lambda services: set_default(services, 1),
        lambda services: create_defaults(services),
    ],
)
def test_only_administrators_change_templates(
    office: Office, change: Callable[[Services], object]
) -> None:
    with pytest.raises(Forbidden, match=r"email\.admin"):
        change(office.agent)


def test_only_users_of_the_integration_read_templates(office: Office) -> None:
    for read in (list_templates, lambda services: get_template(services, 1)):
        with pytest.raises(Forbidden):
            read(office.stranger)


def test_what_is_not_there_is_not_found(office: Office) -> None:
    for act in (
        lambda: get_template(office.admin, 99),
        lambda: update_template(office.admin, 99, 1, ANSWER),
        lambda: delete_template(office.admin, 99),
        lambda: set_default(office.admin, 99),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_purpose_and_language_has_one_default(office: Office) -> None:
    first = default(office, "First", "en")
    swedish = default(office, "Svensk", "sv")
    second = default(office, "Second", "en")
    assert second.is_default
    assert not get_template(office.admin, first.id).is_default
    assert get_template(office.admin, swedish.id).is_default
    assert set_default(office.admin, second.id).is_default


def test_people_who_choose_a_default_at_once_leave_one(office: Office) -> None:
    ids = [create_template(office.admin, replace(ANSWER, name=f"T{n}")).id for n in range(6)]

    def choose(id: int) -> None:
        try:
            set_default(office.admin, id)
        except Conflict:
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(choose, ids * 3))
    assert sum(each.is_default for each in list_templates(office.admin)) == 1


def test_a_default_that_is_given_another_language_is_no_default_there(office: Office) -> None:
    created = default(office, "First", "en")
    wanted = TemplateInput("First", "message", "en", "", "<p>new</p>")
    kept = update_template(office.admin, created.id, created.version, wanted)
    assert kept.is_default
    moved = update_template(office.admin, kept.id, kept.version, replace(wanted, language="sv"))
    assert not moved.is_default


def test_the_default_of_the_language_serves_then_english_then_the_built_in_one(
    office: Office,
) -> None:
    assert default_for(office.agent, "message", "sv") == built_in(Purpose.MESSAGE, "sv")
    assert default_for(office.agent, "message", "de") == built_in(Purpose.MESSAGE, "en")
    default(office, "English", "en")
    assert default_for(office.agent, "message", "de").body == "<p>English</p>"
    default(office, "Svensk", "sv")
    default(office, "Relä", "sv", "relay")
    assert default_for(office.agent, "message", "sv").body == "<p>Svensk</p>"
    assert default_for(office.agent, "message", "SV_fi").body == "<p>Svensk</p>"
    default(office, "Finlandssvensk", "sv-FI")
    assert default_for(office.agent, "message", "sv_fi").body == "<p>Finlandssvensk</p>"
    with pytest.raises(InvalidInput, match="no purpose `spam`"):
        default_for(office.agent, "spam", "sv")


def test_an_accounts_own_template_serves_before_the_default(office: Office) -> None:
    default(office, "Default", "en", "relay")
    own = create_template(office.admin, replace(ANSWER, purpose="relay", body="<p>own</p>"))
    assert source_for(office.agent, own.id, "relay", "en").body == "<p>own</p>"
    assert source_for(office.agent, None, "relay", "en").body == "<p>Default</p>"
    assert source_for(office.agent, own.id, "autoreply", "en") == built_in(Purpose.AUTOREPLY, "en")
    assert source_for(office.agent, 99, "relay", "en").body == "<p>Default</p>"


def test_default_templates_are_made_once_per_purpose(office: Office) -> None:
    made = create_defaults(office.admin, "sv")
    assert [each.purpose for each in made] == list(Purpose)
    assert {each.language for each in made} == {"sv"}
    assert all(each.is_default for each in made)
    assert create_defaults(office.admin, "sv") == made
    assert len(list_templates(office.admin)) == 3
    create_defaults(office.admin, "de")
    assert {each.language for each in list_templates(office.admin)} == {"sv", "en"}


def test_a_default_that_somebody_chose_stays_when_defaults_are_made(office: Office) -> None:
    chosen = default(office, "Mine", "en")
    assert create_defaults(office.admin, "en")[0] == chosen
    assert len(list_templates(office.admin, "message")) == 1


def test_defaults_are_made_even_if_their_names_are_taken(office: Office) -> None:
    create_template(office.admin, replace(ANSWER, name="Message (English)"))
    assert create_defaults(office.admin, "en")[0].name == "Message (English) 2"


@pytest.mark.parametrize("column", ["autoreply_template", "relay_template"])
def test_a_template_that_an_account_uses_cannot_be_deleted(office: Office, column: str) -> None:
    created = create_template(office.admin, replace(ANSWER, purpose="relay"))
    use_template(office, **{column: created.id})
    with pytest.raises(Conflict, match=r"used by Support <support@example\.com>"):
        delete_template(office.admin, created.id)
    with pytest.raises(Conflict, match="cannot be given another purpose"):
        update_template(office.admin, created.id, 1, ANSWER)
    use_template(office, **{column: None})
    delete_template(office.admin, created.id)
