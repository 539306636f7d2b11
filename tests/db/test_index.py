"""The index: an answer in good time, or none."""

import threading
import time

import pytest
from sqlalchemy import event, text

from taskapi.db import index, queries, rows
from taskapi.db.engine import Engine, connect, transaction
from taskapi.db.errors import PostgresAway, TookTooLong
from taskapi.db.index import TaskIndex
from taskapi.domain.filters import Scope
from tests.db.test_rows import task

ALL = Scope(everything=True)


def test_the_index_finds_what_is_there(engine: Engine):
    with transaction(engine) as connection:
        rows.upsert(connection, "task", [task(1, 1, title="word"), task(2, 1, title="word")])

    assert TaskIndex(lambda: engine).by_words(("wor",), ALL, 1) == [1]


def test_the_index_finds_what_was_made_is_due_or_was_done_on_a_day(engine: Engine):
    with transaction(engine) as connection:
        days = [
            {"created_at": "2026-02-28T00:00:00.000Z"},
            {"created_at": "2026-02-28T23:59:59.999Z"},
            {"deadline": "2026-02-28"},
            {"completed_at": "2026-02-28T12:00:00.000Z"},
            {"created_at": "2026-02-27T23:59:59.999Z", "deadline": "2026-02-27"},
            {"completed_at": "2026-03-01T00:00:00.000Z", "deadline": "2026-03-01"},
            {"deadline": "2026-02-28", "deleted_at": "2026-03-01T00:00:00.000Z"},
        ]
        made = {"created_at": "2026-01-01T00:00:00.000Z"}
        rows.upsert(connection, "task", [task(number, 1, **made | day) for number, day in enumerate(days, 1)])
    by_day = TaskIndex(lambda: engine).by_day

    assert by_day("2026-02-28", ALL, 10) == [1, 2, 3, 4]
    assert by_day("2026-02-28", ALL, 2) == [1, 2]
    assert by_day("2026-02-28", Scope(user=99), 10) == []
    assert by_day("9999-12-31", ALL, 10) == by_day("0001-01-01", ALL, 10) == []


def test_a_server_that_was_away_is_left_alone_for_a_while(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    engines = [connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")]
    words = TaskIndex(lambda: engines[-1]).by_words
    with pytest.raises(PostgresAway, match="refused"):
        words(("wor",), ALL, 1)
    engines.append(engine)

    with pytest.raises(PostgresAway, match="a moment ago"):
        words(("wor",), ALL, 1)
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + index.REST_SECONDS)

    assert words(("wor",), ALL, 1) == []


def test_a_server_that_does_not_answer_is_not_waited_for(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index, "ANSWER_SECONDS", 0.05)
    event.listen(engine, "before_cursor_execute", lambda *_: time.sleep(0.5))

    with pytest.raises(PostgresAway, match="not answer"):
        TaskIndex(lambda: engine).by_words(("wor",), ALL, 1)


def test_one_slow_question_does_not_keep_others_from_asking(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    words = TaskIndex(lambda: engine).by_words
    with monkeypatch.context() as patch:
        patch.setattr(queries, "_SEARCH_WAITS", text("SET LOCAL statement_timeout = 20"))
        patch.setattr(queries, "_SEARCH", text("SELECT pg_sleep(5), CAST(:query AS text)"))
        with pytest.raises(TookTooLong):
            words(("wor",), ALL, 1)

    assert words(("wor",), ALL, 1) == []


def test_a_fault_of_our_own_is_not_taken_for_an_absence(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: told.append(fault.exc_type))
    words = TaskIndex(lambda: engine).by_words

    with pytest.raises(RuntimeError):
        words((None,), ALL, 1)  # type: ignore[arg-type]
    assert told == [AttributeError]
    assert words(("wor",), ALL, 1) == []
