"""A follower's reply reaches the other followers, each once, and nobody who has it already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import delete, update

from limepkg_email.accounts.accounts import ACCOUNTS, add_account
from limepkg_email.db import table
from limepkg_email.engine.types import Attachment
from limepkg_email.errors import Conflict
from limepkg_email.incoming.pipeline import RELAY_MESSAGE, import_message
from limepkg_email.models import Job
from limepkg_email.outgoing.relay import relay
from limepkg_email.outgoing.situation import Occasion
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.services import Services
from tests.incoming.arriving import arriving

from .conftest import NOW, Office, Post, install, make_office

ANNA, BO, CARL = "anna@example.org", "bo@example.org", "carl@example.net"
START = "<start@example.org>"
BUDGET = 20


def begin(office: Office, *cc: str) -> None:
    """A mail of Anna's, with which a conversation begins."""
    import_message(office.system, "support", arriving(cc=cc, message_id=START))


def reply(office: Office, sender: str = BO, **values: Any) -> None:
    given = {"in_reply_to": START, "name": "Bo Berg", "subject": "Re: Booking", **values}
    import_message(office.system, "support", arriving(sender=sender, **given))


def as_system(office: Office, **config: Any) -> Services:
    return replace(office.system, config=office.with_config(**config).config)


def occasions(office: Office) -> list[Occasion]:
    jobs = [each for each in office.jobs() if each.task == RELAY_MESSAGE]
    return [Occasion.of_payload(json.loads(each.payload)) for each in jobs]


def relayed(office: Office) -> int:
    """Do what the jobs ask for; says how many mails were written."""
    return sum(relay(office.system, each) for each in occasions(office))


def recipients(office: Office) -> list[str]:
    return sorted(each.recipient for each in office.outbox())


def switch(office: Office, **values: object) -> None:
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(values))


def remove(office: Office, limetype: str, **equal: object) -> None:
    for each in office.all(limetype, **equal):
        with office.system.application.unit_of_work() as work:
            work.objects.delete(limetype, each.id)


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_reply_goes_to_the_other_followers(office: Office) -> None:
    begin(office, BO, CARL)
    reply(office)
    assert relayed(office) == 2
    assert recipients(office) == [ANNA, CARL]
    assert {(each.kind, each.state, each.account) for each in office.outbox()} == {
        ("relay", "queued", "support")
    }


def test_who_has_the_mail_already_does_not_get_it_again(office: Office) -> None:
    begin(office, BO, CARL)
    reply(office, to=("support@example.com", ANNA), cc=(CARL.upper(),))
    assert relayed(office) == 0
    assert recipients(office) == []


def test_who_was_left_out_of_the_followers_of_the_mail_has_it_all_the_same(office: Office) -> None:
    begin(office, BO, CARL)
    few = as_system(office, max_followers_per_mail=1)
    mail = arriving(sender=BO, in_reply_to=START, cc=(ANNA,))
    import_message(few, "support", mail)
    assert relayed(office) == 1
    assert recipients(office) == [CARL]


def test_neither_those_who_left_nor_our_own_accounts_get_it(office: Office) -> None:
    begin(office, BO, CARL)
    (carl,) = [each for each in office.all("follower") if each["email"] == CARL]
    office.change("follower", carl.id, active=False)
    (conversation,) = office.all("conversation")
    office.follower(conversation.id, "help@example.com")
    with office.application.database.begin() as connection:
        add_account(
            connection, engine_account="s", email="sales@example.com", name="S", activated_at=NOW
        )
    office.follower(conversation.id, "Sales@example.com")
    reply(office)
    relayed(office)
    assert recipients(office) == [ANNA]


def test_it_is_shown_at_the_message_itself(office: Office) -> None:
    begin(office, BO)
    reply(office)
    before = len(office.all("conversationmessage"))
    relayed(office)
    assert len(office.all("conversationmessage")) == before == 2
    message = office.all("conversationmessage")[1]
    (sender, sent_on) = office.all("messagefollower", conversationmessage=message.id)
    assert (sender["role"], sender["state"]) == ("from", "received")
    assert (sent_on["role"], sent_on["state"], sent_on["statedate"]) == ("to", "queued", NOW)
    (entry,) = office.outbox()
    assert (entry.messagefollower, entry.message_id) == (sent_on.id, sent_on["messageid"])
    assert message["source"] == "email"


