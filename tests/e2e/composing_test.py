"""What people do with the composer on a ticket, all the way into the customer's mailbox."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Response, expect

from tests.e2e.crm import Crm
from tests.e2e.outside import html_of

pytestmark = pytest.mark.browser

TOKYO = "Asia/Tokyo"
LARGE = 2_000_000
"""Bytes of a picture."""

FROM_WORD = """\
<html xmlns:o="urn:schemas-microsoft-com:office:office"
 xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40">
<head><meta name=Generator content="Microsoft Word 15">
<!--[if gte mso 9]><xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><![endif]-->
<style><!-- p.MsoNormal { mso-style-unhide: no; font-family: "Calibri"; } --></style></head>
<body lang=EN-GB style='tab-interval:36.0pt'><!--StartFragment-->
<p class=MsoNormal style='margin-bottom:8.0pt;mso-fareast-language:EN-US'>Our <b
style='mso-bidi-font-weight:normal'>best</b> offer:<o:p></o:p></p>
<table class=MsoTableGrid border=1 style='border-collapse:collapse;mso-yfti-tbllook:1184'>
 <tr style='mso-yfti-irow:0'><td style='mso-border-alt:solid'>
  <p class=MsoNormal>Table<o:p></o:p></p></td>
 <td><p class=MsoNormal>for six<o:p></o:p></p></td></tr>
 <tr><td><p class=MsoNormal>Price<o:p></o:p></p></td>
 <td><p class=MsoNormal><span style='font-weight:700'>480</span><o:p></o:p></p></td></tr>
