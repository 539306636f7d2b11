"""What is read from the mirror."""

import os

import pytest
from sqlalchemy import create_engine

from taskapi.db import journal, queries, rows
from taskapi.db.engine import Engine, connect, is_reachable, transaction
from taskapi.db.errors import PostgresAway, RowsRefused
from taskapi.db.meta import admit, installation, lease, leases, note_closed

INCARNATION = "0f5f8a0c-4a6c-4d5c-9d3c-1a2b3c4d5e6f"


def entry(version: int, **values: object) -> dict[str, object]:
    return {
        "version": version,
        "kind": "task",
        "record_id": 7,
        "action": "edited",
        "actor": 1,
        "at": "2026-11-20T23:06:27.123Z",
        "request_id": "r",
        "operation": "o",
        "fields": '{"title":[null,"a"]}',
    } | values


def test_the_history_of_a_record_comes_newest_first(engine: Engine):
    with transaction(engine) as connection:
        journal.insert(connection, [entry(1), entry(2), entry(3, record_id=8), entry(4)])

    found = queries.history(engine, "task", 7)

    assert [change["version"] for change in found] == [4, 2, 1]
    assert found[0]["fields"] == {"title": [None, "a"]}
    assert found[0]["at"] == "2026-11-20T23:06:27.123Z"
    assert [change["version"] for change in queries.history(engine, "task", 7, before=4, count=1)] == [2]


def test_an_entry_is_there_once(engine: Engine):
    with transaction(engine) as connection:
        assert journal.insert(connection, [entry(1), entry(2)]) == 2
        assert journal.insert(connection, [entry(2), entry(3)]) == 1
        assert journal.last_version(connection) == 3
        assert list(journal.some(connection, [2, 9])) == [2]


def test_a_refused_entry_refuses_its_statement_alone(engine: Engine):
    with transaction(engine) as connection:
        with pytest.raises(RowsRefused):
            journal.insert(connection, [entry(1), entry(2, fields='"\\u0000"')])
        assert journal.insert(connection, [entry(1)]) == 1


def test_only_live_records_are_counted(engine: Engine):
    with transaction(engine) as connection:
        rows.upsert(
            connection, "group", [b'{"id":1,"name":"a","version":1}', b'{"id":2,"purged":true,"version":2}']
        )
        rows.upsert(connection, "group", [b'{"id":3,"deleted_at":"2026-11-20T00:00:00.000Z","version":3}'])

    assert queries.record_counts(engine) == {"user": 0, "credential": 0, "group": 1, "task": 0, "file": 0}


def test_a_clean_stop_counts_in_its_epoch_until_the_next_admission(engine: Engine):
    with transaction(engine) as connection:
        assert installation(connection) is None
        admit(connection, INCARNATION, 3)
        assert not note_closed(connection, 2, {"version": 1})
        assert note_closed(connection, 3, {"version": 1})
        found = installation(connection)
        assert found
        assert (found.incarnation, found.epoch, found.closed) == (INCARNATION, 3, {"version": 1})
        admit(connection, INCARNATION, 3)
        found = installation(connection)
        assert found
        assert found.closed is None


def test_a_lease_never_goes_down(engine: Engine):
    with transaction(engine) as connection:
        assert lease(connection, "task", 1000) == 1000
        assert lease(connection, "task", 500) == 1000
        assert leases(connection) == {"task": 1000}


def test_connections_in_use_and_servers_away_are_told(engine: Engine):
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    with pytest.raises(PostgresAway, match="away"):
        is_reachable(away)
    one = create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with one.connect(), pytest.raises(PostgresAway, match="in use"):
        is_reachable(one)
    one.dispose()


def test_a_forked_child_does_not_use_its_parents_connection(engine: Engine):
    with transaction(engine) as connection:
        before = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with transaction(engine) as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        os.write(writer, str(pid).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reader, 20)) != before
    assert is_reachable(engine)
    os.close(reader)
    os.close(writer)
