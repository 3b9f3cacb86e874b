"""Snippets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from .crm import Crm, Person


def make(person: Person, title: str, text: str = "<p>Text</p>") -> Any:
    return person.post("/snippet/", title=title, text=text)


def test_a_snippet_lives_from_creation_to_deletion(any_crm: Crm) -> None:
    agent = any_crm.person("agent")
    created = make(agent, "Opening hours", "<p>9 to 5</p><script>x</script>")
    assert created.status_code == 201
    id = created.json["id"]
    assert created.json == {"id": id, "title": "Opening hours", "text": "<p>9 to 5</p>"}
    changed = agent.send("PUT", f"/snippet/{id}/", json={"title": "Hours", "text": "<p>10</p>"})
    assert changed.json == {"id": id, "title": "Hours", "text": "<p>10</p>"}
    assert agent.get(f"/snippet/{id}").json == changed.json
    path = f"/snippet/{id}/"
    assert agent.send("DELETE", path, content_type="application/json").status_code == 204
    assert agent.get(path).status_code == 404


def test_the_trigger_looks_in_titles_and_the_search_in_texts_as_well(agent: Person) -> None:
    make(agent, "Thanks", "<p>for your order</p>")
    make(agent, "Order received")
    make(agent, "Bye")

    def titles(**query: object) -> list[str]:
        return [each["title"] for each in agent.get("/snippet/", **query).json["items"]]

    assert titles() == ["Bye", "Order received", "Thanks"]
    assert titles(title="order") == ["Order received"]
    assert titles(search="order") == ["Order received", "Thanks"]
    page = agent.get("/snippet/", limit=1, offset=1).json
    assert ([each["title"] for each in page["items"]], page["total"]) == (["Order received"], 3)
    assert agent.get("/snippet/", title="order").json["total"] == 1
    assert titles(title="%") == []


def test_a_snippet_is_found_in_either_case_whatever_its_alphabet(agent: Person) -> None:
    agent.post("/snippet/", title="Öppettider", text="<p>Måndag till fredag</p>")
    found = agent.get("/snippet/", title="öppet").json["items"]
    assert [each["title"] for each in found] == ["Öppettider"]
    assert agent.get("/snippet/", search="MÅNDAG").json["total"] == 1


def test_who_may_only_read_changes_nothing(crm: Crm, agent: Person) -> None:
    id = make(agent, "Thanks").json["id"]
    reader = crm.person("reader")
    assert reader.get(f"/snippet/{id}/").status_code == 200
    assert make(reader, "Mine").status_code == 403
    body = {"title": "x", "text": "y"}
    assert reader.send("PUT", f"/snippet/{id}/", json=body).status_code == 403
    refused = reader.send("DELETE", f"/snippet/{id}/", content_type="application/json")
    assert refused.status_code == 403
    assert agent.get("/snippet/").json["total"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x"}, "title"),
        ({"title": " ", "text": "x"}, "title"),
        ({"title": "x" * 129, "text": "x"}, "title"),
        ({"title": "x"}, "text"),
        ({"title": "x", "text": "<p> </p>"}, "text"),
        ({"title": "x", "text": "y" * 100_001}, "text"),
        ({"title": "x", "text": 7}, "text"),
        ({"title": "x", "text": "y", "id": 1}, "id"),
    ],
)
def test_a_snippet_that_cannot_be_stored_says_why(
    agent: Person, body: dict[str, Any], field: str
) -> None:
    refused = agent.post("/snippet/", **body)
    assert refused.status_code == 422
    assert field in refused.json["errors"]


def test_numbers_that_are_none_are_not_found(any_crm: Crm) -> None:
    agent = any_crm.person("agent")
    for id in (0, 99, 2**63, 10**30):
        assert agent.get(f"/snippet/{id}/").status_code == 404, id
