"""What has no end of its own and is of no use any more: found some keys at a time, beside everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from taskapi.domain.errors import Unavailable
from taskapi.domain.progress import Progress, unseen
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run
from taskapi.store.errors import UNVERIFIED
from taskapi.store.walking import rest

SLICE = 1000
LISTS_AT_ONCE = 50
PAUSE_SECONDS = 0.004


def sessions(store: Store, *, dry_run: bool = False, progress: Progress = unseen) -> int:
    """Sessions that have ended leave the lists of those who have others still; returns how many.

    A session ends by itself. Its place in the list would stay until its user signs in once more, or has
    no session left. Raises Unavailable.
    """
    return _loosened(store, keys.sessions("*"), lambda user: keys.session(user, ""), dry_run, progress)


def answers(store: Store, *, dry_run: bool = False, progress: Progress = unseen) -> int:
    """Answers of writes that are forgotten leave the lists of those kept for a caller; returns how many.

    An answer is forgotten by itself. Its place in the list would stay until the caller has named a thousand
    writes more, or none for a day. Raises Unavailable.
    """
    return _loosened(store, keys.kept("*"), lambda _: "", dry_run, progress)


def limits(store: Store, *, dry_run: bool = False, progress: Progress = unseen) -> int:
    """Forgets callers who have all of their calls back; returns how many. Raises Unavailable."""
    with faults_named():
        total: Any = store.redis.hlen(keys.LIMITS)
    start, found, seen = "0", 0, 0
    while True:
        following, full = run(store, "limits", int(not dry_run), start, SLICE)
        start, found, seen = following.decode(), found + int(full), seen + SLICE
        progress(min(1.0, seen / max(1, total)))
        if start == "0":
            return found
        rest(PAUSE_SECONDS)


def _loosened(
    store: Store, pattern: str, prefix: Callable[[str], str], dry_run: bool, progress: Progress
) -> int:
    """Takes out of lists what names keys that are gone, which begin with the `prefix` by whose list it is."""
    found, family = 0, pattern.removesuffix("*")
    for names in _named(store, pattern, progress):
        for first in range(0, len(names), LISTS_AT_ONCE):
            part = names[first : first + LISTS_AT_ONCE]
            pairs = [text for name in part for text in (name, prefix(name.removeprefix(family)))]
            loose = run(store, "loose", int(not dry_run), *pairs)
            if loose < 0:
                raise Unavailable(UNVERIFIED)
            found += loose
    return found


def _named(store: Store, pattern: str, progress: Progress) -> Iterator[Sequence[str]]:
    """The keys of that pattern, in parts, with a rest after each; a key may come twice."""
    with faults_named():
        total: Any = store.redis.dbsize()
    start, seen = 0, 0
    while True:
        with faults_named():
            page: Any = store.redis.scan(start, match=pattern, count=SLICE)
        start, names = page
        yield [name.decode() for name in names]
        seen += SLICE
        progress(min(1.0, seen / max(1, total)))
        if start == 0:
            return
        rest(PAUSE_SECONDS)
