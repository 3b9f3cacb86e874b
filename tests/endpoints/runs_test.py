from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from limepkg_email.tasks import runs

from .crm import Crm, Person, statements


def user_id(crm: Crm, login: str) -> int:
    return crm.host.application("crm").as_user(login).user.id


def make(crm: Crm, user: str | None = "agent", **options: Any) -> str:
    with crm.engine.begin() as connection:
        id = None if user is None else user_id(crm, user)
        return runs.create(connection, "example", {}, crm.clock(), user=id, **options)


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def test_who_started_a_task_sees_how_far_it_is(any_crm: Crm) -> None:
    agent = any_crm.person()
    guid = make(any_crm, total=3)
    answer = agent.get(f"/task/{guid}/")
    assert answer.status_code == 200
    assert answer.json == {
        "id": guid,
        "task": "example",
        "status": "PENDING",
        "done": 0,
        "total": 3,
        "result": None,
        "reason": "",
        "user": user_id(any_crm, "agent"),
        "created_at": "2026-03-01T12:00:00+00:00",
        "started_at": None,
        "finished_at": None,
    }
    with any_crm.engine.begin() as connection:
        runs.begin(connection, guid, any_crm.clock(), total=3)
        runs.advance(connection, guid, 2)
    answer = agent.get(f"/task/{guid}")
    assert (answer.json["status"], answer.json["done"]) == ("STARTED", 2)
    with any_crm.engine.begin() as connection:
        runs.succeed(connection, guid, any_crm.clock(), {"listed": [1, 2]})
    answer = agent.get(f"/task/{guid}/")
    assert (answer.json["status"], answer.json["result"]) == ("SUCCESS", {"listed": [1, 2]})
    assert answer.json["finished_at"] == "2026-03-01T12:00:00+00:00"


def test_a_failure_has_its_reason(crm: Crm, agent: Person) -> None:
    guid = make(crm)
    with crm.engine.begin() as connection:
        runs.fail(connection, guid, crm.clock(), "No engine.")
    answer = agent.get(f"/task/{guid}/")
    assert (answer.json["status"], answer.json["reason"]) == ("FAILURE", "No engine.")


def test_somebody_elses_task_does_not_exist_but_for_administrators(
    crm: Crm, agent: Person, admin: Person
) -> None:
    other = crm.person("agent", "other")
    guid, system = make(crm), make(crm, None)
    for path in (f"/task/{guid}/", f"/task/{system}/", f"/task/{uuid4()}/"):
        assert other.get(path).status_code == 404
    assert other.get("/task/", ids=guid).json == {"items": [], "total": 0}
    assert other.get("/task/").json["total"] == 0
    assert admin.get(f"/task/{guid}/").json["id"] == guid
    assert admin.get("/task/").json["total"] == 2


def test_several_are_asked_about_at_once_and_unknown_ones_left_out(crm: Crm, agent: Person) -> None:
    made = [make(crm) for _ in range(3)]
    make(crm)
    answer = agent.get("/task/", ids=",".join([*made, str(uuid4())]))
    assert {each["id"] for each in answer.json["items"]} == set(made)
    assert answer.json["total"] == 3
    answer = agent.get("/task/", limit=2, offset=3)
    assert (len(answer.json["items"]), answer.json["total"]) == (1, 4)


def test_asking_costs_the_same_for_one_and_for_many(crm: Crm, agent: Person) -> None:
    made = [make(crm) for _ in range(50)]
    counts = []
    for ids in (made[:1], made):
        agent.get("/task/", ids=",".join(ids))
        with statements(crm.engine) as executed:
            agent.get("/task/", ids=",".join(ids))
        counts.append(len([each for each in executed if "limepkg_email_run" in each]))
    assert counts == [2, 2]


@pytest.mark.parametrize(
    "query",
    [
        {"ids": ""},
        {"ids": "1"},
        {"ids": "x,y"},
        {"ids": ",".join(str(uuid4()) for _ in range(101))},
        {"limit": 0},
        {"limit": 101},
        {"offset": -1},
        {"user": 1},
    ],
)
def test_bad_queries_are_refused(agent: Person, query: dict[str, Any]) -> None:
    answer = agent.get("/task/", **query)
    assert answer.status_code == 422
    (field,) = query
    assert all(name.startswith(field) for name in answer.json["errors"])


@pytest.mark.parametrize("id", ["1", "nonsense", "%00", "'; drop table x"])
def test_what_is_no_id_is_not_found(agent: Person, id: str) -> None:
    assert agent.get(f"/task/{id}/").status_code == 404


def test_nobody_gets_in_without_signing_in(crm: Crm) -> None:
    assert crm.nobody().get("/task/").status_code == 401
    assert crm.nobody().get(f"/task/{uuid4()}/").status_code == 401