@pytest.mark.parametrize(
    "values",
    [
        {"headers": {"auto-submitted": "auto-replied"}},
        {"headers": {"auto-submitted": "auto-generated"}},
        {"headers": {"precedence": "bulk"}},
        {"headers": {"list-id": "<news.example.org>"}},
        {"date": NOW.replace(year=2025)},
    ],
)
def test_what_no_person_wrote_to_us_is_not_sent_on(office: Office, values: dict[str, Any]) -> None:
    begin(office, BO)
    reply(office, **values)
    assert occasions(office) == []


def test_a_first_mail_is_not_sent_on(office: Office) -> None:
    begin(office, BO)
    assert occasions(office) == []


@pytest.mark.parametrize("changes", [{"relay": False}, {"enabled": False}])
def test_an_account_can_be_switched_off(office: Office, changes: dict[str, object]) -> None:
    begin(office, BO)
    reply(office)
    assert len(occasions(office)) == 1
    switch(office, **changes)
    assert relayed(office) == 0
    assert recipients(office) == []


def test_without_any_account_that_relays_no_job_is_asked_for(office: Office) -> None:
    switch(office, relay=False)
    begin(office, BO)
    reply(office)
    assert occasions(office) == []


def test_what_was_deleted_is_not_sent_on(office: Office) -> None:
    begin(office, BO)
    reply(office)
    remove(office, "messagefollower")
    remove(office, "conversationmessage")
    assert relayed(office) == 0


def test_only_the_message_that_was_meant_is_sent_on(office: Office) -> None:
    begin(office, BO)
    reply(office)
    office.change("conversationmessage", office.all("conversationmessage")[1].id, emailengineid="x")
    assert relayed(office) == 0


def test_doing_it_again_sends_nothing_twice(office: Office) -> None:
    begin(office, BO, CARL)
    reply(office)
    assert [relayed(office), relayed(office)] == [2, 0]
    remove(office, "messagefollower", state="queued")
    # Even when nothing but the outbox remembers.
    assert relayed(office) == 0
    assert len(office.outbox()) == 2


def test_a_repeated_import_sends_nothing_twice(office: Office) -> None:
    begin(office, BO)
    mail = arriving(sender=BO, in_reply_to=START)
    for _ in range(2):
        import_message(office.system, "support", mail)
        relayed(office)
    assert len(occasions(office)) == 1
    assert recipients(office) == [ANNA]


def test_a_crash_before_the_commit_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(office, BO, CARL)
    reply(office)
    before = office.counts()
    with monkeypatch.context() as patch:
        patch.setattr("limepkg_email.outgoing.automatic.enqueue", _crash)
        with pytest.raises(SystemError):
            relayed(office)
    assert office.counts() == before
    assert relayed(office) == 2


def _crash(*_: object) -> None:
    raise SystemError("power cut")


def test_two_workers_at_once_send_it_once(office: Office) -> None:
    begin(office, BO, CARL)
    reply(office)
    (occasion,) = occasions(office)
    together = Barrier(4, timeout=30)

    def run(_: int) -> int:
        together.wait()
        return relay(office.system, occasion)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 2
    assert recipients(office) == [ANNA, CARL]
    shown = [each for each in office.all("messagefollower") if each["state"] == "queued"]
    assert len(shown) == 2


def test_an_address_does_not_get_any_number(office: Office) -> None:
    office.services = as_system(office, max_relays_per_address=2)
    begin(office, BO)
    for _ in range(3):
        reply(office)
    assert relayed(office) == 2
    office.clock.advance(timedelta(hours=2))
    assert relayed(office) == 1


