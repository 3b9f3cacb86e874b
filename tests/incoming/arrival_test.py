"""When a mail came tells whether it is from before its account, not what it is dated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from limepkg_email.incoming.arrival import Arrival, judge
from tests.incoming.arriving import arriving

ACTIVATION = datetime(2026, 11, 22, 12, 0, 0, 400_000, tzinfo=UTC)
NOW = ACTIVATION + timedelta(days=9)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

LayThere = Callable[[datetime], bool]


def stamp(moment: datetime) -> str:
    return (
        f"from a.example (b [192.0.2.1]) by c with LMTP id x; {format_datetime(moment)} (comment)"
    )


def exact(arrived: datetime) -> LayThere:
    """A mailbox that searches to the second."""
    return lambda moment: arrived.replace(microsecond=0) < moment


def by_day(arrived: datetime, zone: timezone = UTC) -> LayThere:
    """A mailbox that searches by the day, in a time zone of its own."""
    return lambda moment: arrived.astimezone(zone).date() < moment.astimezone(UTC).date()


def not_asked(_: datetime) -> bool:
    raise AssertionError("the headers tell")


def judged(
    *stamps: str,
    date: datetime | None = LONG_AGO,
    lay_there: LayThere = not_asked,
) -> Arrival:
    mail = arriving(date=date, received=stamps)
    return judge(mail, ACTIVATION, NOW, lay_there)


@pytest.mark.parametrize("date", [None, ACTIVATION, ACTIVATION.replace(microsecond=0), NOW + DAY])
def test_a_mail_dated_since_the_activation_is_taken_at_its_word(date: datetime | None) -> None:
    assert judged(date=date) == Arrival(earlier=False)


@pytest.mark.parametrize("date", [LONG_AGO, ACTIVATION - MINUTE, ACTIVATION - 4 * DAY])
def test_a_server_that_received_it_since_then_outweighs_its_date(date: datetime) -> None:
    old, new = stamp(ACTIVATION - DAY), stamp(ACTIVATION + MINUTE)
    for stamps in ((new, old), (old, new), (new,), ("nonsense", "x; y", new)):
        found = judged(*stamps, date=date)
        moment = (ACTIVATION + MINUTE).replace(microsecond=0)
        assert found == Arrival(earlier=False, sign="received", at=moment)


def test_the_second_of_the_activation_counts_as_after_it() -> None:
    assert not judged(stamp(ACTIVATION.replace(microsecond=0))).earlier


def test_a_stamp_from_the_future_is_no_evidence() -> None:
    forged, old = stamp(NOW + HOUR), stamp(ACTIVATION - 30 * DAY)
    assert judged(forged, old) == Arrival(earlier=True, sign="received")


def test_a_copied_mailbox_stays_old_although_it_came_into_the_mailbox_today() -> None:
    assert judged(stamp(ACTIVATION - 6 * DAY), lay_there=exact(NOW)).earlier


@pytest.mark.parametrize("waited", [MINUTE, HOUR, 4 * DAY])
def test_a_mail_that_waited_for_its_mailbox_came_when_it_was_put_there(waited: timedelta) -> None:
    received = stamp(ACTIVATION + MINUTE - waited - HOUR)
    for days in range(3):
        arrived = ACTIVATION + MINUTE + days * DAY
        found = judged(received, lay_there=exact(arrived))
        assert found == Arrival(earlier=False, sign="mailbox")


@pytest.mark.parametrize("before", [timedelta(seconds=3), HOUR, DAY, 4 * DAY])
@pytest.mark.parametrize("mailbox", [exact, by_day])
def test_a_mail_that_lay_there_before_is_old(
    before: timedelta, mailbox: Callable[[datetime], LayThere]
) -> None:
    arrived = ACTIVATION - before
    assert judged(stamp(arrived), lay_there=mailbox(arrived)).earlier


@pytest.mark.parametrize("hours", [-11, 0, 12])
def test_where_mailboxes_search_by_the_day_the_next_days_are_told_apart(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    received = stamp(ACTIVATION - 2 * DAY)
    assert not judged(received, lay_there=by_day(ACTIVATION + 2 * DAY, zone)).earlier
    assert judged(received, lay_there=by_day(ACTIVATION - 2 * DAY, zone)).earlier


def test_without_any_stamp_the_mailbox_tells_and_in_doubt_the_mail_is_new() -> None:
    assert judged(lay_there=exact(ACTIVATION - MINUTE)).earlier
    assert not judged(lay_there=exact(ACTIVATION + MINUTE)).earlier
    # It searches by the day, or the mail was moved away meanwhile.
    assert not judged(lay_there=by_day(ACTIVATION - MINUTE)).earlier
    assert not judged(lay_there=lambda _: False).earlier


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        ";",
        "; Mon, 99 Foo 2026 99:99:99 +9999",
        "; Sun, 22 Nov 99999999999999999999 12:00:00 +0000",
        "; \x00\ud800",
        "; " + "Sun, " * 100_000,
        "(" * 100_000 + "; " + "(" * 100_000,
        "; Sun, 22 Nov 2026 12:00:00 +99999999999999999999",
        "; Fri, 31 Dec 9999 23:59:59 -2300",
    ],
)
def test_a_stamp_that_makes_no_sense_is_none(hostile: str) -> None:
    assert judged(hostile, stamp(ACTIVATION - 30 * DAY)).earlier
    assert not judged(hostile, lay_there=lambda _: False).earlier


def test_exims_note_of_the_delivery_counts_as_well() -> None:
    mail = arriving(date=LONG_AGO, received=(stamp(ACTIVATION - HOUR),))
    delivered = format_datetime(ACTIVATION + HOUR)
    headers = {**mail.headers, "delivery-date": (delivered,)}
    found = judge(replace(mail, headers=headers), ACTIVATION, NOW, not_asked)
    assert (found.earlier, found.sign) == (False, "received")


def test_where_mails_have_no_numbers_their_date_is_that_of_the_arrival() -> None:
    mail = replace(arriving(date=ACTIVATION - HOUR, received=()), uid=0)
    assert judge(mail, ACTIVATION, NOW, not_asked).earlier
