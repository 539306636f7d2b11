"""Records are values; times are text."""

from datetime import UTC, datetime

from taskapi.domain import clock, worktime
from taskapi.domain.records import Credential, Task


def task(**values: object) -> Task:
    return Task(**({"title": "t", "user_id": 1, "created_at": "a", "updated_at": "b"} | values))


def test_a_changed_record_is_another_value():
    was = task()
    assert was.changed(title="x").title == "x"
    assert was.title == "t"


def test_a_record_differs_by_what_it_says_and_not_by_when_it_was_written():
    assert not task().differs(task(updated_at="c", version=9))
    assert task().differs(task(title="x"))
    assert not Credential(password_hash="h", updated_at="a").differs(
        Credential(password_hash="h", updated_at="b", version=2)
    )


def test_times_are_rfc_3339_in_utc_with_milliseconds():
    moment = datetime(2026, 1, 2, 3, 4, 5, 6_700, UTC)
    assert clock.timestamp(moment) == "2026-01-02T03:04:05.006Z"
    assert clock.timestamp(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000Z"


def test_days_are_counted_from_1970():
    assert clock.day_number("1970-01-02") == 1
    assert clock.day_number(clock.today()) > 20_000
    assert clock.ago(1) < clock.timestamp()


def test_sent_days_are_laid_over_the_old_ones_in_the_order_of_the_week():
    merged = worktime.merged({"Friday": 6.0, "Monday": 8.0}, {"Tuesday": 1.0, "Monday": 0.0})
    assert list(merged.items()) == [("Monday", 0.0), ("Tuesday", 1.0), ("Friday", 6.0)]
