"""Proof that every index and counter is what the records say: summed up, and where a sum differs, exactly.

The first walk keeps one sum for each list and hash; only keys whose sums differ are read member by member in
a second one. That takes memory for the keys, not for the records.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain.progress import Progress, part, unseen
from taskapi.store import keys, mending, straying
from taskapi.store.client import Store
from taskapi.store.expected import Sums, places_of, weight
from taskapi.store.walking import Slice, walk

MOST_NAMED = 5
MOST_PLACES = 1_000_000
"""Of members that are compared in one walk, 235 bytes each; a single key may have more."""


@dataclass(slots=True)
class Scrubbed:
    """`wrong`: a sentence for each key or record that was not right; `left`: those that still are not.

    `unproved`: keys on which writers left no moment to look. `unreadable`: records whose text is broken.
    """

    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Whether all is right now, and that is certain."""
        return not (self.left or self.unproved or self.unreadable)

    @property
    def repaired(self) -> list[str]:
        """What was put right."""
        return [told for told in self.wrong if told not in self.left]


def differences(store: Store) -> list[str]:
    """A sentence for each key whose content is not what follows from the records; none if all is exact."""
    found = scrub(store)
    return sorted([*found.wrong, *found.unproved, *found.unreadable])


def scrub(
    store: Store,
    *,
    repair: bool = False,
    progress: Progress = unseen,
    pause: float = 0.0,
    seconds: float = math.inf,
) -> Scrubbed:
    """Compares all that is derived with the records; with `repair` puts right what is wrong.

    Beside readers and writers; rests for `pause` seconds again and again. What was written during the
    first walk looks wrong until it was read exactly; after so many `seconds` the rest of it stays
    unproved, the largest keys. Killed anywhere, it can be done again. Raises Unavailable.
    """
    end = time.monotonic() + seconds
    found, first = Scrubbed(), _First(store, repair=repair)
    first.read(part(progress, 0.0, 0.5), pause)
    suspects = first.expected.unlike(first.actual)
    wrong = [f"{name}: {straying.SENTENCES[what]}." for name, what in sorted(first.strays.items())]
    batches = list(_batches(suspects))
    for number, batch in enumerate(batches):
        if time.monotonic() > end:
            found.unproved += [f"{key}: there was no time to read it." for key in batch]
            continue
        seen = part(progress, 0.5 + number / len(batches) / 2, 0.5 + (number + 1) / len(batches) / 2)
        proved = mending.prove(store, batch, repair=repair, progress=seen, pause=pause)
        wrong += [f"{key}: it is of another type." for key in sorted(proved.mistyped)]
        wrong += [_told(key, rows) for key, rows in sorted(proved.wrong.items())]
        found.unproved += [f"{key}: written all the while." for key in sorted(proved.unproved)]
    found.wrong, found.left = wrong, [] if repair else wrong
    found.unreadable = [f"{name}: its text in Redis is no record of its kind." for name in first.unreadable]
    progress(1.0)
    return found


class _First:
    """The first walk: sums of what must be and of what is, and what lies where it should not."""

    def __init__(self, store: Store, *, repair: bool) -> None:
        self.store, self.repair = store, repair
        self.expected, self.actual = Sums(), Sums()
        self.strays: dict[str, str] = {}
        self.unreadable: list[str] = []

    def read(self, progress: Progress, pause: float) -> None:
        for names in straying.half_marks(self.store):
            self._look_at(names)
        for found in walk(self.store, progress=progress, pause=pause):
            self._add(found)

    def _add(self, found: Slice) -> None:
        self._look_at(found.tombstones)
        self._look_at([lying.name for lying in found.records if lying.prefix == keys.TRASH])
        for lying in found.records:
            if lying.record is None:
                self.unreadable.append(lying.prefix + lying.name)
            else:
                self.expected.add(places_of(lying.record))
        for key in found.derived:
            self.actual.put(key, _summed(self.store, key))

    def _look_at(self, names: list[str]) -> None:
        self.strays |= straying.strays(self.store, names, repair=self.repair)


def _summed(store: Store, key: str) -> int:
    found = mending.content(store, key)
    # A key of another type counts as one that has something of its own: it is no sum that could be right.
    return hash(key) if found is None else sum(weight(key, name, worth) for name, worth in found.items())


def _batches(suspects: dict[str, int]) -> Iterator[list[str]]:
    """The keys in parts of `MOST_PLACES`, each of at least one; the smallest first, which are many."""
    batch: list[str] = []
    size = 0
    for key, places in sorted(suspects.items(), key=lambda suspect: suspect[1]):
        if batch and size + places > MOST_PLACES:
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += places
    if batch:
        yield batch


def _told(key: str, rows: list[tuple[str, Any, Any]]) -> str:
    """What is wrong with a key, by the first of its members that are."""
    named = "; ".join(
        f"{name} is {_or(was, 'missing')} and should be {_or(worth, 'absent')}"
        for name, was, worth in sorted(rows)[:MOST_NAMED]
    )
    return f"{key}: {named}{f'; and {len(rows) - MOST_NAMED} more' if len(rows) > MOST_NAMED else ''}."


def _or(worth: Any, nothing: str) -> Any:
    return nothing if worth == "" else worth
