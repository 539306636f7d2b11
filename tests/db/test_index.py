"""The index: an answer in good time, or none."""

import threading
import time

import pytest
from sqlalchemy import event, text

from taskapi.db import index, queries, rows
from taskapi.db.engine import Engine, connect, transaction
from taskapi.db.errors import PostgresAway, TookTooLong
from taskapi.db.index import WordIndex
from taskapi.domain.filters import Scope
from tests.db.test_rows import task

ALL = Scope(everything=True)


def test_the_index_finds_what_is_there(engine: Engine):
    with transaction(engine) as connection:
        rows.upsert(connection, "task", [task(1, 1, title="word"), task(2, 1, title="word")])

    assert WordIndex(lambda: engine)(("wor",), ALL, 1) == [1]


def test_a_server_that_was_away_is_left_alone_for_a_while(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    engines = [connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")]
    words = WordIndex(lambda: engines[-1])
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
        WordIndex(lambda: engine)(("wor",), ALL, 1)


def test_one_slow_question_does_not_keep_others_from_asking(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    words = WordIndex(lambda: engine)
    with monkeypatch.context() as patch:
        patch.setattr(queries, "_SEARCH_WAITS", text("SET LOCAL statement_timeout = 20"))
        patch.setattr(queries, "_SEARCH", text("SELECT pg_sleep(5), CAST(:query AS text)"))
        with pytest.raises(TookTooLong):
            words(("wor",), ALL, 1)

    assert words(("wor",), ALL, 1) == []


def test_a_fault_of_our_own_is_not_taken_for_an_absence(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: told.append(fault.exc_type))
    words = WordIndex(lambda: engine)

    with pytest.raises(RuntimeError):
        words((None,), ALL, 1)  # type: ignore[arg-type]
    assert told == [AttributeError]
    assert words(("wor",), ALL, 1) == []
