"""What the CRM's pages say of a ticket's mail: whose conversation it is, and where mail can go."""

from __future__ import annotations

from datetime import datetime, timedelta

from limepkg_email.reference.integrated_mail import IntegratedMail
from limepkg_email.reference.mail import TicketMail
from tests.installation import NOW, Installation
from tests.reference.browser import Browser
from tests.statements import counted

LATER = NOW + timedelta(hours=1)


def conversation(
    installation: Installation,
    ticket: int,
    *who: str,
    sources: tuple[str, ...] = ("email",),
    last: datetime = NOW,
) -> int:
    """Make a conversation whose messages come from these sources, the oldest first."""
    subject = f"Order of {who[0]}"
    made = installation.add(
        "conversation", subject=subject, helpdesk=ticket, lastmessagedate=last, account=1
    )
    for name in who:
        email = f"{name.lower()}@example.org"
        installation.add("follower", conversation=made, name=name, email=email, active=True)
    for source in sources:
        installation.add("conversationmessage", conversation=made, source=source, date=last)
    return made


def mail_of(installation: Installation) -> tuple[IntegratedMail, dict[int, TicketMail]]:
    mail = IntegratedMail(installation.integration)
    tickets = [each.id for each in installation.all("helpdesk")]
    return mail, dict(mail.overview(installation.services.application, tickets))  # type: ignore[arg-type]


def test_customers_conversation_stays_the_tickets_own_after_a_forward(
    browser: Browser, installation: Installation
) -> None:
    ticket = installation.add("helpdesk", title="Order")
    ann = conversation(installation, ticket, "Ann")
    # Bo's answer does not make the forward his own either.
    conversation(installation, ticket, "Bo", sources=("lime", "email"), last=LATER)
    page = browser.get(f"/demo/helpdesk/{ticket}/").text
    assert f'name="conversation" value="{ann}"' in page
    assert "ann@example.org" in page
    assert "bo@example.org" not in page
    row = browser.get("/demo/tickets").text
    assert "Ann" in row
    assert "Bo<" not in row
    # The ticket is as recent as its latest message all the same.
    assert mail_of(installation)[1][ticket].last == LATER


def test_latest_of_several_conversations_of_customers_is_the_tickets_own(
    browser: Browser, installation: Installation
) -> None:
    ticket = installation.add("helpdesk", title="Order")
    conversation(installation, ticket, "Ann")
    cilla = conversation(installation, ticket, "Cilla", last=LATER)
    page = browser.get(f"/demo/helpdesk/{ticket}/").text
    assert f'name="conversation" value="{cilla}"' in page
    assert mail_of(installation)[1][ticket].who == "Cilla"


def test_latest_conversation_counts_where_only_we_began_any(
    browser: Browser, installation: Installation
) -> None:
    ticket = installation.add("helpdesk", title="Order")
    conversation(installation, ticket, "Ann", sources=("lime",))
    bo = conversation(installation, ticket, "Bo", sources=("lime",), last=LATER)
    assert f'value="{bo}"' in browser.get(f"/demo/helpdesk/{ticket}/").text
    assert mail_of(installation)[1][ticket].who == "Bo"


def test_tickets_with_forwards_cost_one_statement_more_however_many_they_are(
    browser: Browser, installation: Installation
) -> None:
    def forwarded() -> None:
        ticket = installation.add("helpdesk", title="Order")
        conversation(installation, ticket, "Ann")
        conversation(installation, ticket, "Bo", sources=("lime",), last=LATER)

    def cost() -> int:
        with counted(installation.services.application.database) as statements:
            assert browser.get("/demo/tickets").status_code == 200
        return len(statements)

    conversation(installation, installation.add("helpdesk", title="Plain"), "Ann")
    cost()
    plain = cost()
    for _ in range(10):
        forwarded()
    assert cost() == plain + 1


def test_conversations_to_choose_from_say_with_whom_how_much_and_when(
    browser: Browser, installation: Installation
) -> None:
    for name, count in (("Ann", 2), ("Bo", 1)):
        ticket = installation.add("helpdesk", title="Order")
        conversation(installation, ticket, name, "Dan", sources=("email",) * count)
    found = browser.get("/demo/conversations?q=order").json["items"]
    assert [(each["who"], each["messages"], each["ticket"]) for each in found] == [
        ("Bo", 1, 2),
        ("Ann", 2, 1),
    ]
    assert found[0]["last"] == NOW.isoformat()


def test_choices_cost_the_same_however_many_they_are(
    browser: Browser, installation: Installation
) -> None:
    def cost() -> int:
        with counted(installation.services.application.database) as statements:
            assert browser.get("/demo/conversations").status_code == 200
        return len(statements)

    conversation(installation, installation.add("helpdesk", title="Order"), "Ann")
    cost()
    before = cost()
    for _ in range(10):
        conversation(installation, installation.add("helpdesk", title="Order"), "Ann")
    assert cost() == before


def test_conversation_is_found_by_its_number(browser: Browser, installation: Installation) -> None:
    tickets = [installation.add("helpdesk", title="Order") for _ in range(2)]
    first, _ = (conversation(installation, each, "Ann") for each in tickets)
    found = browser.get(f"/demo/conversations?id={first}").json["items"]
    assert [(each["id"], each["ticket"]) for each in found] == [(first, tickets[0])]
    assert browser.get("/demo/conversations?id=4711").json == {"items": []}
