"""What the demo's CRM holds before the first mail arrives: people, companies, users, a ticket."""

from __future__ import annotations

from limepkg_email.errors import Conflict
from limepkg_email.reference.application import ReferenceApplication

AGENT = ("alva", "Alva Ek", "alva@example.com", "agent")
ADMINISTRATOR = ("admin", "Ada Min", "admin@example.com", "administrator")
PASSWORD = "welcome-to-the-demo"  # noqa: S105 - printed for whoever runs the demo on their machine

CUSTOMERS = (
    ("Anna Andersson", "anna@example.org"),
    ("Bo Berg", "bo@example.org"),
    ("Lisa Lind", "lisa@example.net"),
    ("佐藤 由紀", "yuki@example.net"),
)
"""People who have a mailbox in the sandbox: names and addresses."""

SIGNATURE = '<p><b>Alva Ek</b><br>Customer service<br><span style="color:#666">Example</span></p>'
"""What stands below the agent's messages."""

_COMPANIES = (
    ("Andersson Garden", "example.org"),
    ("Lind & Daughters", "example.net"),
)
_PEOPLE = (
    ("Anna", "Andersson", "anna@example.org", 0),
    ("Bo", "Berg", "bo@example.org", 0),
    ("Lisa", "Lind", "lisa@example.net", 1),
    ("由紀", "佐藤", "yuki@example.net", 1),
)


def seed(application: ReferenceApplication) -> None:
    """Fill an empty CRM; `application` acts as a user who may change everything."""
    coworkers = {}
    for login, name, email, role in (ADMINISTRATOR, AGENT):
        try:
            user = application.users.add(
                login, name=name, email=email, password=PASSWORD, role=role
            )
        except Conflict:
            return
        first, _, last = name.partition(" ")
        coworkers[login] = {"firstname": first, "lastname": last, "email": email, "user": user}
    with application.unit_of_work() as work:
        companies = work.objects.add_many(
            "company", [{"name": name, "domain": domain} for name, domain in _COMPANIES]
        )
        agents = work.objects.add_many("coworker", list(coworkers.values()))
        people = work.objects.add_many(
            "person",
            [
                {"firstname": first, "lastname": last, "email": email, "company": companies[where]}
                for first, last, email, where in _PEOPLE
            ],
        )
        work.objects.add(
            "helpdesk",
            {
                "title": "Call Bo back about the delivery",
                "description": "A ticket without any mail: write to Bo from here.",
                "person": people[1],
                "company": companies[0],
                "coworker": agents[1],
            },
        )
