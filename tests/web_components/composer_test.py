"""The composer in a real browser: what is written there reaches people, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from limepkg_email.reference.demo import Demo
from limepkg_email.reference.seed import AGENT
from limepkg_email.web_components import Manifest
from tests.e2e.composer import TAG, Composer
from tests.e2e.outside import html_of
from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

LISA = "Lisa Lind <lisa@example.net>"


class Author(HostPage):
    """Somebody who writes on the host page; `sent` is what the component told the host."""

    def __init__(self, page: Page, demo: Demo) -> None:
        super().__init__(page, demo)
        self.composer = Composer(page)
        self.sent: list[dict[str, Any]] = []
        page.expose_function("noteSent", lambda detail: self.sent.append(detail))
        page.add_init_script("addEventListener('sent', ({ detail }) => noteSent(detail))")

    def answer(self, subject: str, **headers: str) -> int:
        """Answer a mail that a customer writes now; gives the conversation."""
        self.outside.deliver(subject, "Do you have a minute?", **headers)
        number = self.eventually(lambda: self._conversation(subject), "the mail does not arrive")
        self.write_in(number)
        return number

    def write_in(self, conversation: int) -> None:
        self.open(TAG, limetype="conversation", id=conversation)
        self.composer.text.wait_for()

    def submitted(self) -> dict[str, Any]:
        """Wait for the event that a message is on its way, and give what it says."""
        return self.eventually(lambda: self.sent, "nothing is sent").pop()

    def newest(self, conversation: int) -> dict[str, Any]:
        """Give the newest item of a feed."""
        return self._feed("conversation", conversation)[0]

    def states(self, conversation: int) -> set[str]:
        """Give what became of the newest message on its way to its recipients."""
        recipients = self.newest(conversation)["recipients"]
        return {each["state"] for each in recipients if each["role"] != "from"}

    def _conversation(self, subject: str) -> int:
        anna = self._feed("person", 1)
        about = {each["text"]: item["conversation"] for item in anna for each in item["relations"]}
        return int(about.get(subject, 0))

    def _feed(self, limetype: str, number: int) -> list[dict[str, Any]]:
        query: dict[str, str | float | bool] = {"limetype": limetype, "id": number}
        answer = self.page.request.get(f"{self.address}/limepkg-email/feed/", params=query)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@pytest.fixture
def author(page: Page, built: Manifest, demo: Demo) -> Iterator[Author]:
    """An agent at the host page, on which nothing may go wrong."""
    found = Author(page, demo)
    found.sign_in(AGENT[0])
    yield found
    assert found.wrong == []


def test_an_answer_with_template_attachment_and_picture_reaches_every_follower(
    author: Author, tmp_path: Path
) -> None:
    composer = author.composer
    author.answer("A table with a view", Cc=LISA)
    expect(composer.recipients).to_contain_text("Each of the 2 recipients")
    composer.choose_from(".templates-menu", "Message (English)")
    expect(composer.text).to_contain_text("Hello")
    composer.write("At the window")
    composer.paste_picture()
    expect(composer.text.locator("img[src^='data:image/png']")).to_have_count(1)
    menu = tmp_path / "menü.txt"
    menu.write_text("Soup", "utf-8")
    composer.attach(menu)
    expect(composer.files).to_contain_text("menü.txt")
    composer.send_button.click()
    assert len(author.submitted()["messagefollowers"]) == 2
    expect(composer.text).to_be_empty()
    for address in ("anna@example.org", "lisa@example.net"):
        (mail,) = author.eventually(
            lambda to=address: author.outside.mails(to, "At the window"),  # type: ignore[misc]
            f"nothing reaches {address}",
        )
        parts = {each.get_filename() or each.get_content_type(): each for each in mail.walk()}
        assert parts["menü.txt"].get_content().strip() == "Soup"
        (picture,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
        assert f"cid:{str(picture['Content-ID'])[1:-1]}" in html_of(mail)
        assert "Customer service" in html_of(mail)


def test_snippets_are_put_where_an_exclamation_mark_was_typed(author: Author) -> None:
    composer = author.composer
    author.open()
    for title, text in {
        "Opening hours": "<p>Open <b>9 to 17</b></p>",
        "Opening week": "<p>From Monday</p>",
    }.items():
        snippet = {"title": title, "text": text}
        author.ask("await http.post('limepkg-email/snippet/', args[0])", snippet)
    author.answer("When are you there?")
    composer.write("Welcome !ope")
    found = composer.element.get_by_role("option")
    expect(found).to_have_count(2)
    for key in ("ArrowDown", "ArrowUp", "Enter"):
        composer.text.press(key)
    expect(composer.text.locator("strong")).to_have_text("9 to 17")
    expect(composer.text).not_to_contain_text("!")
    expect(found).to_have_count(0)


def test_a_message_can_be_taken_back_and_nobody_gets_it(author: Author) -> None:
    composer = author.composer
    conversation = author.answer("Too fast")
    composer.write("A word too much")
    composer.send()
    author.submitted()
    expect(composer.action("undo")).to_be_focused()
    composer.action("undo").click()
    expect(composer.text).to_have_text("A word too much")
    expect(composer.notice("sent")).to_have_count(0)
    assert author.states(conversation) == {"cancelled"}
    assert author.outside.mails("anna@example.org", "word too much") == []


def test_a_message_can_be_sent_later(author: Author) -> None:
    composer = author.composer
    conversation = author.answer("No hurry")
    composer.write("See you tomorrow")
    composer.choose_from(".later-menu", "Tomorrow morning")
    author.submitted()
    expect(composer.notice("sent")).to_contain_text("Will be sent")
    assert author.states(conversation) == {"scheduled"}
    assert author.outside.mails("anna@example.org", "See you tomorrow") == []
    composer.action("undo").click()
    expect(composer.text).to_have_text("See you tomorrow")


def test_a_draft_outlives_the_page_and_another_window_is_noticed(author: Author) -> None:
    composer = author.composer
    conversation = author.answer("Two windows")
    composer.write("Half a thought")
    composer.saved()
    author.write_in(conversation)
    expect(composer.text).to_have_text("Half a thought")
    author.ask(
        """
        const [conversation] = args;
        const url = 'limepkg-email/draft/';
        const { version, content } = await http.get(url, { params: { conversation } });
        const elsewhere = { ...content, html: '<p>Elsewhere</p>' };
        await http.put(url, { conversation, version, content: elsewhere });
        """,
        conversation,
    )
    composer.write(" and more")
    expect(composer.notice("conflict")).to_contain_text("another window")
    composer.action("theirs").click()
    expect(composer.text).to_have_text("Elsewhere")


def test_what_could_not_be_sent_is_kept_and_sent_by_trying_again(author: Author) -> None:
    composer, outside = author.composer, author.outside
    author.answer("On the train", Cc=LISA)
    composer.write("Through the tunnel")
    composer.saved()
    assert author.wrong == []
    author.page.context.set_offline(True)
    expect(composer.notice("offline")).to_be_visible()
    composer.send_button.click()
    expect(composer.notice("error")).to_contain_text("cannot be reached")
    expect(composer.text).to_have_text("Through the tunnel")
    author.page.context.set_offline(False)
    # The browser complained of what it could not load.
    author.wrong.clear()
    composer.action("retry").click()
    assert len(author.submitted()["messagefollowers"]) == 2
    mails = author.eventually(
        lambda: outside.mails("anna@example.org", "Through the tunnel"), "nothing arrives"
    )
    assert len(mails) == 1


def test_a_mail_that_the_engine_refuses_is_told_and_sent_again(author: Author) -> None:
    composer, outside = author.composer, author.outside
    author.answer("Refuse me", Cc=LISA)
    composer.write("Refused at first")
    outside.fail_once("/v1/account/*/submit", 400, times=2)
    composer.send_button.click()
    author.submitted()
    expect(composer.notice("failed")).to_contain_text("2 mails could not be sent")
    composer.action("resend").click()
    author.eventually(
        lambda: outside.mails("anna@example.org", "Refused at first"), "it is not sent again"
    )


def test_nobody_writes_past_a_message_that_they_have_not_seen(author: Author) -> None:
    composer = author.composer
    conversation = author.answer("How many?", Cc=LISA, Message_ID="<many@example.org>")
    composer.write("As I said")
    composer.saved()
    author.outside.deliver("Re: How many?", "We are four now!", In_Reply_To="<many@example.org>")
    author.eventually(lambda: "four now" in author.newest(conversation)["value"], "no answer")
    composer.send_button.click()
    expect(composer.notice("arrived")).to_contain_text("Anna")
    expect(composer.notice("arrived")).to_contain_text("We are four now!")
    expect(composer.text).to_have_text("As I said")
    composer.action("anyway").click()
    assert len(author.submitted()["messagefollowers"]) == 2


def test_a_new_conversation_begins_on_a_ticket(author: Author) -> None:
    composer = author.composer
    author.open(TAG, limetype="helpdesk", id=1)
    recipients = composer.recipients
    recipients.get_by_role("button", name="Bo Berg").click()
    field = recipients.get_by_role("combobox")
    field.fill("lisa")
    expect(recipients.get_by_role("option")).to_contain_text("Lisa Lind")
    field.press("ArrowDown")
    field.press("Enter")
    field.fill("not an address@")
    field.press("Enter")
    invalid = recipients.locator(".chip.invalid")
    expect(invalid).to_contain_text("not an address@")
    expect(field).to_be_empty()
    composer.subject.fill("Your delivery")
    composer.write("It is on its way")
    composer.send_button.click()
    expect(recipients.get_by_role("alert")).to_contain_text("not an address@")
    invalid.get_by_role("button").click()
    composer.send_button.click()
    assert len(author.submitted()["messagefollowers"]) == 2
    author.eventually(
        lambda: author.outside.mails("bo@example.org", "on its way"), "nothing arrives"
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_the_composer_fits_the_window(author: Author, width: int) -> None:
    author.wide(width)
    author.write_in(1)
    assert not author.scrolls_sideways()
    size = author.composer.send_button.bounding_box()
    assert size is not None
    assert width > 500 or size["height"] >= 44
