"""Each way in which what is derived from the records can be wrong."""

from collections.abc import Callable

from taskapi.domain.records import Task
from taskapi.store import contents
from taskapi.store.client import Store
from taskapi.store.kinds import TASK

Damage = Callable[[Store], object]

DAMAGES: dict[str, Damage] = {
    "a member too few": lambda store: store.redis.zrem("tasks:all:0:2", "1"),
    "a member too many": lambda store: store.redis.zadd("members:1", {"9": 9}),
    "a wrong score": lambda store: store.redis.zadd("tasks:all:due", {"1": 3}),
    "a list that nobody expects": lambda store: store.redis.zadd("tasks:u9:g9:0:1", {"1": 1}),
    "a list that is gone": lambda store: store.redis.delete("tasks:all:trash"),
    "a list that is a text": lambda store: (store.redis.delete("users"), store.redis.set("users", "x")),
    "a hash that nobody expects and is a list": lambda store: store.redis.rpush("counts:u9", "x"),
    "a name that is no text": lambda store: store.redis.zadd(b"tasks:\xff", {b"\xfe": 1}),
    "a counter too high": lambda store: store.redis.hincrby("counts:all", "0:2", 5),
    "two counters that cancel out": lambda store: (
        store.redis.hincrby("counts:all", "0:2", 1),
        store.redis.hincrby("counts:all", "#a", -1),
    ),
    "a counter at nought": lambda store: store.redis.hset("spread:users", "9", "0"),
    "a counter that is no number": lambda store: store.redis.hset("spread:u1", "0", "many"),
    "a unique value of somebody else": lambda store: store.redis.hset("unique:user:username", "ada", "7"),
    "a unique value of nobody": lambda store: store.redis.hset("unique:group:name", "ghosts", "7"),
    "the trash without one": lambda store: store.redis.zrem("trashed", "task:2"),
    "the trash with one that is not there": lambda store: store.redis.zadd("trashed", {"task:1": 5}),
    "a task both live and in the trash": lambda store: store.redis.set("trash:task:1", trashed_text(store)),
    "a tombstone under a live one": lambda store: store.redis.set(
        "purged:task:1", b'{"id":1,"purged":true,"version":1}'
    ),
    "a tombstone without a mark": lambda store: store.redis.set(
        "purged:task:99", b'{"id":99,"purged":true,"version":3}'
    ),
    "a mark without its time": lambda store: store.redis.zrem("dirty:since", "task:1"),
    "a time without its mark": lambda store: store.redis.zrem("dirty", "task:1"),
    "a mark for nothing": lambda store: store.redis.zadd("dirty:since", {"task:77": 1}),
}


def first_task(store: Store) -> Task:
    found = contents.present(store, TASK, [1])[0]
    assert isinstance(found, Task)
    return found


def trashed_text(store: Store) -> bytes:
    """The first task as if it lay in the trash."""
    text: bytes = store.redis.get("task:1")
    return text.replace(b',"version":', b',"deleted_at":"2026-01-01T00:00:00.000Z","version":')


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


def crash() -> None:
    raise Crash
