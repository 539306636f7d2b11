"""The mirrors: newer wins, and what comes out is what went in."""

import traceback
from dataclasses import fields
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from taskapi.db import rows
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.db.errors import NotMigrated, PostgresAway, RowsRefused, faults_named
from taskapi.db.schema import MIRRORS, RECORDS
from taskapi.domain.records import Credential, Group, Record, Task, User
from taskapi.store import codec
from taskapi.store.kinds import KINDS

FIRST, LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
WEIRD = "\u0001 \"'\\ {},;%s :x $1 \u2028 é 👩‍👩‍👧 \ufeff\uffff\t\n"
EXTREMES: list[Record] = [
    User(full_name="A", created_at=FIRST, updated_at=LAST),
    User(
        full_name=WEIRD,
        email="e@x",
        username="u",
        number=WEIRD,
        role="owner",
        requested_role="admin",
        group_ids=(1, 2**53, 3),
        work_times={"Sunday": 0.0, "Monday": 24.0, "Friday": 7.1, "Tuesday": 1e-9},
        created_at="2026-11-20T23:06:27.123Z",
        updated_at="2024-02-29T23:59:59.999Z",
        deleted_at="2026-11-20T23:06:27.001Z",
        deleted_with="group:9",
    ),
    Credential(password_hash="$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", updated_at=FIRST),
    Group(name=WEIRD, admin_id=2**53, created_at=FIRST, updated_at=LAST),
    Group(name="", created_at=FIRST, updated_at=LAST),
    Task(title="T", user_id=1, created_at=FIRST, updated_at=LAST),
    Task(
        title=WEIRD,
        status=True,
        priority=3,
        deadline="0001-01-01",
        information=WEIRD * 300,
        tags=(WEIRD, "", "NULL", "a,b", '"', "{}", "x" * 50),
        user_id=2**53,
        group_id=7,
        estimate_hours=5e-324,
        completed_at=FIRST,
        created_at=LAST,
        updated_at=LAST,
    ),
    Task(title="x", deadline="9999-12-31", user_id=1, created_at=FIRST, updated_at=LAST),
    Task(title="x", estimate_hours=1.7976931348623157e308, user_id=1, created_at=FIRST, updated_at=LAST),
    Task(title="x", estimate_hours=0.1, user_id=1, created_at=FIRST, updated_at=LAST),
    Task(title="x", estimate_hours=8.0, user_id=1, created_at=FIRST, updated_at=LAST),
]  # fmt: skip


def blob_of(record: Record) -> tuple[str, bytes]:
    kind = next(kind for kind in KINDS.values() if type(record) is kind.record)
    return kind.name, codec.blob(codec.middle(kind, record), record.id, record.version)


def task(record_id: int, version: int, **values: Any) -> bytes:
    filled = {"title": "t", "user_id": 1, "created_at": FIRST, "updated_at": FIRST} | values
    return blob_of(Task(id=record_id, version=version, **filled))[1]


def test_every_kind_has_a_mirror_with_all_its_fields():
    assert {kind.name: kind.record for kind in KINDS.values()} == RECORDS
    for name, kind in KINDS.items():
        expected = (
            {field.name for field in fields(kind.record)}
            | {"purged"}
            | ({"words"} if name == "task" else set())
        )
        assert set(MIRRORS[name].columns.keys()) == expected
        assert MIRRORS[name].name == kind.plural


@pytest.mark.parametrize("record", EXTREMES, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_to_the_last_bit(connection: Connection, record: Record):
    record = record.changed(id=2**53, version=2**53 - 1)
    kind, blob = blob_of(record)

    assert rows.upsert(connection, kind, [blob]) == 1

    for found in (list(rows.stream(connection, kind)), rows.some(connection, kind, [record.id])):
        assert [KINDS[kind].record(**row) for row in found] == [codec.decode(KINDS[kind], blob)] == [record]
        assert blob_of(KINDS[kind].record(**found[0])) == (kind, blob)


def test_an_older_version_never_overwrites(connection: Connection):
    rows.upsert(connection, "task", [task(1, 9, title="new")])

    assert rows.upsert(connection, "task", [task(1, 8, title="old"), task(2, 3)]) == 1
    assert [row["title"] for row in rows.stream(connection, "task")] == ["new", "t"]


def test_a_purged_record_leaves_a_row_without_content_that_keeps_it_away(connection: Connection):
    rows.upsert(connection, "task", [task(7, 5, tags=("a",))])
    rows.upsert(connection, "task", [b'{"id":7,"purged":true,"version":9}'])
    rows.upsert(connection, "task", [task(7, 5)])

    assert list(rows.stream(connection, "task")) == rows.some(connection, "task", [7]) == []
    assert rows.versions(connection, "task", 0, 10) == [(7, 9, True)]
    assert rows.counts(connection)["task"] == 0
    left = connection.execute(text("SELECT * FROM tasks")).mappings().one()
    assert {name for name, value in left.items() if value is not None} == {"id", "version", "purged"}


@pytest.mark.parametrize(
    "bad",
    [
        task(2, 1, deadline="2026-02-30"),
        task(2, 1, title="a\x00b"),
        task(2, 2**64),
        b'{"id":2,"version":',
        b'{"id":2,"title":"\xff","version":1}',
        b'{"id":1,"title":"twice","version":1}',
    ],
)
def test_a_refused_row_refuses_its_statement_and_nothing_else(connection: Connection, bad: bytes):
    with pytest.raises(RowsRefused):
        rows.upsert(connection, "task", [task(1, 1), bad])

    assert rows.upsert(connection, "task", [task(1, 1)]) == 1


def test_rows_are_paged_by_id_and_found_by_id(connection: Connection):
    rows.upsert(connection, "task", [task(number, 10 + number) for number in (3, 1, 2)])

    assert rows.versions(connection, "task", 1, 5) == [(2, 12, False), (3, 13, False)]
    assert rows.versions(connection, "task", 0, 1) == [(1, 11, False)]
    assert rows.versions_of(connection, "task", [2, 9]) == {2: 12}
    assert rows.some(connection, "task", []) == []


def test_the_highest_version_is_that_of_any_table(connection: Connection):
    assert rows.highest_version(connection) == 0
    rows.upsert(connection, "task", [task(1, 5)])
    rows.upsert(connection, "group", [orjson.dumps({"id": 1, "purged": True, "version": 6})])

    assert rows.highest_version(connection) == 6


def test_missing_tables_are_named_with_what_to_do(engine: Engine):
    with pytest.raises(NotMigrated, match="db upgrade"), transaction(engine) as connection:
        connection.execute(text("SELECT * FROM nowhere"))


def test_another_fault_is_one_of_being_away(engine: Engine):
    with pytest.raises(PostgresAway), transaction(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.parametrize("table", ["users", "no_such_table"])
def test_the_trace_of_a_fault_shows_nothing_of_the_row(connection: Connection, table: str):
    connection.execute(text("ALTER TABLE users ADD CONSTRAINT nothing CHECK (full_name = '') NOT VALID"))
    insert = text(f"INSERT INTO {table} (id, version, full_name) VALUES (1, 1, :sent)")
    with pytest.raises((RowsRefused, NotMigrated)) as fault, faults_named():
        connection.execute(insert, {"sent": "a secret"})

    assert "secret" not in "".join(traceback.format_exception(fault.value))