</table>
<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'>
<![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span
style='font:7.0pt "Times New Roman"'>&nbsp; </span></span></span><![endif]>Delivered on
Monday<o:p></o:p></p>
<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'>
<![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span
style='font:7.0pt "Times New Roman"'>&nbsp; </span></span></span><![endif]>Set up by
us<o:p></o:p></p>
<!--EndFragment--></body></html>
"""


def begin(agent: Crm, subject: str) -> None:
    """Open the ticket of a mail that a customer writes now."""
    agent.outside.deliver(subject, "Can you help me?")
    agent.open_ticket(subject)


def mail_to_anna(agent: Crm, text: str) -> EmailMessage:
    """Wait for the one mail in Anna's mailbox that says something."""
    (mail,) = agent.eventually(
        lambda: agent.outside.mails("anna@example.org", text), f"no mail says {text!r}"
    )
    return mail


def new_conversation(agent: Crm, subject: str) -> Locator:
    """Begin a conversation of its own on a ticket; gives the field of its recipients."""
    begin(agent, subject)
    agent.page.get_by_role("link", name="New conversation").click()
    expect(agent.composer.text).to_be_focused()
    return agent.composer.recipients.get_by_role("combobox")


def step_to(agent: Crm, target: Locator, key: str = "Tab") -> None:
    """Press a key until something has the focus."""
    for _ in range(60):
        if target.evaluate("(each) => each.getRootNode().activeElement === each"):
            return
        agent.page.keyboard.press(key)
    raise AssertionError(f"{target} cannot be reached with the keyboard")


def keeps_picture(answer: Response) -> bool:
    """Tell whether the server has stored a draft with a large picture."""
    request = answer.request
    return (
        request.method == "PUT"
        and "/draft/" in request.url
        and len(request.post_data or "") > LARGE
    )


def test_file_dropped_upon_the_text_reaches_the_customer(agent: Crm) -> None:
    begin(agent, "Where is the plan?")
    agent.composer.write("Here it is")
    agent.composer.drop("plan.txt", "Left, then right")
    expect(agent.composer.files).to_contain_text("plan.txt")
    agent.composer.send()
    mail = mail_to_anna(agent, "Here it is")
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "plan.txt"
    assert file.get_content().strip() == "Left, then right"


@pytest.mark.browser_context_args(timezone_id=TOKYO)
def test_time_chosen_by_hand_is_that_of_the_author(agent: Crm) -> None:
    composer = agent.composer
    begin(agent, "When you like")
    composer.write("In three days")
    composer.choose_from(".later-menu", "Choose date and time")
    field = composer.element.get_by_label("Send at")
    expect(field).to_be_focused()
    day = datetime.now(ZoneInfo(TOKYO)).date() + timedelta(days=3)
    field.fill(f"{day}T07:45")
    composer.action("schedule").click()
    expect(composer.notice("sent")).to_contain_text(re.compile(r"7:45\sAM|07:45"))
    waiting = agent.messages.filter(has_text="To be sent")
    leaves = waiting.locator(".note time")
    expect(leaves).to_contain_text("07:45")
    expect(leaves).to_contain_text(f"{day.day} ")
    told = datetime.fromisoformat(leaves.get_attribute("datetime") or "")
    assert told == datetime.fromisoformat(f"{day}T07:45").replace(tzinfo=ZoneInfo(TOKYO))
    assert told.astimezone(UTC).hour == 22
    assert agent.outside.mails("anna@example.org", "In three days") == []


def test_text_from_word_arrives_clean(agent: Crm) -> None:
    begin(agent, "Your offer, please")
    agent.composer.open()
    agent.composer.paste_html(FROM_WORD)
    expect(agent.composer.text).to_contain_text("Set up by us")
    agent.composer.send()
    html = html_of(mail_to_anna(agent, "Set up by us"))
    for word in ("mso-", "<o:p", "[if", "supportLists", "WordDocument", "·"):
        assert word not in html
    shown = agent.page
    shown.goto("about:blank")
    shown.set_content(html)
    expect(shown.get_by_text("Our best offer:")).to_be_visible()
    bold = shown.locator("b, strong")
    expect(bold.filter(has_text="best")).to_have_text("best")
    expect(bold.filter(has_text="480")).to_have_text("480")
    rows = shown.locator("table tr")
    expect(rows).to_have_text([re.compile(r"Table\s*for six"), re.compile(r"Price\s*480")])
    expect(shown.get_by_role("listitem")).to_have_text(["Delivered on Monday", "Set up by us"])


def test_somebody_without_a_mouse_writes_and_sends(agent: Crm) -> None:
    composer, keys = agent.composer, agent.page.keyboard
    begin(agent, "No mouse here")
    agent.page.reload()
    agent.messages.first.wait_for()
    composer.element.locator("button.line").wait_for()
    keys.press("Tab")
    expect(agent.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    step_to(agent, composer.element.get_by_role("button", name="Reply"))
    keys.press("Enter")
    expect(composer.text).to_be_focused()
    keys.type("By hand. ")
    templates = composer.action("templates")
    step_to(agent, templates, "Shift+Tab")
    items = agent.page.get_by_role("menuitem")
    keys.press("Enter")
    # Quicker than the menu takes the focus.
    keys.press("Escape")
    expect(items).to_have_count(0)
    expect(composer.text).to_have_text("By hand.")
    expect(templates).to_be_focused()
    keys.press("Enter")
    expect(items.first).to_be_focused()
    wanted = items.filter(has_text="Message (English)")
    step_to(agent, wanted, "ArrowDown")
    keys.press("Enter")
    expect(composer.text).to_contain_text("Hello")
    step_to(agent, composer.text)
    keys.type("By keys alone")
    keys.press("Control+Enter")
    expect(composer.action("undo")).to_be_focused()
    html = html_of(mail_to_anna(agent, "By keys alone"))
    assert "By hand." in html
    assert "Hello" in html


def test_draft_with_a_large_picture_is_there_after_a_reload(agent: Crm) -> None:
    composer = agent.composer
    begin(agent, "Show me")
    composer.write("As in the picture: ")
    with agent.page.expect_response(keeps_picture):
        composer.paste_noise(840)
    picture = composer.text.locator("img[src^='data:image/png']")
    expect(picture).to_have_js_property("naturalWidth", 840)
    before = picture.get_attribute("src") or ""
    assert len(before) * 3 / 4 > LARGE
    composer.saved()
    agent.page.reload()
    composer.open()
    expect(composer.text).to_contain_text("As in the picture:")
    expect(picture).to_have_js_property("naturalWidth", 840)
    assert picture.get_attribute("src") == before


def test_list_of_addresses_is_pasted_as_chips(agent: Crm) -> None:
    field = new_conversation(agent, "Invite them")
    chips = agent.composer.recipients.locator(".chip")
    # What is cut in one field is what the clipboard has.
    agent.composer.subject.fill("Anna <a@x.org>; b@y.org, c@z.org; nobody@")
    agent.composer.subject.press("ControlOrMeta+a")
    agent.composer.subject.press("ControlOrMeta+x")
    field.press("ControlOrMeta+v")
    expect(chips).to_have_count(4)
    for at, shown in enumerate(("Anna", "b@y.org", "c@z.org")):
        expect(chips.nth(at)).to_contain_text(shown)
        expect(chips.nth(at)).not_to_contain_class("invalid")
    expect(chips.nth(3)).to_contain_text("not an address")
    expect(chips.nth(3)).to_contain_class("invalid")
    expect(field).to_be_empty()


def test_address_typed_fast_becomes_a_chip_at_the_comma(agent: Crm) -> None:
    field = new_conversation(agent, "Quickly")
    chips = agent.composer.recipients.locator(".chip")
    field.focus()
    agent.page.keyboard.type('bo@example.org,lisa@example.net, "Berg, Ann" <ann@x.org>,rest')
    expect(chips).to_have_count(3)
    expect(chips).to_contain_text(["bo@example.org", "lisa@example.net", "Berg, Ann"])
    expect(field).to_have_value("rest")
