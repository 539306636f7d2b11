"""Hours of work per weekday."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def merged(was: dict[str, float], sent: dict[str, float]) -> dict[str, float]:
    """The old days with the sent ones laid over them, in the order of the week."""
    both = was | sent
    return {day: both[day] for day in WEEKDAYS if day in both}
