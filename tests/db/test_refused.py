"""What no mirror takes is kept byte for byte."""

import pytest
from sqlalchemy import text

from taskapi.db import refused, rows
from taskapi.db.engine import Connection
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS

AT = "2026-11-20T23:06:27.123Z"


def apart(record_id: int, version: int, record: bytes = b"{}", kind: str = "task") -> Refused:
    return Refused(kind, record_id, version, record, "no reason", AT)


def kept(connection: Connection, kind: str = "task") -> list[tuple[int, int]]:
    return [(row.record_id, row.version) for row in refused.some(connection, kind, 0, 100)]


def test_any_bytes_come_back_as_they_went_in(connection: Connection):
    every = bytes(range(256))
    texts = [
        every,
        b"\x00",
        b"",
        b'{"id":3,"title":"\\u0000","version":9}',
        "é\ud7ff".encode(),
        b"\xff\xfe" * 9,
    ]
    wanted = [apart(number, 5, record) for number, record in enumerate(texts, 1)]

    refused.put(connection, wanted)

    assert refused.some(connection, "task", 0, 100) == wanted
    assert refused.some(connection, "task", 2, 2) == wanted[2:4]
    assert refused.some(connection, "user", 0, 100) == []


def test_a_newer_version_of_a_refused_record_replaces_it_and_an_older_one_does_not(connection: Connection):
    refused.put(connection, [apart(1, 5, b"five"), apart(2, 5, b"five")])
    refused.put(connection, [apart(2, 4, b"four"), apart(1, 6, b"six")])
    refused.put(connection, [])

    assert [row.record for row in refused.some(connection, "task", 0, 100)] == [b"six", b"five"]


@pytest.mark.parametrize("kind", RECORDS)
def test_what_its_mirror_has_as_new_is_let_go_of(connection: Connection, kind: str):
    refused.put(connection, [apart(number, 10, kind=kind) for number in (1, 2, 3, 4)])
    rows.upsert(connection, kind, [b'{"id":1,"version":9}', b'{"id":2,"version":10}'])
    rows.upsert(connection, kind, [b'{"id":3,"purged":true,"version":11}'])

    assert kept(connection, kind) == [(1, 10), (4, 10)]
    assert refused.clear(connection) == 2
    assert refused.clear(connection) == 0
    assert connection.scalar(text("SELECT count(*) FROM refused")) == 2
    others = [name for name in RECORDS if name != kind]
    assert all(kept(connection, other) == [] for other in others)


def test_versions_and_ids_of_what_was_refused_count_as_given(connection: Connection):
    rows.upsert(connection, "task", [b'{"id":3,"version":20}'])
    refused.put(connection, [apart(7, 21), apart(2, 5, kind="user")])

    assert rows.highest_version(connection) == 21
    assert rows.highest_ids(connection) == {"user": 2, "credential": 0, "group": 0, "task": 7, "file": 0}
