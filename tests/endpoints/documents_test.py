"""Documents of many messages, and the date that moves by a microsecond."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from limepkg_email.conversations.reload import STEP, shifted
from limepkg_email.query import Equals, Order, Query

from .crm import NOW, Crm, Person, statements


def with_file(crm: Crm, message: int, name: str, content: bytes = b"%PDF") -> int:
    stored = crm.application.files.create(name, "application/pdf", BytesIO(content))
    return crm.add(
        "document", comment=name, type="email", document=stored.id, conversationmessage=message
    )


def messages_of(crm: Crm, conversation: int) -> list[int]:
    """The messages in the order of the feed."""
    with crm.application.unit_of_work() as work:
        where = Equals("conversation", conversation)
        order = (Order("date"), Order("id"))
        return [each.id for each in work.objects.query(Query("conversationmessage", where, order))]


def test_documents_of_many_messages_come_in_one_call(any_crm: Crm) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation(messages=3)
    first, second, third = messages_of(any_crm, conversation)
    one = with_file(any_crm, first, "offer.pdf", b"12345")
    two = with_file(any_crm, first, "plan.pdf")
    three = with_file(any_crm, third, "map.pdf")
    answer = agent.get("/messages/documents", ids=f"{third},{first},{second},4711")
    assert answer.status_code == 200
    found = {each["message"]: [one["id"] for one in each["documents"]] for each in answer.json}
    assert found == {third: [three], first: [one, two], second: []}
    assert [each["message"] for each in answer.json] == [third, first, second]
    document = answer.json[1]["documents"][0]
    assert document["url"].endswith(f"/document/{one}/")
    del document["url"]
    assert document == {
        "id": one,
        "filename": "offer.pdf",
        "content_type": "application/pdf",
        "size": 5,
    }


def test_documents_cost_the_same_for_any_number_of_messages(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=12)
    messages = messages_of(crm, conversation)
    for each in messages:
        with_file(crm, each, f"{each}.pdf")
    counts = []
    for some in (messages[:1], messages):
        ids = ",".join(str(each) for each in some)
        agent.get("/messages/documents", ids=ids)
        with statements(crm.engine) as executed:
            answer = agent.get("/messages/documents/", messages=ids)
        assert [len(each["documents"]) for each in answer.json] == [1] * len(some)
        counts.append(len(executed))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"ids": ""},
        {"ids": "x"},
        {"ids": "-1"},
        {"ids": "1,,2"},
        {"ids": ",".join(["1"] * 501)},
        {"ids": "1", "messages": "1"},
        {"ids": "1", "odd": "1"},
        {"ids": str(2**70)},
    ],
)
def test_odd_ids_of_messages_are_refused(agent: Person, query: dict[str, str]) -> None:
    answer = agent.get("/messages/documents", **query)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_a_reload_moves_the_date_by_a_microsecond(any_crm: Crm) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation(messages=2)
    any_crm.application  # noqa: B018 - made by the fixture
    first, second = messages_of(any_crm, conversation)
    before = read(any_crm, "conversationmessage", first)["date"]
    answer = agent.post(f"/force-reload-message/{first}/")
    assert answer.status_code == 200
    assert answer.json["date"] == (before + STEP).isoformat()
    assert read(any_crm, "conversationmessage", first)["date"] == before + STEP
    assert messages_of(any_crm, conversation) == [first, second]


def read(crm: Crm, limetype: str, id: int) -> Any:
    with crm.application.unit_of_work() as work:
        return work.objects.get(limetype, id)


def test_a_reload_keeps_the_order_of_messages_with_one_date(any_crm: Crm) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation()
    anna = any_crm.add("follower", email="a@example.org", active=True, conversation=conversation)
    dates = [NOW + STEP, NOW, NOW, NOW, NOW + STEP, NOW + 2 * STEP, NOW + timedelta(hours=1)]
    for each in dates:
        any_crm.mail(conversation, anna, date=each)
    order = messages_of(any_crm, conversation)
    for each in order:
        assert agent.post(f"/force-reload-message/{each}/").status_code == 200
        assert messages_of(any_crm, conversation) == order


def test_a_reload_of_the_last_message_is_told_of_by_its_conversation(crm: Crm) -> None:
    agent = crm.person()
    last = NOW + timedelta(minutes=1)
    conversation = crm.conversation(messages=2, lastmessagedate=last)
    first, second = messages_of(crm, conversation)
    agent.post(f"/force-reload-message/{first}/")
    assert read(crm, "conversation", conversation)["lastmessagedate"] == last
    agent.post(f"/force-reload-message/{second}/")
    assert read(crm, "conversation", conversation)["lastmessagedate"] == last + STEP


def test_a_date_that_the_conversation_does_not_tell_stays_untold(crm: Crm) -> None:
    agent, conversation = crm.person(), crm.conversation(messages=1)
    (only,) = messages_of(crm, conversation)
    later = NOW + timedelta(days=1)
    with crm.application.unit_of_work() as work:
        work.objects.update("conversation", conversation, {"lastmessagedate": later})
    agent.post(f"/force-reload-message/{only}/")
    assert read(crm, "conversation", conversation)["lastmessagedate"] == later


def test_messages_that_are_in_the_way_move_along_and_no_others() -> None:
    near = [(5, NOW), (6, NOW), (2, NOW + STEP), (9, NOW + 2 * STEP), (1, NOW + 4 * STEP)]
    moved = shifted(near)
    assert moved == {5: NOW + STEP, 6: NOW + STEP, 2: NOW + 2 * STEP}
    after = [(id, moved.get(id, date)) for id, date in near]
    assert sorted(after, key=lambda each: (each[1], each[0])) == after


def test_a_message_out_of_sight_is_not_reloaded(crm: Crm, agent: Person) -> None:
    assert agent.post("/force-reload-message/4711/").status_code == 404
    conversation = crm.conversation(messages=1)
    (only,) = messages_of(crm, conversation)
    assert crm.person("reader").post(f"/force-reload-message/{only}/").status_code == 403
    assert agent.post(f"/force-reload-message/{only}/", odd=1).status_code == 422
