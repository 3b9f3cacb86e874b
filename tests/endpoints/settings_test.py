"""Settings and extensions over HTTP: changed while everything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from limepkg_email.engine.types import Message
from limepkg_email.hooks import Decision, Imported, hookimpl
from limepkg_email.host import Application
from limepkg_email.incoming.filters import decide
from limepkg_email.incoming.trace import Trace
from limepkg_email.limetypes import Limetype
from limepkg_email.plugin import EmailIntegration
from tests.incoming.arriving import arriving

from .crm import SECRET, SECRETS, Crm, Person, statements


class NoNews:
    name = "no-news"
    description = "Keeps newsletters out."

    def decide(self, _: Message) -> Decision:
        return Decision.skip("news")


class Ring:
    name = "ring"
    description = "Rings a bell."

    def run(self, application: Application, imported: Imported) -> None:
        raise NotImplementedError


class Extension:
    """Something that another package installs."""

    __name__ = "acme"

    @hookimpl
    def message_filters(self) -> Iterable[NoNews]:
        return [NoNews()]

    @hookimpl
    def message_actions(self) -> Iterable[Ring]:
        return [Ring()]

    @hookimpl
    def limetypes(self) -> Iterable[Limetype]:
        return []


class Broken:
    """An extension that cannot say what it has."""

    @hookimpl
    def message_filters(self) -> Iterable[NoNews]:
        raise ZeroDivisionError


def put(person: Person, **values: object) -> Any:
    return person.send("PUT", "/settings/", json=values)


def by_name(answer: Any) -> dict[str, Any]:
    return {each["name"]: each for each in answer.json["items"]}


def test_every_key_is_shown_and_no_secret(crm: Crm) -> None:
    answer = crm.person("administrator").get("/settings/")
    found = by_name(answer)
    assert answer.json["total"] == len(found)
    assert found["emailengine_url"]["source"] == "environment"
    assert not found["emailengine_url"]["editable"]
    token = found["emailengine_token"]
    assert (token["value"], token["is_set"], token["secret"]) == (None, True, True)
    assert token["source"] == "environment"
    undo = found["undo_seconds"]
    assert (undo["value"], undo["source"], undo["editable"]) == (10.0, "default", True)
    assert (undo["least"], undo["most"], undo["title"]) == (0, 300, "Time to undo sending")
    parents = found["conversation_parents"]["value"]
    assert parents == [{"limetype": "helpdesk", "title": "title", "relation": ""}]
    for secret in (SECRET, SECRETS["emailengine_token"]):
        assert secret not in answer.text


def test_a_change_holds_at_once_in_the_process_that_made_it(any_crm: Crm) -> None:
    admin = any_crm.person("administrator")
    assert any_crm.integration.services("crm").config.undo_seconds == 10.0
    found = by_name(put(admin, undo_seconds=25, join_by_subject=False))
    assert (found["undo_seconds"]["value"], found["undo_seconds"]["source"]) == (
        25.0,
        "administrator",
    )
    for services in (any_crm.integration.services, any_crm.integration.anonymous_services):
        config = services("crm").config
        assert (config.undo_seconds, config.join_by_subject) == (25.0, False)
    taken_back = by_name(put(admin, undo_seconds=None))
    assert (taken_back["undo_seconds"]["value"], taken_back["undo_seconds"]["source"]) == (
        10.0,
        "default",
    )
    assert not any_crm.integration.services("crm").config.join_by_subject


def test_another_process_sees_it_within_ten_seconds_and_asks_no_more_often(crm: Crm) -> None:
    other = EmailIntegration(crm.host, clock=crm.clock, load_entry_points=False)
    assert other.services("crm").config.undo_seconds == 10.0
    put(crm.person("administrator"), undo_seconds=25)
    with statements(crm.engine) as executed:
        assert other.services("crm").config.undo_seconds == 10.0
    assert executed == []
    crm.now = crm.now.replace(second=crm.now.second + 10)
    assert other.services("crm").config.undo_seconds == 25.0
    assert other.services("crm") is other.services("crm")


def test_what_the_operator_set_stays(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(undo_seconds=5, max_recipients=20)
    admin = crm.person("administrator")
    shown = by_name(admin.get("/settings/"))
    undo, recipients = shown["undo_seconds"], shown["max_recipients"]
    assert (undo["value"], undo["source"], undo["editable"]) == (5, "environment", False)
    assert (recipients["source"], recipients["editable"]) == ("environment", True)
    assert recipients["most"] == 20
    refused = put(admin, undo_seconds=20, max_recipients=30)
    assert refused.status_code == 422
    assert refused.json["errors"] == {
        "undo_seconds": ["Only whoever deploys the CRM can change this."],
        "max_recipients": ["Must be less than or equal to 20."],
    }
    assert put(admin, max_recipients=10).status_code == 200
    assert crm.integration.services("crm").config.max_recipients == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("undo_seconds", "soon"),
        ("undo_seconds", -1),
        ("undo_seconds", 301),
        ("undo_seconds", [1]),
        ("max_recipients", 1.5),
        ("max_recipients", 0),
        ("max_recipients", 101),
        ("default_language", "<b>"),
        ("default_language", ""),
        ("join_by_subject", "perhaps"),
        ("emailengine_url", "http://evil.example"),
        ("emailengine_token", "stolen"),
        ("webhook_url", None),
        ("surprise", 1),
    ],
)
def test_what_cannot_be_set_is_named_and_changes_nothing(
    crm: Crm, name: str, value: object
) -> None:
    admin = crm.person("administrator")
    refused = put(admin, **{"vacuum_cleaner_grace_period": 9, name: value})
    assert refused.status_code == 422
    assert list(refused.json["errors"]) == [name]
    assert crm.integration.services("crm").config.vacuum_cleaner_grace_period == 2.0


def test_a_refused_language_says_what_is_expected(crm: Crm) -> None:
    refused = put(crm.person("administrator"), default_language="english please")
    assert refused.json["errors"]["default_language"] == [
        "Give the code of a language, such as “en” or “sv”, or with a region “en-GB”."
    ]


def test_only_administrators_see_and_change_settings(crm: Crm, agent: Person) -> None:
    for refused in (
        agent.get("/settings/"),
        put(agent, undo_seconds=1),
        agent.get("/extension/"),
        agent.send("PUT", "/extension/", json={"name": "acme", "enabled": False}),
    ):
        assert refused.status_code == 403
    assert crm.nobody().get("/settings/").status_code == 401


# --- extensions ---------------------------------------------------------------------------------


def decided(crm: Crm) -> Decision | None:
    return decide(crm.integration.services("crm"), arriving("News"), Trace())


def test_an_extension_is_shown_and_can_be_switched_off_and_on(
    make_crm: Callable[..., Crm],
) -> None:
    crm = make_crm(extensions=[Extension()])
    admin = crm.person("administrator")
    (shown,) = admin.get("/extension/").json["items"]
    assert shown == {
        "name": "acme",
        "enabled": True,
        "hooks": ["limetypes", "message_actions", "message_filters"],
        "filters": [{"name": "no-news", "description": "Keeps newsletters out."}],
        "actions": [{"name": "ring", "description": "Rings a bell."}],
    }
    assert decided(crm) == Decision.skip("news")
    off = admin.send("PUT", "/extension/", json={"name": "acme", "enabled": False})
    assert off.json == {**shown, "enabled": False}
    assert decided(crm) is None
    application = crm.application
    hooks = crm.integration.services("crm").hooks
    assert hooks.message_actions(application=application) == []
    assert hooks.limetypes(application=application) == [[]]
    assert put(admin, undo_seconds=20).status_code == 200
    assert decided(crm) is None
    admin.send("PUT", "/extension/", json={"name": "acme", "enabled": True})
    assert decided(crm) == Decision.skip("news")


def test_an_extension_that_breaks_is_shown_so_that_it_can_be_switched_off(
    make_crm: Callable[..., Crm],
) -> None:
    crm = make_crm(extensions=[Broken(), Broken()])
    shown = crm.person("administrator").get("/extension/").json["items"]
    name = f"{Broken.__module__}.Broken"
    assert [(each["name"], each["filters"]) for each in shown] == [(name, []), (f"{name}-2", [])]


def test_an_extension_that_is_not_installed_cannot_be_switched(crm: Crm) -> None:
    admin = crm.person("administrator")
    for name in ("acme", "limepkg_email.feed"):
        refused = admin.send("PUT", "/extension/", json={"name": name, "enabled": False})
        assert refused.status_code == 404
    assert admin.get("/extension/").json == {"items": [], "total": 0}
