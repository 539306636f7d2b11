"""The time as records keep it."""

from datetime import UTC, date, datetime, timedelta

EPOCH_DAY = date(1970, 1, 1).toordinal()


def now() -> datetime:
    """This moment, in UTC. The one place that reads the clock, so that a test can set it."""
    return datetime.now(UTC)


def timestamp(moment: datetime | None = None) -> str:
    """RFC 3339 with milliseconds and `Z`, the form in every record."""
    return (moment or now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: str | None) -> int:
    """A timestamp as milliseconds since 1970; 0 for none."""
    return 0 if moment is None else round(datetime.fromisoformat(moment).timestamp() * 1000)


def today() -> str:
    """The UTC date, `YYYY-MM-DD`."""
    return now().date().isoformat()


def day_number(day: str) -> int:
    """Days since 1970-01-01, the score of a deadline."""
    return date.fromisoformat(day).toordinal() - EPOCH_DAY


def ago(days: float) -> str:
    """The timestamp that many days before now."""
    return timestamp(now() - timedelta(days=days))
