"""Mails that cannot be imported: noted with a reason and parked, but never somebody else's."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from limepkg_email.db import table
from limepkg_email.errors import ImportRefused
from limepkg_email.incoming.failures import record_failure
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import Job
from tests.incoming.arriving import arriving
from tests.installation import Installation

JOB = table(Job)
REFUSED = ImportRefused("no sender")


def receipts(installation: Installation) -> list[tuple[str, str]]:
    with installation.services.application.database.connect() as connection:
        columns = (RECEIPTS.c.account, RECEIPTS.c.reason)
        return [(row.account, row.reason) for row in connection.execute(select(*columns))]


def parked(installation: Installation) -> int:
    with installation.services.application.database.connect() as connection:
        tasks = connection.scalars(select(JOB.c.task))
        return sum(each.endswith("park_message") for each in tasks)


def test_mail_of_an_account_that_is_not_connected_is_neither_noted_nor_moved(
    installation: Installation,
) -> None:
    record_failure(installation.services, "somebody else's", arriving(), REFUSED)
    assert receipts(installation) == []
    assert parked(installation) == 0


def test_one_mail_that_fails_in_two_accounts_is_parked_in_both(installation: Installation) -> None:
    installation.connect("sales", "sales@example.com")
    mail = arriving(message_id="<both@example.org>")
    for account in ("support", "sales", "sales"):
        record_failure(installation.services, account, mail, REFUSED)
    assert receipts(installation) == [("support", "no sender"), ("sales", "no sender")]
    assert parked(installation) == 2


def test_a_reason_tells_nothing_of_what_the_mail_says(installation: Installation) -> None:
    for each in (True, False):
        error: Exception = IntegrityError("INSERT", {"body": "private"}, Exception("not null"))
        if each:
            error = ImportRefused("It broke.")
            error.__cause__ = IntegrityError("INSERT", {"body": "private"}, Exception("not null"))
        record_failure(installation.services, "support", arriving(), error)
    reasons = [reason for _, reason in receipts(installation)]
    assert reasons == [
        "It broke. (IntegrityError: not null)",
        "IntegrityError: not null",
    ]
