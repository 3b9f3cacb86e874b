from __future__ import annotations

import pytest

from limepkg_email.query import Equals, Query
from limepkg_email.reference.access import Access, Role

from .crm import Crm, Person, statements


def unread_messages(crm: Crm, conversation: int) -> list[int]:
    with crm.application.unit_of_work() as work:
        where = Query("conversationmessage", Equals("conversation", conversation))
        return [each.id for each in work.objects.query(where) if each["unread"]]


def parent_of(crm: Crm, conversation: int) -> int:
    with crm.application.unit_of_work() as work:
        parent = work.objects.get("conversation", conversation)["helpdesk"]
        assert isinstance(parent, int)
        return parent


def test_the_indicator_learns_which_objects_have_unread_conversations(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    unread = parent_of(crm, crm.conversation(messages=1))
    read = parent_of(crm, crm.conversation())
    crm.add("conversation", subject="Another", unread=True, helpdesk=unread)
    answer = agent.get("/unread/", limetype="helpdesk", ids=f"{unread},{read},999")
    assert answer.json == {"unread": [{"id": unread, "conversations": 2}]}


def test_conversations_themselves_can_be_asked_about(crm: Crm, agent: Person) -> None:
    unread, read = crm.conversation(messages=1), crm.conversation()
    answer = agent.get("/unread/", limetype="conversation", ids=f"{unread},{read}")
    assert answer.json == {"unread": [{"id": unread, "conversations": 1}]}


def test_the_indicator_costs_one_query_for_any_number_of_objects(crm: Crm, agent: Person) -> None:
    counts = []
    for ids in ("1", ",".join(str(each) for each in range(1, 501))):
        agent.get("/unread/", limetype="helpdesk", ids=ids)
        with statements(crm.engine) as executed:
            assert agent.get("/unread/", limetype="helpdesk", ids=ids).status_code == 200
        counts.append(len([each for each in executed if "conversation" in each]))
    assert counts == [1, 1]


@pytest.mark.parametrize("ids", ["", "x", "0", "-1", "1,,2", ",".join(["1"] * 501), str(2**60)])
def test_ids_that_cannot_be_are_refused(agent: Person, ids: str) -> None:
    response = agent.get("/unread/", limetype="helpdesk", ids=ids)
    assert response.status_code == 422
    assert any(name.startswith("ids") for name in response.json["errors"])


def test_a_limetype_without_conversations_is_refused(agent: Person) -> None:
    for limetype in ("company", "nonsense", "x; drop"):
        response = agent.get("/unread/", limetype=limetype, ids="1")
        assert (response.status_code, list(response.json["errors"])) == (422, ["limetype"])


def test_reading_a_conversation_reads_all_of_it(any_crm: Crm) -> None:
    conversation = any_crm.conversation(messages=3)
    agent = any_crm.person()
    assert agent.post("/read/", conversation=conversation).json == {"unread": False}
    assert unread_messages(any_crm, conversation) == []
    answer = agent.get("/unread/", limetype="conversation", ids=str(conversation))
    assert answer.json == {"unread": []}


def test_one_message_can_be_read_and_become_unread_again(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=2)
    first, second = unread_messages(crm, conversation)
    read = agent.post("/read/", conversation=conversation, messages=[first])
    assert read.json == {"unread": True}
    assert unread_messages(crm, conversation) == [second]
    agent.post("/read/", conversation=conversation)
    again = agent.post("/read/", conversation=conversation, messages=[first], read=False)
    assert again.json == {"unread": True}
    assert unread_messages(crm, conversation) == [first]


def test_messages_of_another_conversation_are_left_alone(crm: Crm, agent: Person) -> None:
    conversation, other = crm.conversation(messages=1), crm.conversation(messages=1)
    agent.post("/read/", conversation=conversation, messages=unread_messages(crm, other))
    assert unread_messages(crm, other) != []


def test_an_empty_conversation_does_not_become_unread(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation()
    assert agent.post("/read/", conversation=conversation, read=False).json == {"unread": False}


def test_a_conversation_out_of_sight_cannot_be_read(crm: Crm, agent: Person) -> None:
    assert agent.post("/read/", conversation=4711).status_code == 404


@pytest.mark.parametrize("read", [True, False])
def test_who_sees_no_messages_does_not_change_what_others_have_to_read(
    any_crm: Crm, read: bool
) -> None:
    unread, quiet = any_crm.conversation(messages=2), any_crm.conversation()
    access = Access({"*": "crud", "conversationmessage": ""})
    any_crm.host.application("crm").users.add_role(Role("blind", ("email.use",), access))
    blind, agent = any_crm.person("blind"), any_crm.person()
    assert blind.post("/read/", conversation=unread, read=read).json == {"unread": True}
    assert blind.post("/read/", conversation=quiet, read=read).json == {"unread": False}
    found = agent.get("/unread/", limetype="conversation", ids=f"{unread},{quiet}")
    assert found.json == {"unread": [{"id": unread, "conversations": 1}]}
    assert len(unread_messages(any_crm, unread)) == 2


def test_a_reader_may_look_but_not_change(crm: Crm) -> None:
    conversation, reader = crm.conversation(messages=1), crm.person("reader")
    assert reader.get("/unread/", limetype="conversation", ids="1").status_code == 200
    assert reader.post("/read/", conversation=conversation).status_code == 403
    assert len(unread_messages(crm, conversation)) == 1
