from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from limepkg_email import migrate
from limepkg_email.config import ConversationParent
from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import Conflict, InvalidInput, NotFound
from limepkg_email.hooks import hookimpl
from limepkg_email.limetypes import AddProperty, CreateLimetype, Limetype, Option, Property
from limepkg_email.models import Lease
from limepkg_email.query import Query
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.planning import check_documents
from limepkg_email.schema.setup import SetupReport, install, is_installed, run_setup
from limepkg_email.schema.views import SETTING
from limepkg_email.services import Services
from limepkg_email.tasks import leases

from .conftest import with_extension

SYSTEM_USER = "emailengine@lime"


def installed(services: Services) -> bool:
    return is_installed(services)


class Tags:
    """An extension with a limetype of its own and a property for one of ours."""

    @hookimpl
    def limetypes(self) -> Iterable[Limetype]:
        name = Property("name", "string", "Name", length=64)
        yield Limetype("tag", "Tag", "Tags", (name,))
        tag = Property("tag", "belongsto", "Tag", related="tag", backref="conversations")
        yield Limetype("conversation", "", "", (tag,))


class Broken:
    """An extension with a property that no host takes, which is noticed late."""

    @hookimpl
    def limetypes(self) -> Iterable[Limetype]:
        yield Limetype("textsnippet", "", "", (Property("no name at all", "string", length=1),))


def test_a_second_setup_has_nothing_to_do(services: Services) -> None:
    assert len(run_setup(services).steps) > 50
    assert run_setup(services) == SetupReport((), applied=True)
    assert run_setup(services, dry_run=True) == SetupReport((), applied=False)


def test_a_dry_run_says_what_setup_does_and_changes_nothing(services: Services) -> None:
    application = services.application
    before = application.limetypes.describe()
    shown = run_setup(services, dry_run=True)
    assert application.limetypes.describe() == before
    assert not migrate.is_current(application.database)
    assert application.settings.get(SETTING) is None
    with pytest.raises(NotFound):
        application.as_user(SYSTEM_USER)
    assert run_setup(services).steps == shown.steps


def test_everything_declared_can_be_used_afterwards(services: Services) -> None:
    run_setup(services)
    application = services.application.as_user(SYSTEM_USER)
    assert application.user.can("email.admin")
    with application.unit_of_work() as work:
        for limetype in declared(services.config):
            work.objects.query(Query(limetype.name))
        ticket = work.objects.add("helpdesk", {"title": "Help"})
        conversation = work.objects.add("conversation", {"subject": "Help", "helpdesk": ticket})
        message = {"conversation": conversation, "source": "email", "subject": "Help"}
        work.objects.add(
            "document", {"conversationmessage": work.objects.add("conversationmessage", message)}
        )
    assert migrate.is_current(application.database)


def test_an_application_is_installed_once_setup_was_run(services: Services) -> None:
    assert not installed(services)
    run_setup(services, dry_run=True)
    assert not installed(services)
    run_setup(services)
    assert installed(services)


def test_a_new_parent_asks_for_setup_again(services: Services) -> None:
    run_setup(services)
    parents = (*services.config.conversation_parents, ConversationParent("company", "name"))
    changed = replace(services, config=replace(services.config, conversation_parents=parents))
    assert not installed(changed)
    relation = "Add the property conversation.company (relation to company)."
    assert run_setup(changed).steps == (relation,)
    assert installed(changed)
    assert installed(services)


def test_what_an_administrator_chose_is_kept(services: Services) -> None:
    settings = services.application.settings
    settings.set(SETTING, {"conversation": {}})
    run_setup(services)
    installation = settings.get("limepkg_email.installation")
    run_setup(services)
    assert settings.get(SETTING) == {"conversation": {}}
    assert settings.get("limepkg_email.installation") == installation


