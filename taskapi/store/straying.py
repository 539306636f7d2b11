"""What lies in Redis and should not: a record in two places, tombstones and marks that nobody would find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from taskapi.domain import failpoints
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run, run_unverified
from taskapi.store.errors import refusal

AT_ONCE = 100

SENTENCES = {
    "twice": "it lies both live and in the trash; the newer one counts",
    "risen": "it was purged and lies there all the same; the newer one counts",
    "tombstone": "its tombstone was left behind without a mark; it is to be carried again",
    "mark": "its mark is only half there, so that no flush would find or clear it",
}


def strays(store: Store, names: Sequence[str], *, repair: bool = False) -> dict[str, str]:
    """What is wrong with those names (`kind:id`); with `repair` each is put right in a step of its own."""
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        args = (int(repair), *names[start : start + AT_ONCE])
        reply: Any = run(store, "strays", *args) if repair else run_unverified(store, "strays", *args)
        if reply[0] == b"unverified":
            raise refusal(reply)
        failpoints.reach("straying.put_right")
        words = [word.decode() for word in reply[1:]]
        found |= dict(zip(words[0::2], words[1::2], strict=True))
    return found


def half_marks(store: Store) -> Iterator[list[str]]:
    """Names that have a dirty mark without its time, or the time without the mark, some at a time."""
    for here, there in ((keys.DIRTY, keys.DIRTY_SINCE), (keys.DIRTY_SINCE, keys.DIRTY)):
        start = 0
        while True:
            with faults_named():
                page: Any = store.redis.zscan(here, start, count=500)
                start, names = page[0], [name.decode() for name, _ in page[1]]
                scores: Any = store.redis.zmscore(there, names) if names else []
            yield [name for name, score in zip(names, scores, strict=True) if score is None]
            if start == 0:
                break


def mark(store: Store, name: str, version: int) -> bool:
    """Marks a record as not in PostgreSQL; False if it is not at that version any more."""
    reply: Any = run(store, "mark", name, version)
    if reply[0] == b"unverified":
        raise refusal(reply)
    return bool(reply[0] == b"marked")
