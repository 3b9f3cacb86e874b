from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.outgoing.headers import breaks_header, first_guid, message_id, next_guid
from limepkg_email.outgoing.references import (
    MAX_LENGTH,
    MAX_REFERENCES,
    earlier_mails,
    threading_headers,
)

from .conftest import Office


def test_a_first_mail_refers_to_nothing() -> None:
    assert threading_headers([]) == {}


def test_a_reply_names_the_newest_mail_and_all_in_order() -> None:
    assert threading_headers(["<a@x>", "<b@x>", "<c@x>"]) == {
        "In-Reply-To": "<c@x>",
        "References": "<a@x> <b@x> <c@x>",
    }


def test_a_mail_that_was_seen_twice_is_named_once() -> None:
    assert threading_headers(["<a@x>", "<a@x>", "<b@x>"])["References"] == "<a@x> <b@x>"


def test_only_the_newest_references_are_kept() -> None:
    ids = [f"<{number}@x>" for number in range(100)]
    assert threading_headers(ids)["References"].split() == ids[-MAX_REFERENCES:]


def test_long_references_stay_within_what_servers_take() -> None:
    ids = [f"<{number:0200}@x>" for number in range(20)]
    found = threading_headers(ids)["References"]
    assert len(found) < MAX_LENGTH
    assert found.split()[-1] == ids[-1]


def test_what_strangers_put_into_a_message_id_cannot_add_a_header() -> None:
    hostile = ["<a@x>\r\nBcc: all@example.com", "<b\r\n@x>", "<c @x>", "no brackets", "<å@x>", ""]
    assert threading_headers([*hostile, "<d@x>"]) == {"In-Reply-To": "<d@x>", "References": "<d@x>"}
    assert threading_headers(["<" + "x" * 2000 + "@y>"]) == {}


@given(st.lists(st.one_of(st.text(), st.from_regex(r"<[ -~]{1,300}>", fullmatch=True))))
def test_whatever_message_ids_are_stored_the_headers_are_sound(ids: list[str]) -> None:
    for name, value in threading_headers(ids).items():
        assert value.isascii()
        assert value.isprintable()
        assert 0 < len(value) <= MAX_LENGTH
        assert set(value.split()) <= set(ids)
        assert len(value.split()) <= (1 if name == "In-Reply-To" else MAX_REFERENCES)


def test_each_follower_refers_to_their_own_mails_only(office: Office) -> None:
    conversation = office.conversation()
    anna = office.follower(conversation, "anna@example.org")
    bo = office.follower(conversation, "bo@example.org")
    office.received(conversation, anna, "<a1@x>")
    office.received(conversation, bo, "<b1@x>")
    office.received(conversation, anna, "<a2@x>")
    with office.system.application.unit_of_work() as work:
        assert earlier_mails(work.objects, [anna, bo]) == {
            anna: ("<a1@x>", "<a2@x>"),
            bo: ("<b1@x>",),
        }


def test_a_mail_that_never_arrived_is_not_referred_to(office: Office) -> None:
    conversation = office.conversation()
    anna = office.follower(conversation, "anna@example.org")
    for state in ("bounced", "failed", "cancelled", "sent", "delayed"):
        mail = office.received(conversation, anna, f"<{state}@x>")
        office.change("messagefollower", mail, state=state)
    with office.system.application.unit_of_work() as work:
        assert earlier_mails(work.objects, [anna]) == {anna: ("<sent@x>", "<delayed@x>")}


def test_somebody_who_was_silent_for_long_still_gets_their_thread(office: Office) -> None:
    conversation = office.conversation()
    bo = office.follower(conversation, "bo@example.org")
    anna = office.follower(conversation, "anna@example.org")
    office.received(conversation, bo, "<b@x>")
    for number in range(3 * MAX_REFERENCES):
        office.received(conversation, anna, f"<{number}@x>")
    with office.system.application.unit_of_work() as work, office.statements() as seen:
        found = earlier_mails(work.objects, [anna, bo])
    assert found[bo] == ("<b@x>",)
    assert len(seen) == 2


def test_a_message_id_is_one_for_every_domain() -> None:
    for domain in ("example.com", "å.example", "", "x" * 300):
        made = message_id("guid", f"support@{domain}")
        assert len(made) <= 256
        parsed = default.header_factory("message-id", made)
        assert str(parsed) == made
        assert not parsed.defects


def test_guids_repeat_for_the_same_key_of_the_same_user_only() -> None:
    assert first_guid(1, "key") == first_guid(1, "key")
    different = {first_guid(1, "key"), first_guid(2, "key"), first_guid(1, "other")}
    different |= {first_guid(1, ""), first_guid(1, ""), next_guid(first_guid(1, "key"), 1)}
    assert len(different) == 6
    assert next_guid("guid", 0) == "guid"


def test_control_characters_are_found_and_writing_is_not() -> None:
    assert all(breaks_header(each) for each in ("a\r", "a\nb", "\x00", "\x0b", "\x7f", "\u2028"))
    assert not any(breaks_header(each) for each in ("Åsa Öberg", "山田太郎", "👩‍👩‍👧", "a\tb", ""))