def test_the_default_views_have_composer_and_unread_indicator(services: Services) -> None:
    run_setup(services)
    assert services.application.settings.get(SETTING) == {
        "conversation": {"activities": {"composer": {"name": "lwc-email-composer", "props": {}}}},
        "helpdesk": {
            "table": {"components": [{"name": "lwc-unread-message-icon-indicator", "props": {}}]}
        },
    }


def test_extensions_are_installed_along(services: Services) -> None:
    extended = with_extension(services, Tags())
    run_setup(extended)
    assert run_setup(extended).steps == ()
    tag = services.application.limetypes.describe()["conversation"].property("tag")
    assert tag is not None
    assert tag.related == "tag"


def test_an_interrupted_setup_is_completed_by_the_next(services: Services) -> None:
    with pytest.raises(InvalidInput):
        run_setup(with_extension(services, Broken()))
    assert not installed(services)
    assert "conversation" in services.application.limetypes.describe()
    run_setup(services)
    assert installed(services)


def test_a_conflict_stops_before_anything_is_changed(services: Services) -> None:
    limetypes = services.application.limetypes
    limetypes.apply(CreateLimetype(Limetype("follower", "Fan", "Fans")))
    limetypes.apply(AddProperty("follower", Property("email", "integer")))
    before = limetypes.describe()
    with pytest.raises(Conflict, match=r"follower\.email exists as integer"):
        run_setup(services)
    assert limetypes.describe() == before
    assert not migrate.is_current(services.application.database)


def test_an_unknown_parent_names_its_key(services: Services) -> None:
    parents = (ConversationParent("deal", "name"),)
    changed = replace(services, config=replace(services.config, conversation_parents=parents))
    with pytest.raises(InvalidInput, match=r"no limetype deal.*conversation_parents"):
        run_setup(changed)
    assert not installed(changed)


def test_a_setup_waits_for_no_other(services: Services) -> None:
    database = services.application.database
    migrate.upgrade(database)
    with database.begin() as connection:
        minute = timedelta(minutes=1)
        assert leases.acquire(connection, "setup", "another", services.clock(), minute)
    with pytest.raises(Conflict, match="Another setup is running"):
        run_setup(services)
    assert "conversation" not in services.application.limetypes.describe()


def test_setups_at_the_same_time_do_no_harm(services: Services) -> None:
    def attempt(_: int) -> SetupReport | Conflict:
        try:
            return run_setup(services)
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(attempt, range(4)))
    assert any(isinstance(each, SetupReport) for each in results)
    assert run_setup(services).steps == ()
    with services.application.database.connect() as connection:
        assert connection.execute(table(Lease).select()).all() == []


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ((), "document.comment does not exist, but files of mails need it with the type string"),
        (
            (Property("comment", "string"), Property("type", "integer")),
            "document.type is of the type integer, but files of mails need it with the type option",
        ),
        (
            (
                Property("comment", "string"),
                Property("type", "option", options=(Option("other", "Other"),)),
            ),
            "document.type has no option email",
        ),
        (
            (Property("comment", "text"), Property("type", "string")),
            "document.document does not exist, but files of mails need it with the type file",
        ),
    ],
)
def test_a_document_that_cannot_hold_files_of_mails_stops_with_what_to_add(
    document: tuple[Property, ...], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_documents({"document": Limetype("document", "Document", "Documents", document)})
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith("in the CRM and run the setup again.")


def test_the_bundled_crm_has_the_documents_that_are_needed(services: Services) -> None:
    check_documents(services.application.limetypes.describe())


def test_an_engine_that_is_away_undoes_nothing_of_an_installation(services: Services) -> None:
    away = replace(
        services, config=replace(services.config, webhook_url="http://127.0.0.1:9/webhook/")
    )
    with EngineClient("http://127.0.0.1:1", "token", retries=0) as nowhere:
        report = install(replace(away, engine=nowhere))
    assert report.applied
    assert "cannot be reached" in report.unfinished
    assert installed(services)
