"""The log of each day: once, whole, and of every day that is over, whoever dies or comes twice."""

import threading
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from taskapi.db import daily_log as table
from taskapi.db.engine import Engine, connect, transaction
from taskapi.domain import clock, failpoints
from taskapi.domain.errors import Unavailable
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.sync import daily_log
from taskapi.sync.daily_log import write_missing
from taskapi.sync.flush import drain
from tests.sync.conftest import Crash, change, crash, many_tasks, new_task, purge

FIRST = date(2026, 2, 26)


def day(number: int) -> str:
    """That many days after the first."""
    return (FIRST + timedelta(days=number)).isoformat()


def at(number: int, hour: int = 12) -> str:
    return f"{day(number)}T{hour:02}:00:00.000Z"


@pytest.fixture(autouse=True)
def _third_day(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, at(3))


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(moment))


@pytest.fixture
def diary(opened: Store, engine: Engine) -> Store:
    """Tasks of the days 0 and 2, none of day 1."""
    new_task(opened, title="a", created_at=at(0), deadline=day(2))
    new_task(opened, title="b", created_at=at(0, 23), status=True, completed_at=at(2, 0))
    new_task(opened, title="c", created_at=at(2), deadline=day(2), status=True, completed_at=at(2))
    drain(opened, engine, 5)
    return opened


WHOLE = {
    (day(0), 1, "created"), (day(0), 2, "created"),
    (day(2), 1, "due"), (day(2), 2, "completed"),
    (day(2), 3, "created"), (day(2), 3, "due"), (day(2), 3, "completed"),
}  # fmt: skip


def logged(engine: Engine) -> set[tuple[str, int, str]]:
    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT to_char(day, 'YYYY-MM-DD'), task_id, event FROM task_log"))
        return {tuple(row) for row in rows}


def done(engine: Engine) -> dict[str, int]:
    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT to_char(day, 'YYYY-MM-DD'), entries FROM task_log_day"))
        return {row[0]: row[1] for row in rows}


def test_every_day_since_the_first_task_is_written_once(diary: Store, engine: Engine) -> None:
    assert write_missing(diary, engine) == {day(0): 2, day(1): 0, day(2): 5}
    assert logged(engine) == WHOLE
    assert done(engine) == {day(0): 2, day(1): 0, day(2): 5}
    assert write_missing(diary, engine) == {}
    assert logged(engine) == WHOLE


def test_what_a_day_says_stays_though_its_tasks_change(diary: Store, engine: Engine) -> None:
    write_missing(diary, engine)
    change(diary, new_task(diary, created_at=at(0), deadline=day(1)), title="late")
    drain(diary, engine, 5)
    assert write_missing(diary, engine) == {}
    assert logged(engine) == WHOLE


def test_a_day_is_over_some_minutes_after_midnight(
    diary: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, f"{day(3)}T00:04:59.000Z")
    assert set(write_missing(diary, engine)) == {day(0), day(1)}
    set_clock(monkeypatch, f"{day(3)}T00:05:00.000Z")
    assert set(write_missing(diary, engine)) == {day(2)}


def test_missed_days_are_caught_up_with_some_at_a_time(diary: Store, engine: Engine) -> None:
    found = [list(write_missing(diary, engine, most=2)) for _ in range(3)]
    assert found == [[day(0), day(1)], [day(2)], []]
    assert logged(engine) == WHOLE


def test_without_tasks_there_are_no_days(opened: Store, engine: Engine) -> None:
    assert write_missing(opened, engine) == {}
    assert done(engine) == {}


def test_what_is_gone_by_then_is_not_written(diary: Store, engine: Engine) -> None:
    change(diary, new_task(diary, created_at=at(1)), deleted_at=at(2))
    purge(diary, new_task(diary, created_at=at(1)))
    drain(diary, engine, 5)
    write_missing(diary, engine)
    assert logged(engine) == WHOLE


def test_a_day_waits_until_postgresql_has_all_of_it(diary: Store, engine: Engine) -> None:
    late = new_task(diary, created_at=at(1, 23))
    assert write_missing(diary, engine) == {day(0): 2}
    assert write_missing(diary, engine) == {}
    drain(diary, engine, 5)
    assert write_missing(diary, engine) == {day(1): 1, day(2): 5}
    assert logged(engine) == {*WHOLE, (day(1), late.id, "created")}


def test_what_waits_of_today_holds_up_nothing(diary: Store, engine: Engine) -> None:
    new_task(diary, created_at=at(3), deadline=day(9))
    purge(diary, new_task(diary, created_at=at(3)))
    assert len(write_missing(diary, engine)) == 3


def test_what_postgresql_refuses_holds_up_nothing(diary: Store, picky: Engine) -> None:
    new_task(diary, title="evil", created_at=at(1))
    drain(diary, picky, 5)
    assert len(write_missing(diary, picky)) == 3
    assert logged(picky) == WHOLE


def test_with_very_much_waiting_it_comes_later(
    diary: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_log, "MOST_WAITING", 2)
    many_tasks(diary, 3)
    assert write_missing(diary, engine) == {}
    drain(diary, engine, 5)
    assert len(write_missing(diary, engine)) == 3


@pytest.mark.parametrize("line", table.LINES)
def test_killed_anywhere_it_leaves_whole_days_and_goes_on(diary: Store, engine: Engine, line: str) -> None:
    with failpoints.armed(line, crash), pytest.raises(Crash):
        write_missing(diary, engine)
    assert logged(engine) == set()
    assert done(engine) == {}
    write_missing(diary, engine)
    assert logged(engine) == WHOLE


def test_two_at_once_write_each_day_once(diary: Store, engine: Engine) -> None:
    both = threading.Barrier(2, timeout=10)
    written: list[dict[str, int]] = []

    def write(own: Engine) -> None:
        both.wait()
        written.append(write_missing(diary, own))

    engines = [connect(engine.url.render_as_string(hide_password=False)) for _ in range(2)]
    threads = [threading.Thread(target=write, args=(own,)) for own in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for own in engines:
        own.dispose()
    assert sorted(each for one in written for each in one) == [day(0), day(1), day(2)]
    assert logged(engine) == WHOLE


def test_one_that_is_just_written_by_another_is_not_written_again(diary: Store, engine: Engine) -> None:
    assert table.write_day(engine, day(0)) == 2
    assert table.write_day(engine, day(0)) is None
    found = iter([[day(0), day(1)]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "missing_days", lambda *_: next(found))
        assert write_missing(diary, engine) == {day(1): 0}


@pytest.fixture
def closed(diary: Store) -> Store:
    state.close(diary)
    return diary


def test_while_redis_is_not_verified_nothing_is_written(closed: Store, engine: Engine) -> None:
    with pytest.raises(Unavailable):
        write_missing(closed, engine)
    assert done(engine) == {}
