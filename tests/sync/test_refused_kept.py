"""Refused records are kept: PostgreSQL has their bytes until it has a newer version."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task
from taskapi.store import contents, dirty, quarantine
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import carrying, flush
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain, flush_batch
from tests.sync.conftest import (
    Crash,
    change,
    crash,
    new_task,
)
from tests.sync.refusing import BAD, apart, blob_of, kept
from tests.sync.test_admission import forget_everything, require_settled
from tests.sync.test_flush import titles


def test_postgresql_keeps_the_bytes_that_it_refuses_and_lets_go_of_them_when_it_has_a_newer_version(
    opened: Store, engine: Engine
):
    task = new_task(opened, title=f"a {BAD} \ud7ff é")
    drain(opened, engine, 5)
    assert kept(engine) == {"task:1": (task.version, blob_of(opened, "task:1"))}

    worse = change(opened, task, information=BAD)
    drain(opened, engine, 5)
    assert kept(engine) == {"task:1": (worse.version, blob_of(opened, "task:1"))}

    change(opened, worse, title="good", information="")
    drain(opened, engine, 5)
    assert kept(engine) == {}
    assert apart(opened) == []
    require_settled(opened, engine)


@pytest.mark.parametrize(
    "blob",
    [
        b"\xff\xfe\x00",
        b'{"id":1,"full_name":"\x00","version":5}',
        b'{"id":1,"full_name":"\xed\xa0\x80","version":5}',
        b'{"id":1',
        b"[" * 5000,
        b"null",
        b'{"id":"one","version":5}',
    ],
)
@pytest.mark.parametrize("kind", ["user", "task"])
def test_whatever_bytes_redis_holds_are_kept_and_block_nothing(
    opened: Store, engine: Engine, kind: str, blob: bytes
):
    good = [new_task(opened, title=f"{number}") for number in range(20)]
    name = f"{kind}:{5 if kind == 'task' else 1}"
    opened.redis.set(name, blob)

    done = drain(opened, engine, 5)

    assert (done.refused, done.left) == (1, 0)
    assert kept(engine)[name][1] == blob
    assert len(titles(engine)) == len(good) - (kind == "task")
    assert dirty.rearm(opened) == 1
    assert drain(opened, engine, 5).refused == 1
    forget_everything(opened)
    admit(opened, engine)
    assert kept(engine)[name][1] == blob
    assert name not in apart(opened)


def test_words_of_what_is_no_text_stop_no_flush(opened: Store, engine: Engine):
    task = new_task(opened)
    blob = blob_of(opened, "task:1").replace(b'"title":"t"', b'"title":["t"]')
    opened.redis.set("task:1", blob)

    drain(opened, engine, 5)

    assert titles(engine) == {task.id: '["t"]'}


def test_a_kind_of_a_later_release_is_set_apart_and_not_forgotten(opened: Store, engine: Engine):
    opened.redis.set("gadget:1", '{"id":1,"version":5}')
    contents.mark_dirty(opened, {"gadget:1": 5})

    assert drain(opened, engine, 5).refused == 1

    assert dirty.backlog(opened).quarantined["gadget:1"]["reason"] == carrying.UNKNOWN
    assert kept(engine) == {"gadget:1": (5, b'{"id":1,"version":5}')}


def test_a_slower_flush_does_not_let_a_newer_version_out_of_quarantine(opened: Store, engine: Engine):
    task = new_task(opened, title="good")

    def refuse_a_newer_version() -> None:
        change(opened, task, title=BAD)
        assert flush_batch(opened, engine).refused == 1

    with failpoints.armed("flush.committed", once(refuse_a_newer_version)):
        flush_batch(opened, engine)

    assert apart(opened) == ["task:1"]
    assert compare(opened, engine).waiting == ["task:1"]
    assert kept(engine)["task:1"][0] > task.version


def test_a_slower_refusal_neither_replaces_a_newer_one_nor_outlives_what_was_carried(
    opened: Store, engine: Engine
):
    task = new_task(opened, title=BAD)
    newer: list[Task] = []

    def carry(**values: Any) -> None:
        newer.append(change(opened, (newer or [task])[-1], **values))
        flush_batch(opened, engine)

    for title in (BAD + BAD, "good"):
        before = (newer or [task])[-1]
        with failpoints.armed("flush.peeked", once(lambda title=title: carry(title=title))):
            flush_batch(opened, engine)
        assert newer[-1].version > before.version
        expected = {} if title == "good" else {"task:1": newer[-1].version}
        assert {name: version for name, (version, _) in kept(engine).items()} == expected
    assert apart(opened) == []
    require_settled(opened, engine)


def once(act: Any) -> Any:
    """The same, the first time."""
    left = [act]
    return lambda: left.pop()() if left else None


def die_at(line: str, act: Callable[[], Any]) -> None:
    """Does it up to that line; what had nothing left to do was killed behind its last one."""
    with failpoints.armed(line, crash), suppress(Crash):
        act()
        assert line == "flush.settled"


@pytest.mark.parametrize("line", flush.LINES)
def test_killed_at_any_line_twice_over_a_refusal_ends_the_same(opened: Store, engine: Engine, line: str):
    task = new_task(opened, title=BAD)
    good = new_task(opened, title="good")
    for _ in range(2):
        die_at(line, lambda: flush_batch(opened, engine))
    drain(opened, engine, 5)

    assert apart(opened) == ["task:1"]
    assert kept(engine) == {"task:1": (task.version, blob_of(opened, "task:1"))}
    assert titles(engine) == {good.id: "good"}
    for _ in range(2):
        contents_now = change(opened, contents.present(opened, TASK, [1])[0], title=f"good {line}")
        die_at(line, lambda: flush_batch(opened, engine))
        assert contents_now.id == task.id
    drain(opened, engine, 5)
    assert (apart(opened), kept(engine)) == ([], {})
    require_settled(opened, engine)


def test_the_account_of_a_refusal_is_sorted_by_kind_and_number(opened: Store):
    for number in (10, 9, 2):
        opened.redis.hset("quarantine", f"task:{number}", orjson.dumps({}))
    opened.redis.hset("quarantine", "user:3", b"{}")

    assert quarantine.names(opened) == ["user:3", "task:2", "task:9", "task:10"]


def test_one_save_of_good_and_bad_records_is_carried_but_for_the_bad(opened: Store, engine: Engine):
    now = timestamp()
    made = [
        Change(None, Task(title=title, user_id=1, created_at=now, updated_at=now), "created")
        for title in ["good", BAD] * 50
    ]
    save(opened, Claim(1), made)

    assert drain(opened, engine, 5).refused == 50

    assert set(titles(engine).values()) == {"good"}
    assert len(kept(engine)) == len(apart(opened)) == 50
