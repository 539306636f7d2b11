"""Words in PostgreSQL: whatever was cut is found, and nothing is read as a query."""

from typing import Any

import pytest
from flask_migrate import downgrade, upgrade
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from taskapi.db import queries, rows, words
from taskapi.db.engine import Connection, Engine, connect, transaction
from taskapi.db.errors import PostgresAway, RowsRefused, TookTooLong
from taskapi.domain.filters import Scope
from taskapi.domain.words import asked, begins_all
from tests.db.minimal import minimal_app
from tests.db.test_rows import task

ALL = Scope(everything=True)
TITLES = ["Große Straße", "ΟΔΟΣ", "ПРИВЕТ мир", "اجتماع", "会议记录", "🎉party🎉", "it's \\ & | ! :* 'x' <->"]


def put(engine: Engine, *blobs: bytes) -> None:
    with transaction(engine) as connection:
        rows.upsert(connection, "task", blobs)


def found(engine: Engine, query: str, scope: Scope = ALL, limit: int = 100) -> list[int]:
    return queries.search_tasks(engine, asked(query, "q"), scope, limit)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("STRASSE gr", [1]),
        ("οδός", [2]),
        ("прив", [3]),
        ("اجت", [4]),
        ("议记", [5]),
        ("录", [5]),
        ("PARTY", [6]),
        ("it's x", [7]),
        ("' OR 1=1 --", []),
        ("i", [7, 8]),
        ("info", [8]),
        ("nformation", []),
    ],
)
def test_words_are_found_as_they_were_cut(engine: Engine, query: str, expected: list[int]):
    put(engine, *(task(n, n, title=title) for n, title in enumerate(TITLES, 1)))
    put(engine, task(8, 8, title="t", information="Information"))

    assert found(engine, query) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.sampled_from("aAbß'\\ :*&|!()<>-\"会议录é\u0301\n\u200d"), min_size=1), max_size=3),
    st.data(),
)
def test_postgresql_finds_what_python_finds(engine: Engine, texts: list[str], data: st.DataObject):
    query = data.draw(st.sampled_from([*texts, "a", "会议"]))
    wanted = words.cut(query) or {"a"}
    put(engine, *(task(n, data.draw(st.just(n)), title=title) for n, title in enumerate(texts, 1)))
    with transaction(engine) as connection:
        assert queries.search_tasks(engine, sorted(wanted), ALL, 10) == [
            n for n, title in enumerate(texts, 1) if begins_all(wanted, title)
        ]
        connection.execute(text("TRUNCATE tasks"))


@pytest.mark.parametrize("word", ["'", "\\", "''\\'", "a:*b", "a & b", "a' | 'b", "é\u2028", "(", "!", " "])
def test_a_hostile_word_is_a_word_and_nothing_else(connection: Connection, word: str):
    statement = text("SELECT array_to_tsvector(ARRAY[:word]) @@ CAST(:query AS tsquery)")
    for query, expected in [(word, True), (word + "x", False), ("x" + word, False), (word[:1], True)]:
        values = {"word": word, "query": words.query([query])}
        assert connection.execute(statement, values).scalar_one() is expected, query


def test_only_live_tasks_are_found_in_their_newest_version(engine: Engine):
    gone = "2026-11-20T00:00:00.000Z"
    put(engine, *(task(n, 1, title="word") for n in (1, 2, 3, 4)))
    put(engine, task(1, 2, title="other"), task(2, 2, title="word", deleted_at=gone))
    put(engine, b'{"id":3,"purged":true,"version":2}', task(4, 0, title="older"))

    assert found(engine, "word") == [4]
    assert found(engine, "other") == [1]
    assert found(engine, "older") == []
    put(engine, task(2, 3, title="word"))
    assert found(engine, "word") == [2, 4]


def test_each_part_of_a_scope_finds_its_own(engine: Engine):
    places: list[dict[str, Any]] = [
        {"user_id": 1, "group_id": 1},
        {"user_id": 1, "group_id": None},
        {"user_id": 2, "group_id": 1},
        {"user_id": 2, "group_id": 2},
        {"user_id": 3, "group_id": None},
    ]
    put(engine, *(task(n, 1, title="word", **place) for n, place in enumerate(places, 1)))

    assert found(engine, "word") == [1, 2, 3, 4, 5]
    assert found(engine, "word", Scope()) == []
    assert found(engine, "word", Scope(user=1)) == [1, 2]
    assert found(engine, "word", Scope(groups=(1, 9))) == [1, 3]
    assert found(engine, "word", Scope(pairs=((2, 2), (1, 2), (3, 1)))) == [4]
    assert found(engine, "word", Scope(groups=(2,), user=3, pairs=((1, 1),))) == [1, 4, 5]
    assert found(engine, "word", limit=2) == [1, 2]


def test_no_more_than_the_text_of_a_record_can_refuse_it(engine: Engine):
    with transaction(engine) as connection:
        for bad in (b"5", b"[]", b'{"id":', b'{"id":1,"title":"\xff","version":1}'):
            with pytest.raises(RowsRefused):
                rows.upsert(connection, "task", [bad])
        han = "".join(chr(0x4E00 + n) for n in range(10_000))
        assert rows.upsert(connection, "task", [task(1, 1, information=han)]) == 1
    assert found(engine, han[7000:7002]) == [1]


def test_a_search_of_a_server_that_is_away_or_slow_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    with pytest.raises(PostgresAway):
        found(away, "word")
    monkeypatch.setattr(queries, "_SEARCH_WAITS", text("SET LOCAL statement_timeout = 20"))
    monkeypatch.setattr(queries, "_SEARCH", text("SELECT pg_sleep(5), CAST(:query AS text)"))
    with pytest.raises(TookTooLong):
        found(engine, "word")


def test_the_migration_fills_what_is_there(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "_FILLED_AT_ONCE", 2)
    gone = "2026-11-20T00:00:00.000Z"
    put(engine, *(task(n, 1, title=f"Wörd {n}", information="x'\\y") for n in (1, 2, 3, 4, 5)))
    put(engine, task(6, 1, title="wörd", deleted_at=gone), b'{"id":7,"purged":true,"version":2}')
    before = _vectors(engine)
    app = minimal_app(engine.url.render_as_string(hide_password=False))
    with app.app_context():
        downgrade(revision="0001")
        upgrade()

    assert found(engine, "WÖRD y") == [1, 2, 3, 4, 5]
    assert _vectors(engine) == before
    assert before[6] is before[7] is None


def test_words_are_looked_up_in_their_index(engine: Engine):
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"query": words.query(["wor"])}
        plan = connection.execute(
            text("EXPLAIN SELECT id FROM tasks WHERE words @@ CAST(:query AS tsquery)"), values
        )
        assert any("ix_tasks_words" in line for line in plan.scalars())


def _vectors(engine: Engine) -> dict[int, str | None]:
    with transaction(engine) as connection:
        return {row.id: row.words for row in connection.execute(text("SELECT id, words FROM tasks"))}
