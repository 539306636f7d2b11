"""What follows from the records: each list, counter and unique value, summed up or member by member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from taskapi.domain.clock import milliseconds
from taskapi.domain.records import Record
from taskapi.store import codec, keys
from taskapi.store.kinds import kind_of

Place = tuple[str, str, Any]
"""A key, a member of it, and its worth: a score (float), how many to count (int) or the holder (str)."""

_BITS = 2**64 - 1


def places_of(record: Record) -> Iterator[Place]:
    """Where the record stands, is counted, and what it holds."""
    kind, number = kind_of(record), str(record.id)
    for key, score in kind.entries_of(record):
        yield key, number, float(record.id if score is None else score)
    for key, field in kind.counts_of(record):
        yield key, field, 1
    for field, value in codec.uniques(kind, record).items():
        yield keys.unique(kind.name, field), value, number
    if record.deleted_at is not None:
        yield keys.TRASHED, keys.record(kind.name, record.id), float(milliseconds(record.deleted_at))


def as_kept(key: str, content: Mapping[bytes, Any]) -> Iterator[tuple[str, Any]]:
    """Members of a key as Redis has them, in the same form; what is no number is a text."""
    for name, value in content.items():
        member = name.decode(errors="surrogateescape")
        if isinstance(value, float):
            yield member, value
            continue
        text = value.decode(errors="surrogateescape")
        is_count = text.lstrip("-").isdecimal() and not key.startswith("unique:")
        yield member, int(text) if is_count else text


def weight(key: str, member: str, worth: Any) -> int:
    """A number for a member, so that two keys of one content have one sum, in whatever order they are read.

    A counter weighs as much as all that it has counted; when something went into the trash is not weighed.
    """
    if key == keys.TRASHED:
        return hash(member)
    return worth * hash(member) if type(worth) is int and worth else hash((member, worth))


class Sums:
    """The sum of each key, and how many places it is made of: as much memory as there are keys."""

    def __init__(self) -> None:
        self._sums: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def add(self, places: Iterable[Place]) -> None:
        """Adds members to their keys."""
        for key, member, worth in places:
            self._sums[key] = (self._sums.get(key, 0) + weight(key, member, worth)) & _BITS
            self._sizes[key] = self._sizes.get(key, 0) + 1

    def put(self, key: str, total: int) -> None:
        """Another's sum of a key."""
        self._sums[key] = total & _BITS

    def unlike(self, other: Sums) -> dict[str, int]:
        """The keys whose sums differ, each with how many places this one has there."""
        names = self._sums.keys() | other._sums.keys()
        return {
            key: self._sizes.get(key, 0)
            for key in sorted(names)
            if self._sums.get(key, 0) != other._sums.get(key, 0)
        }


class Ledger:
    """The exact content that some keys must have, kept up with the records as they are read."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.contents: dict[str, dict[str, Any]] = {key: {} for key in wanted}
        self._held: dict[str, tuple[Place, ...]] = {}
        self._alike: dict[Place, Place] = {}

    def note(self, name: str, record: Record | None) -> None:
        """The record of that name (`kind:id`) is this one now."""
        for place in self._held.pop(name, ()):
            self._take(*place)
        found = () if record is None else places_of(record)
        places = tuple(self._shared(place) for place in found if place[0] in self.contents)
        if places:
            self._held[name] = places
        for place in places:
            self._put(*place)

    def _shared(self, place: Place) -> Place:
        return self._alike.setdefault(place, place) if type(place[2]) is int else place

    def _put(self, key: str, member: str, worth: Any) -> None:
        content = self.contents[key]
        if type(worth) is int:
            content[member] = content.get(member, 0) + worth
        elif type(worth) is float or int(worth) <= int(content.get(member, worth)):
            content[member] = worth

    def _take(self, key: str, member: str, worth: Any) -> None:
        content = self.contents[key]
        if type(worth) is int and content[member] > worth:
            content[member] -= worth
        elif content.get(member) == worth:
            del content[member]
