"""Templates over HTTP: kept by administrators, read by everybody, filled for who writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from limepkg_email.db import table
from limepkg_email.models import Account, AuditEntry
from limepkg_email.query import Query
from limepkg_email.reference.access import SEND_AS, USE, Access, Role
from limepkg_email.templates.context import KNOWN

from .crm import Crm, Person, statements

ANSWER: dict[str, Any] = {
    "name": "Answer",
    "purpose": "message",
    "language": "en",
    "subject": "Re: {{ conversation.subject }}",
    "body": "<p>Hello {{ recipient.name }}</p>",
}


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def put(person: Person, id: int, **values: Any) -> Any:
    return person.send("PUT", f"/template/{id}/", json=values)


def delete(person: Person, id: int) -> Any:
    return person.send("DELETE", f"/template/{id}/", content_type="application/json")


def audited(crm: Crm) -> list[tuple[str, str]]:
    entries = table(AuditEntry)
    with crm.engine.connect() as connection:
        rows = connection.execute(
            select(entries.c.action, entries.c.user_name)
            .where(entries.c.subject == "template")
            .order_by(entries.c.id)
        )
        return [(row.action, row.user_name) for row in rows]


def test_a_template_lives_from_creation_to_deletion(any_crm: Crm) -> None:
    admin, agent = any_crm.person("administrator"), any_crm.person("agent")
    created = admin.post("/template/", **ANSWER)
    assert created.status_code == 201
    assert created.json == {**ANSWER, "id": created.json["id"], "version": 1, "is_default": False}
    path = f"/template/{created.json['id']}/"
    assert agent.get(path).json == created.json
    changed = put(admin, created.json["id"], **{**ANSWER, "version": 1, "body": "<p>Ho</p>"})
    assert (changed.status_code, changed.json["version"]) == (200, 2)
    listed = {**changed.json, "used_by": []}
    assert agent.get("/template").json == {"items": [listed], "total": 1}
    assert delete(admin, created.json["id"]).status_code == 204
    assert agent.get(path).status_code == 404
    assert audited(any_crm) == [
        (f"template.{action}", "Administrator") for action in ("create", "update", "delete")
    ]


def test_the_list_is_paged_and_filtered_at_a_constant_cost(crm: Crm, admin: Person) -> None:
    for number in range(7):
        purpose, language = ("relay", "sv") if number % 2 else ("message", "en")
        wanted = {"name": f"T{number}", "purpose": purpose, "language": language}
        admin.post("/template/", **{**ANSWER, **wanted, "subject": ""})
    page = admin.get("/template/", limit=2, offset=4).json
    assert ([each["name"] for each in page["items"]], page["total"]) == (["T4", "T5"], 7)
    assert admin.get("/template/", purpose="relay").json["total"] == 3
    assert admin.get("/template/", purpose="relay", language="en").json["total"] == 0
    with statements(crm.engine) as one:
        admin.get("/template/", limit=1)
    with statements(crm.engine) as many:
        admin.get("/template/")
    assert len(one) == len(many)


def test_who_saves_over_a_newer_version_gets_the_newer_one(admin: Person) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    theirs = put(admin, id, **{**ANSWER, "version": 1, "body": "<p>theirs</p>"}).json
    refused = put(admin, id, **{**ANSWER, "version": 1, "body": "<p>mine</p>"})
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert refused.json["newer"] == theirs
    assert set(refused.json) == {"code", "message", "errors", "request_id", "newer"}


def test_a_default_takes_the_place_of_the_former_one(admin: Person) -> None:
    first = admin.post("/template/", **ANSWER, is_default=True).json
    assert first["is_default"]
    second = admin.post("/template/", **{**ANSWER, "name": "B"}, is_default=True).json
    assert second["is_default"]
    assert not admin.get(f"/template/{first['id']}/").json["is_default"]
    found = admin.get("/default_template/", purpose="message", language="en").json
    assert found == {**second, "stored": True}
    version = admin.get(f"/template/{first['id']}/").json["version"]
    back = put(admin, first["id"], **{**ANSWER, "version": version, "is_default": True})
    assert back.json["is_default"]
    kept = put(admin, first["id"], **{**ANSWER, "version": version + 1})
    assert kept.json["is_default"]
    given_up = put(admin, first["id"], **{**ANSWER, "version": version + 2, "is_default": False})
    assert not given_up.json["is_default"]


@pytest.mark.parametrize(
    ("column", "purpose"),
    [
        ("autoreply_template", "autoreply"),
        ("relay_template", "relay"),
        ("message_template", "message"),
    ],
)
def test_a_template_that_an_account_uses_stays(
    crm: Crm, admin: Person, column: str, purpose: str
) -> None:
    id = admin.post("/template/", **{**ANSWER, "purpose": purpose}).json["id"]
    with crm.engine.begin() as connection:
        connection.execute(update(table(Account)).values({column: id}))
    refused = delete(admin, id)
    assert refused.status_code == 409
    assert "used by Support <support@example.com>" in refused.json["message"]
    assert admin.get(f"/template/{id}/").status_code == 200


def test_what_is_wrong_in_a_template_is_named_with_field_line_and_name(admin: Person) -> None:
    wrong = {**ANSWER, "subject": "{{ recipent.name }}", "body": "a\n{{ user.nam }}"}
    refused = admin.post("/template/", **wrong)
    assert (refused.status_code, refused.json["code"]) == (422, "template_error")
    assert refused.json["errors"] == {
        "subject": ["Line 1: There is no value `recipent`. Did you mean `recipient`?"],
        "body": ["Line 2: There is no value `user.nam`. Did you mean `user.name`?"],
    }
    endless = "{% for a in [1] * 9 %}" * 9
    assert admin.post("/template/", **{**ANSWER, "body": endless}).status_code == 422


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"purpose": "newsletter"}, "purpose"),
        ({"language": "english please"}, "language"),
        ({"body": " "}, "body"),
        ({"body": "x" * 200_001}, "body"),
        ({"subject": "x" * 513}, "subject"),
        ({"is_default": "perhaps"}, "is_default"),
        ({"surprise": 1}, "surprise"),
        ({"version": 1}, "version"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(
    admin: Person, values: dict[str, Any], field: str
) -> None:
    refused = admin.post("/template/", **{**ANSWER, **values})
    assert refused.status_code == 422
    assert field in refused.json["errors"]


@pytest.mark.parametrize("version", [0, -1, "1", None, 2**53])
def test_a_version_is_a_number_that_can_be_one(admin: Person, version: object) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    assert "version" in put(admin, id, **{**ANSWER, "version": version}).json["errors"]


def test_what_does_not_exist_is_not_found(any_crm: Crm) -> None:
    admin = any_crm.person("administrator")
    for id in (99, 2**53 - 1, 2**63, 10**30):
        assert admin.get(f"/template/{id}/").status_code == 404, id
        assert put(admin, id, **ANSWER, version=1).status_code == 404, id
        assert delete(admin, id).status_code == 404, id
        assert admin.get(f"/preview-template/{id}/").status_code == 404, id
        assert admin.get(f"/template/{id}/render/").status_code == 404, id


def test_only_administrators_change_templates(crm: Crm, agent: Person) -> None:
    for refused in (
        agent.post("/template/", **ANSWER),
        put(agent, 1, **ANSWER, version=1),
        delete(agent, 1),
        agent.post("/default_template/"),
        agent.post("/preview-template/", subject="", body=""),
    ):
        assert refused.status_code == 403
    assert crm.nobody().get("/template/").status_code == 401


# --- defaults -----------------------------------------------------------------------------------


def test_without_a_stored_default_the_offered_one_is_marked(agent: Person) -> None:
    found = agent.get("/default_template/", purpose="relay", language="sv-FI").json
    assert (found["id"], found["version"], found["stored"]) == (0, 0, False)
    assert (found["name"], found["language"]) == ("Vidarebefordrat meddelande (svenska)", "sv")
    assert agent.get("/default_template/").json["purpose"] == "message"


def test_default_templates_are_created_once_and_are_what_was_offered(
    crm: Crm, admin: Person
) -> None:
    offered = admin.get("/default_template/", purpose="relay", language="sv").json
    created = admin.post("/default_template/", language="sv").json
    assert [each["purpose"] for each in created["items"]] == ["message", "autoreply", "relay"]
    assert created["total"] == 3
    assert admin.post("/default_template/", language="sv").json == created
    stored = admin.get("/default_template/", purpose="relay", language="sv").json
    assert stored == {**offered, "id": stored["id"], "version": 1, "stored": True}
    assert audited(crm) == [("template.create", "Administrator")] * 3


@pytest.mark.parametrize("language", ["x", "12", "e<", "en-" + "x" * 20])
def test_a_language_that_is_none_is_refused(admin: Person, language: str) -> None:
    for refused in (
        admin.post("/default_template/", language=language),
        admin.get("/default_template/", language=language),
    ):
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == ["language"]


def test_the_configured_language_serves_where_there_is_none_in_the_wanted_one(
    crm: Crm, admin: Person
) -> None:
    assert admin.get("/default_template/", language="fi").json["language"] == "en"
    admin.send("PUT", "/settings/", json={"default_language": "sv"})
    assert admin.get("/default_template/", language="fi").json["language"] == "sv"
    assert admin.get("/default_template/", language="en").json["language"] == "en"
    stored = admin.post("/template/", **{**ANSWER, "language": "sv"}, is_default=True).json
    assert admin.get("/default_template/", language="fi").json["id"] == stored["id"]


# --- previews -----------------------------------------------------------------------------------


def test_a_preview_shows_subject_html_and_text_with_mocked_data(
    admin: Person, agent: Person
) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    shown = agent.get(f"/preview-template/{id}/").json
    assert shown == {
        "subject": "Re: The delivery of order 4711",
        "html": "<p>Hello Alva Lind</p>",
        "text": "Hello Alva Lind",
        "missing": [],
    }
    without = agent.get(f"/preview-template/{id}/", missing="recipient.name,parent").json
    assert "[recipient.name?]</mark>" in without["html"]
    assert without["missing"] == ["recipient.name"]
    refused = agent.get(f"/preview-template/{id}/", missing="recipent")
    assert refused.json["errors"] == {"missing": ["There is no value `recipent`."]}


def test_a_template_can_be_seen_while_it_is_written(admin: Person) -> None:
    shown = admin.post(
        "/preview-template/", subject="{{ foo }}", body="<p>{{ user.nam }}</p><script>1</script>"
    ).json
    assert shown["missing"] == ["foo", "user.nam"]
    assert "script" not in shown["html"]
    broken = admin.post("/preview-template/", body="a\n{{ user.name")
    assert broken.status_code == 422
    assert broken.json["errors"]["body"][0].startswith("Line 2: ")
    greedy = "{% for a in [1,2,3,4,5,6,7,8,9] %}" * 3 + "{{ 'x' * 9999 }}" + "{% endfor %}" * 3
    assert admin.post("/preview-template/", body=greedy).status_code == 422


# --- filled for somebody who writes -------------------------------------------------------------


def test_a_template_is_filled_with_what_the_conversation_has(
    crm: Crm, admin: Person, agent: Person
) -> None:
    body = (
        "<p>{{ recipient.name }} {{ recipient.email }}|{{ parent.title }}|{{ account.email }}"
        "|{{ user.name }}|{{ message.author }}: {{ message.body }}</p>"
    )
    id = admin.post("/template/", **{**ANSWER, "body": body}).json["id"]
    conversation = crm.conversation(messages=2)
    shown = agent.get(f"/template/{id}/render/", conversation=conversation).json
    assert shown["subject"] == "Re: Broken printer"
    assert shown["missing"] == []
    first = "Anna anna@example.org|Broken printer|support@example.com|Agent|Anna:"
    assert first in shown["text"]
    assert "Mail 1" in shown["text"]
    named = agent.get(
        f"/template/{id}/render/", conversation=conversation, recipient="Bo@Example.org", name="Bo"
    ).json
    assert "Bo bo@example.org|" in named["text"]
    follower = agent.get(
        f"/template/{id}/render/", conversation=conversation, recipient="anna@example.org"
    ).json
    assert "Anna anna@example.org|" in follower["text"]


def test_the_message_is_the_last_that_a_person_sent_and_none_of_ours(
    crm: Crm, admin: Person, agent: Person
) -> None:
    id = admin.post("/template/", **{**ANSWER, "body": "{{ message.preview }}"}).json["id"]
    conversation = crm.conversation(messages=2)
    with crm.application.unit_of_work() as work:
        follower = work.objects.query(Query("follower"))[0].id
    crm.mail(conversation, follower, 5, source="autoreply")
    crm.mail(conversation, follower, 6, source="lime")
    crm.mail(conversation, follower, 7, machine="autoreply")
    path = f"/template/{id}/render/"
    assert agent.get(path, conversation=conversation).json["html"] == "Mail 1"
    empty = crm.conversation()
    assert agent.get(path, conversation=empty).json["missing"] == ["message.preview"]


def test_of_several_followers_none_is_greeted_by_the_name_of_another(
    crm: Crm, admin: Person, agent: Person
) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    conversation = crm.conversation()
    crm.add("follower", email="bo@example.org", name="Bo", active=True, conversation=conversation)
    shown = agent.get(f"/template/{id}/render/", conversation=conversation).json
    assert shown["missing"] == ["recipient.name"]
    assert "Anna" not in shown["html"]
    assert "[recipient.name?]" in shown["html"]


def test_without_a_conversation_what_is_known_is_filled_in(
    crm: Crm, admin: Person, agent: Person
) -> None:
    body = "<p>{{ recipient.name }} {{ account.name }} {{ user.email }} {{ message.author }}</p>"
    id = admin.post("/template/", **{**ANSWER, "subject": "", "body": body}).json["id"]
    shown = agent.get(
        f"/template/{id}/render/", account=crm.account.id, recipient="bo@example.org", name="Bo"
    ).json
    assert shown["text"].startswith("Bo Support agent@example.com")
    assert shown["missing"] == ["message.author"]


def test_nobody_sees_through_a_template_what_is_not_theirs(crm: Crm, admin: Person) -> None:
    users = crm.host.application("crm").users
    letters = {"conversation": "r", "conversationmessage": "", "follower": "", "helpdesk": ""}
    users.add_role(Role("halfblind", (USE,), Access(letters)))
    users.add_role(Role("blind", (USE, SEND_AS + "*"), Access({})))
    body = "{{ parent.title }} {{ message.body }} {{ recipient.name }}"
    id = admin.post("/template/", **{**ANSWER, "body": body}).json["id"]
    conversation = crm.conversation(messages=1)
    path = f"/template/{id}/render/"
    half = crm.person("halfblind")
    shown = half.get(path, conversation=conversation).json
    assert set(shown["missing"]) == {"parent.title", "message.body", "recipient.name"}
    assert half.get(path, account=crm.account.id).status_code == 403
    assert crm.person("blind").get(path, conversation=conversation).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"conversation": 99}, 404),
        ({"account": 99}, 404),
        ({"conversation": 2**60}, 422),
        ({"conversation": "x"}, 422),
        ({"recipient": "nobody at all"}, 422),
        ({"recipient": "x" * 400}, 422),
        ({"surprise": 1}, 422),
    ],
)
def test_what_cannot_be_filled_in_is_refused(
    admin: Person, query: dict[str, Any], status: int
) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    assert admin.get(f"/template/{id}/render/", **query).status_code == status


@pytest.mark.parametrize("messages", [1, 20])
def test_filling_costs_the_same_in_a_long_conversation(
    crm: Crm, admin: Person, messages: int
) -> None:
    id = admin.post("/template/", **ANSWER).json["id"]
    conversation = crm.conversation(messages=messages)
    with statements(crm.engine) as executed:
        assert admin.get(f"/template/{id}/render/", conversation=conversation).status_code == 200
    assert len(executed) <= 10, "\n".join(executed)


def test_administrators_see_in_the_list_who_uses_a_template(crm: Crm, admin: Person) -> None:
    used, free = (admin.post("/template/", **{**ANSWER, "name": each}).json for each in "AB")
    with crm.engine.begin() as connection:
        accounts = table(Account)
        row = connection.execute(select(accounts.c.id, accounts.c.name, accounts.c.email)).first()
        assert row is not None
        both = {"message_template": used["id"], "relay_template": used["id"]}
        connection.execute(update(accounts).where(accounts.c.id == row.id).values(**both))

    def uses(person: Person) -> dict[int, list[str]]:
        return {each["id"]: each["used_by"] for each in person.get("/template/").json["items"]}

    name = f"{row.name} <{row.email}>" if row.name else row.email
    assert uses(admin) == {used["id"]: [name], free["id"]: []}
    assert uses(crm.person("agent")) == {used["id"]: [], free["id"]: []}


def test_the_values_that_templates_may_write_are_explained_in_the_users_language(
    crm: Crm, admin: Person
) -> None:
    groups = crm.person("agent").get("/template-placeholders/").json["items"]
    assert [each["name"] for each in groups] == list(KNOWN)
    values = {value["name"]: value for group in groups for value in group["values"]}
    assert values["recipient.name"]["example"] == "Alva Lind"
    swedish = admin.get("/template-placeholders/", language="sv").json["items"]
    assert swedish[0]["explanation"] == "Konversationen."
    assert admin.get("/template-placeholders/", language="x").status_code == 422