@pytest.mark.parametrize("others", [1, 10])
def test_it_costs_the_same_for_one_and_for_many(office: Office, others: int) -> None:
    begin(office, BO, *(f"user{number}@example.org" for number in range(others - 1)))
    reply(office)
    (occasion,) = occasions(office)
    with office.statements() as statements:
        assert relay(office.system, occasion) == others
    told = [each for each in statements if not each.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert len(told) <= BUDGET, "\n".join(told)


def test_the_mail_that_arrives(post: Post) -> None:
    office = post.office
    begin(office, BO, CARL)
    quoted = "Friday suits me.\n\nOn Monday Anna wrote:\n> Hello\n"
    reply(office, plain=quoted)
    relayed(office)
    post.submit()
    for address in (ANNA, CARL):
        (mail,) = post.delivered(address)
        assert [each.addr_spec for each in mail["To"].addresses] == [address]
        (sender,) = mail["From"].addresses
        assert (sender.display_name, sender.addr_spec) == (
            "Bo Berg via Support",
            "support@example.com",
        )
        assert (mail["Reply-To"], mail["Cc"]) == (None, None)
        assert mail["Subject"] == "Booking"
        assert mail["In-Reply-To"] == START
        assert START in mail["References"]
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["X-Auto-Response-Suppress"] == "All"
        assert mail["X-Limepkg-Email"].startswith("5f0c.")
        assert "Friday suits me." in text_of(mail)
        assert "Bo Berg" in text_of(mail)
        assert "Hello" not in text_of(mail)
    assert post.delivered(BO) == []
    assert len({each.message_id for each in office.outbox()}) == 2


def test_an_answer_to_it_joins_and_reaches_the_rest(office: Office) -> None:
    begin(office, BO, CARL)
    reply(office)
    relayed(office)
    (to_carl,) = [each for each in office.outbox() if each.recipient == CARL]
    reply(office, sender=CARL, in_reply_to=to_carl.message_id)
    assert len(office.all("conversation")) == 1
    assert relayed(office) == 2
    assert recipients(office) == sorted([ANNA, BO, ANNA, CARL])
    (to_anna,) = [each for each in office.payloads()[2:] if each["to"][0]["address"] == ANNA]
    first = next(each.message_id for each in office.outbox() if each.recipient == ANNA)
    assert to_anna["headers"]["References"].split() == [START, first]


def attach(office: Office, name: str, content: bytes, content_type: str, cid: str = "") -> None:
    stored = office.application.files.create(name, content_type, BytesIO(content))
    message = office.all("conversationmessage")[1].id
    if cid:
        office.add("embeddedfile", contentid=cid, file=stored.id, conversationmessage=message)
    else:
        office.add("document", comment=name, document=stored.id, conversationmessage=message)


def test_files_and_images_go_along(post: Post) -> None:
    office = post.office
    begin(office, BO)
    html = '<p>See</p><img alt="plan" src="cid:a%20b@x"><img alt="gone" src="cid:none">'
    reply(office, html=html)
    attach(office, "räkning.pdf", b"%PDF", "application/pdf")
    attach(office, "plan.png", b"\x89PNG", "image/png", cid="a b@x")
    attach(office, "old.png", b"\x89PNG", "image/png", cid="only-in-the-history")
    relayed(office)
    post.submit()
    (mail,) = post.delivered(ANNA)
    files = {
        part.get_filename(): part
        for part in mail.walk()
        if part.get_content_maintype() != "multipart"
    }
    assert files["räkning.pdf"].get_content() == b"%PDF"
    assert files["plan.png"].get_content() == b"\x89PNG"
    assert files["plan.png"].get_content_disposition() == "inline"
    assert "old.png" not in files
    body = mail.get_body(("html",))
    assert body is not None
    shown = body.get_content()
    assert f'src="cid:{files["plan.png"]["Content-ID"].strip("<>")}"' in shown
    assert "gone" in shown
    assert "cid:none" not in shown


def test_files_beyond_the_limits_are_named(office: Office) -> None:
    begin(office, BO)
    reply(office)
    attach(office, "small.txt", b"1234", "text/plain")
    attach(office, "<big>.bin", b"123456789", "application/zip")
    services = as_system(office, max_attachment_size=8)
    (occasion,) = occasions(office)
    assert relay(services, occasion) == 1
    (payload,) = office.payloads()
    assert [each["filename"] for each in payload["attachments"]] == ["small.txt"]
    assert "&lt;big&gt;.bin" in payload["html"]
    assert "big" in payload["text"]
    assert "ask Bo Berg" in payload["text"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "ask Bo Berg for them"), ("sv-FI", "be Bo Berg om det"), ("ja", "ask Bo Berg")],
)
def test_what_is_left_out_is_said_in_the_language_of_the_account(
    office: Office, language: str, words: str
) -> None:
    switch(office, language=language)
    begin(office, BO)
    reply(office)
    for number in range(22):
        attach(office, f"{number} {{names}}.bin", b"123456789", "application/zip")
    relay(as_system(office, max_attachment_size=8), occasions(office)[0])
    (payload,) = office.payloads()
    assert words in payload["text"]
    assert "19 {names}.bin" in payload["text"]
    assert "20 {names}.bin" not in payload["text"]


