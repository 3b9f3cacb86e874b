"""What a message says as a whole: signatures and pictures within it."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.errors import InvalidInput
from limepkg_email.outgoing.compose import Draft, submit
from limepkg_email.outgoing.draft import Quoted, Recipient
from limepkg_email.outgoing.forward import forward
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.scheduled import cancel_message, content, edit
from limepkg_email.outgoing.whole import SIGNATURE_MARK, length_of, whole_content
from limepkg_email.signatures import set_user_signature

from .conftest import Office, Post

ANNA, BO = "anna@example.org", "bo@example.org"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
PIXEL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
BUDGET = 15
"""What a message without a signature may cost too, while the mails before it are still to leave."""


def sign(office: Office, *, user: str = "", account: str = "") -> None:
    set_user_signature(office.services, office.services.application.user.id, user)
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(signature=account))


def said(html: str = "", text: str = "", signature: str = "", **values: Any) -> tuple[str, str]:
    draft = Draft(1, html=html, text=text, **values)
    whole = whole_content(draft, signature, 1_000)
    return whole.html, whole.text


def stored(office: Office) -> int:
    with office.application.database.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM crm_file").scalar_one())


def test_a_signature_stands_below_the_text_in_every_mail_and_in_the_crm(office: Office) -> None:
    sign(office, account="<p>Support of Example</p>")
    made = office.send(office.conversation(ANNA, BO), text="Hello", signature=True)
    message = office.get("conversationmessage", made.conversationmessage)
    whole = f'<p>Hello</p><div class="{SIGNATURE_MARK}"><p>Support of Example</p></div>'
    assert message["body"] == message["visiblebody"] == whole
    assert message["preview"] == "Hello"
    payloads = office.payloads()
    assert len(payloads) == 2
    for each in payloads:
        assert whole in each["html"]
        assert each["text"] == "Hello\n\n-- \nSupport of Example"


def test_the_users_own_signature_goes_before_the_accounts(office: Office) -> None:
    sign(office, user="<p>Lisa</p>", account="<p>Support</p>")
    office.send(office.conversation(ANNA), signature=True)
    assert office.payloads()[0]["text"] == "Hello\n\n-- \nLisa"


def test_without_being_asked_for_or_without_one_nothing_is_added(office: Office) -> None:
    sign(office, account="<p>Support</p>")
    office.send(office.conversation(ANNA))
    sign(office)
    office.send(office.conversation(ANNA), signature=True)
    assert [each["text"] for each in office.payloads()] == ["Hello", "Hello"]


def test_a_text_with_its_signature_gets_no_second_one() -> None:
    html, text = said("<p>a</p>", signature="<p>Lisa</p>")
    assert html.count("Lisa") == text.count("Lisa") == 1
    again, _ = said(html, signature="<p>Lisa</p>")
    assert again == html


def test_an_element_left_open_does_not_swallow_the_signature() -> None:
    html, _ = said("<b><i>loud", signature="<p>Lisa</p>")
    assert html.endswith(f'</i></b><div class="{SIGNATURE_MARK}"><p>Lisa</p></div>')


def test_a_signature_alone_is_no_message(office: Office) -> None:
    sign(office, account="<p>Support</p>")
    conversation = office.conversation(ANNA)
    before = office.counts()
    with pytest.raises(InvalidInput) as refusal:
        office.send(conversation, text=" ", signature=True)
    assert list(refusal.value.errors) == ["html"]
    assert office.counts() == before


def test_it_stands_above_what_a_message_quotes() -> None:
    quoted = Quoted("<blockquote>earlier</blockquote>")
    html, text = said("<p>a</p>", signature="<p>Lisa</p>", quoted=quoted)
    assert html.index("<p>a</p>") < html.index("Lisa") < html.index("<blockquote>")
    assert text == "a\n\n-- \nLisa\n\nearlier"


def test_what_is_quoted_may_have_signatures_of_its_own() -> None:
    quoted = Quoted(f'<div class="{SIGNATURE_MARK}">Anna</div>')
    html, _ = said("<p>a</p>", signature="<p>Lisa</p>", quoted=quoted)
    assert html.index("Lisa") < html.index("Anna")


def test_a_forwarded_message_is_signed_above_the_original(office: Office) -> None:
    sign(office, user="<p>Lisa</p>")
    made = office.send(office.conversation(ANNA), html="<p>The original</p>")
    message = made.conversationmessage
    forward(office.services, message, [Recipient(BO)], "<p>See below</p>", signature=True)
    text = office.payloads()[-1]["text"]
    assert text.index("See below") < text.index("-- \nLisa") < text.index("The original")


def test_a_signature_fits_into_the_budget_of_a_message(office: Office) -> None:
    sign(office, account="<p>Support</p>")
    conversation = office.conversation(ANNA, BO)
    office.send(conversation, signature=True)
    with office.statements() as seen:
        office.send(conversation, signature=True)
    assert len(seen) <= BUDGET, seen


def test_a_picture_of_the_signature_is_a_part_of_the_mail(post: Post) -> None:
    sign(post.office, user=f'<p>Lisa <img src="{PIXEL}"></p>')
    post.office.send(post.office.conversation(ANNA), signature=True)
    post.submit()
    (mail,) = post.delivered(ANNA)
    assert [part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"]


def test_a_pasted_picture_is_shown_in_each_mail_and_in_the_crm(post: Post) -> None:
    office = post.office
    made = office.send(
        office.conversation(ANNA, BO),
        text="",
        html=f'<p>See</p><img src="{PIXEL}" alt="plan"><img src="{PIXEL}">',
    )
    (embedded,) = office.all("embeddedfile", conversationmessage=made.conversationmessage)
    body = str(office.get("conversationmessage", made.conversationmessage)["body"])
    assert body.count(f'src="cid:{embedded["contentid"]}"') == 2
    with office.application.files.open(str(embedded["file"])) as file:
        assert file.read() == PNG
    assert all(PIXEL[40:] not in row.payload for row in office.outbox())
    post.submit()
    for address in (ANNA, BO):
        (mail,) = post.delivered(address)
        (picture,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
        assert picture.get_content() == PNG
        assert picture.get_content_disposition() == "inline"
        html = mail.get_body(("html",))
        assert html is not None
        assert html.get_content().count(f"cid:{picture['Content-ID'].strip('<>')}") == 2


def test_a_picture_alone_is_a_message(office: Office) -> None:
    made = office.send(office.conversation(ANNA), text="", html=f'<img src="{PIXEL}">')
    assert office.all("embeddedfile", conversationmessage=made.conversationmessage)


def test_a_picture_is_sent_again_with_its_mail(post: Post) -> None:
    office = post.office
    made = office.send(office.conversation(ANNA), text="", html=f'<p>a</p><img src="{PIXEL}">')
    cancel_message(office.services, made.conversationmessage)
    resend(office.services, made.messagefollowers[0])
    post.submit()
    (mail,) = post.delivered(ANNA)
    assert PNG in [each.get_content() for each in mail.walk() if not each.is_multipart()]


def test_what_is_taken_back_to_edit_has_its_pictures_and_one_signature(office: Office) -> None:
    sign(office, user="<p>Lisa</p>")
    conversation = office.conversation(ANNA)
    html = f'<p>a</p><img src="{PIXEL}">'
    later = {"undo": timedelta(seconds=10), "signature": True}
    made = office.send(conversation, text="", html=html, **later)
    _, kept = edit(office.services, made.conversationmessage)
    assert PIXEL in kept.html
    again = office.send(conversation, text="", html=kept.html, **later)
    body = str(office.get("conversationmessage", again.conversationmessage)["body"])
    assert (body.count("<img"), body.count("Lisa")) == (1, 1)
    assert content(office.services, again.conversationmessage).html == kept.html


def test_a_forwarded_picture_stays_in_its_place(post: Post) -> None:
    office = post.office
    conversation = office.conversation(ANNA)
    made = office.send(conversation, text="", html=f'<p>See</p><img src="{PIXEL}">')
    forward(office.services, made.conversationmessage, [Recipient(BO)])
    post.submit()
    (mail,) = post.delivered(BO)
    (picture,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    assert (picture.get_content(), picture.get_content_disposition()) == (PNG, "inline")
    html = mail.get_body(("html",))
    assert html is not None
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html.get_content()


@pytest.mark.parametrize(
    "source",
    [
        "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
        "data:image/png;base64,bm8gaW1hZ2U=",
        "data:image/png;base64,%%%",
        "data:text/html,x",
    ],
)
def test_what_is_no_picture_is_refused_with_the_field(office: Office, source: str) -> None:
    conversation = office.conversation(ANNA)
    before = office.counts()
    for html in (f'<p>a</p><img src="{source}">', f'<img src="{source}">'):
        with pytest.raises(InvalidInput, match="PNG, JPEG, GIF or WebP") as refusal:
            office.send(conversation, text="", html=html)
        assert list(refusal.value.errors) == ["html"]
    assert (office.counts(), stored(office)) == (before, 0)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ([101], "is the limit"),
        ([60, 60, 60], "together"),
        ([10] * 51, "more than 50 pictures"),
    ],
)
def test_pictures_count_as_files(
    office: Office, monkeypatch: pytest.MonkeyPatch, sizes: list[int], sentence: str
) -> None:
    monkeypatch.setattr("limepkg_email.outgoing.problems.MAX_FILES_TOGETHER", 150)
    conversation = office.conversation(ANNA)
    contents = [(b"GIF89a%04d" % n).ljust(size, b"x") for n, size in enumerate(sizes)]
    data = [base64.b64encode(each).decode() for each in contents]
    html = "".join(f'<img src="data:image/gif;base64,{each}">' for each in data)
    before = office.counts()
    services = office.with_config(max_attachment_size=100)
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        submit(services, Draft(office.account.id, html=html, conversation=conversation))
    assert list(refusal.value.errors) == ["html"]
    assert (office.counts(), stored(office)) == (before, 0)


def test_pictures_do_not_count_as_text(office: Office) -> None:
    big = base64.b64encode(PNG.ljust(90_000, b"x")).decode()
    html = f'<p>short</p><img src="data:image/png;base64,{big}">'
    assert length_of(html) < 100
    services = office.with_config(max_body_size=1_000)
    conversation = office.conversation(ANNA)
    made = submit(services, Draft(office.account.id, html=html, conversation=conversation))
    assert office.all("embeddedfile", conversationmessage=made.conversationmessage)


def test_pictures_of_a_refused_or_repeated_message_are_not_kept(office: Office) -> None:
    conversation = office.conversation(ANNA)
    html = f'<img src="{PIXEL}">'
    with pytest.raises(InvalidInput):
        office.send(conversation, html=html, followers=(4711,))
    assert stored(office) == 0
    first = office.send(conversation, html=html, idempotency_key="k")
    second = office.send(conversation, html=html, idempotency_key="k")
    assert (second.repeated, second.conversationmessage) == (True, first.conversationmessage)
    assert stored(office) == 1
