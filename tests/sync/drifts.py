"""A house whose stores are equal, and each way in which they can drift apart."""

from collections.abc import Callable

from taskapi.db.engine import Engine
from taskapi.domain.records import Task
from taskapi.store import contents, scrub
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
from tests.sync.conftest import change, purge
from tests.sync.test_flush import require_equal, run_sql


def task(store: Store, number: int) -> Task:
    """That task as Redis has it."""
    found = contents.present(store, TASK, [number])[0]
    assert isinstance(found, Task)
    return found


def require_exact(store: Store, engine: Engine) -> None:
    require_equal(store, engine)
    assert scrub.differences(store) == []
    for both in compare(store, engine).digests.values():
        assert both["redis"] == both["postgresql"]


def edit(store: Store, key: str, old: bytes, new: bytes) -> None:
    """The text under that key with something else in it."""
    text: bytes = store.redis.get(key)
    assert old in text
    store.redis.set(key, text.replace(old, new))


def lost_a_change(store: Store, engine: Engine) -> None:
    """PostgreSQL has the state of task 1 before it was changed."""
    run_sql(engine, "CREATE TABLE kept AS SELECT * FROM tasks WHERE id = 1")
    change(store, task(store, 1), title="new")
    drain(store, engine, 5)
    run_sql(engine, "DELETE FROM tasks WHERE id = 1; INSERT INTO tasks TABLE kept; DROP TABLE kept")


def redis_lost_a_change(store: Store, engine: Engine) -> None:
    """Redis has the text of task 1 before it was changed, in the lists of the new one."""
    text = store.redis.get("task:1")
    change(store, task(store, 1), title="new", priority=1)
    drain(store, engine, 5)
    store.redis.set("task:1", text)


def rose_in_redis(store: Store, engine: Engine) -> None:
    """Redis has a text of task 1 again, which was purged everywhere."""
    text = store.redis.get("task:1")
    purge(store, task(store, 1))
    drain(store, engine, 5)
    store.redis.set("task:1", text)


def lost_a_family(store: Store, engine: Engine) -> None:
    """Redis has neither the group nor its user, nor their task."""
    store.redis.delete("user:2", "task:3", "group:1", "credential:2")


Drift = Callable[[Store, Engine], object]

DRIFTS: dict[str, tuple[Drift, str]] = {
    "a row is gone": (lambda s, e: run_sql(e, "DELETE FROM tasks WHERE id = 1"), "task:1: PostgreSQL lacked"),
    "a trashed row is gone": (
        lambda s, e: run_sql(e, "DELETE FROM tasks WHERE id = 2"),
        "task:2: PostgreSQL lacked",
    ),
    "a row is older": (lost_a_change, "task:1: PostgreSQL lacked"),
    "a row was purged by hand": (
        lambda s, e: run_sql(e, "UPDATE tasks SET purged = true WHERE id = 1"),
        "task:1: both had one version",
    ),
    "a row was changed by hand": (
        lambda s, e: run_sql(e, "UPDATE tasks SET title = 'forged' WHERE id = 1"),
        "task:1: both had one version",
    ),
    "a text was changed by hand": (
        lambda s, e: edit(s, "task:1", b'"priority":2', b'"priority":1'),
        "task:1: both had one version",
    ),
    "a text in the trash was changed": (
        lambda s, e: edit(s, "trash:task:2", b'"title":"t"', b'"title":"u"'),
        "task:2: both had one version",
    ),
    "a key is gone": (lambda s, e: s.redis.delete("task:3"), "task:3: Redis lacked"),
    "a trashed key is gone": (lambda s, e: s.redis.delete("trash:task:2"), "task:2: Redis lacked"),
    "a user's key is gone": (lambda s, e: s.redis.delete("user:2"), "user:2: Redis lacked"),
    "a password is gone": (lambda s, e: s.redis.delete("credential:2"), "credential:2: Redis lacked"),
    "a whole family is gone": (lost_a_family, "task:3: Redis lacked"),
    "a text is older": (redis_lost_a_change, "task:1: Redis lacked"),
    "a purged text is there again": (rose_in_redis, "task:1: Redis had it though"),
    "a purged row is there again": (
        lambda s, e: run_sql(
            e,
            "UPDATE tasks SET purged = NULL, title = 'z', user_id = 1, status = false, created_at = now(),"
            " updated_at = now(), priority = 2, information = '', tags = '{}' WHERE id = 4",
        ),
        "task:4: PostgreSQL had it though",
    ),
    "a row was put in by hand": (
        lambda s, e: run_sql(
            e,
            "INSERT INTO tasks (id, version, title, user_id, status, created_at, updated_at, priority,"
            " information, tags) VALUES (9, 5, 'x', 1, false, now(), now(), 2, '', '{}')",
        ),
        "task:9: Redis lacked",
    ),
    "a line of the journal is gone": (
        lambda s, e: run_sql(e, "DELETE FROM change WHERE record_id = 2"),
        "journal 4294967",
    ),
    "a counter is wrong": (lambda s, e: s.redis.hincrby("counts:all", "0:2", 1), "counts:all: 0:2 is 3"),
}
