"""Times as the API writes and reads them."""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime


def iso(moment: datetime) -> str:
    """Write a time as the API does: UTC, milliseconds, `Z`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime:
    """Read an ISO date or time; one without a zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def from_timestamp(seconds: float) -> datetime:
    """The aware time for seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def parse_date_header(value: str) -> datetime | None:
    """The time in a `Date:` header, or None when it is no date."""
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    # Years that no ISO reader accepts are as good as no date at all.
    return moment if 1970 <= moment.year <= 9999 else None


def day(moment: datetime) -> date:
    """The UTC day of a time."""
    return moment.astimezone(UTC).date()


def after(moment: datetime, seconds: float) -> datetime:
    """A time so many seconds later."""
    return moment + timedelta(seconds=seconds)