def test_files_that_were_not_imported_are_named_without_sending_anybody_to_our_mailbox(
    post: Post,
) -> None:
    office = post.office
    switch(office, language="sv")
    begin(office, BO)
    file = Attachment(id="1", filename="plan & mer.pdf", encoded_size=900)
    mail = arriving(
        sender=BO, in_reply_to=START, name="Bo Berg", subject="Re: Booking", html="<p>See</p>"
    )
    services = as_system(office, max_message_size=10)
    import_message(services, "support", replace(mail, attachments=(file,)))
    assert "see the mailbox" in str(office.all("conversationmessage")[1]["visiblebody"])
    relayed(office)
    (payload,) = [each for each in office.payloads() if each["to"][0]["address"] == ANNA]
    assert "see the mailbox" not in payload["html"]
    assert "plan & mer.pdf. Du kan be Bo Berg" in payload["text"]


@pytest.mark.parametrize("attached", [True, False])
def test_a_text_that_was_cut_is_sent_on_with_whom_to_ask_for_the_rest(
    post: Post, attached: bool
) -> None:
    office = post.office
    begin(office, BO)
    mail = arriving(
        sender=BO, in_reply_to=START, name="Bo Berg", subject="Re: Booking", plain="x" * 500
    )
    files = (Attachment(id="1", filename="plan.pdf", encoded_size=9000),) if attached else ()
    services = as_system(office, max_message_size=100, max_body_size=100)
    import_message(services, "support", replace(mail, attachments=files))
    shown = str(office.all("conversationmessage")[1]["visiblebody"])
    assert shown.count("see the mailbox") == 1 + attached
    relayed(office)
    (payload,) = [each for each in office.payloads() if each["to"][0]["address"] == ANNA]
    assert "see the mailbox" not in payload["html"]
    assert payload["text"].count("You can ask Bo Berg for the rest.") == 1
    assert ("plan.pdf" in payload["text"]) == attached


def test_all_files_together_have_a_limit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(office, BO)
    reply(office)
    for name in ("one", "two", "three"):
        attach(office, f"{name}.txt", b"1234", "text/plain")
    monkeypatch.setattr("limepkg_email.outgoing.relay.MAX_FILES_TOGETHER", 9)
    services = as_system(office, max_attachment_size=8)
    relay(services, occasions(office)[0])
    (payload,) = office.payloads()
    assert len(payload["attachments"]) == 2
    assert "three.txt" in payload["text"]


@pytest.mark.parametrize("name", ["Bo\r\nBcc: x@example.org", "", '"Bo" <evil@example.org>'])
def test_a_name_cannot_forge_headers(post: Post, name: str) -> None:
    begin(post.office, BO)
    reply(post.office, name=name)
    relayed(post.office)
    post.submit()
    (mail,) = post.delivered(ANNA)
    assert [each.addr_spec for each in mail["From"].addresses] == ["support@example.com"]
    assert mail["Bcc"] is None
    assert mail["From"].addresses[0].display_name.endswith("via Support")


def separate(tmp_path: Path) -> Sequence[Any]:
    host = install(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path, f"sqlite:///{tmp_path / 'p'}")
    return host, make_office(host.application("crm"))


def test_objects_of_another_database_are_waited_for(tmp_path: Path) -> None:
    host, office = separate(tmp_path)
    occasion = Occasion("support", 1, 2, "AAA", NOW)
    with pytest.raises(Conflict) as early:
        relay(office.system, occasion)
    assert early.value.retryable
    office.clock.now = NOW.replace(hour=13)
    assert relay(office.system, occasion) == 0
    host.close()


def test_objects_of_another_database_that_were_lost_are_made_again(tmp_path: Path) -> None:
    host, office = separate(tmp_path)
    begin(office, BO, CARL)
    reply(office)
    assert relayed(office) == 2
    first = {each.guid for each in office.outbox()}
    # A crash between the two commits: the outbox is there, the objects never came to be.
    remove(office, "messagefollower", state="queued")
    with office.application.database.begin() as connection:
        connection.execute(delete(table(Job)).where(table(Job).c.task != RELAY_MESSAGE))
    assert [relayed(office), relayed(office)] == [2, 0]
    assert {each.guid for each in office.outbox()} == first
    shown = {each.id for each in office.all("messagefollower", state="queued")}
    assert {each.messagefollower for each in office.outbox()} == shown
    # What the engine has is left alone.
    remove(office, "messagefollower", state="queued")
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id="q"))
    assert relayed(office) == 0
    host.close()
