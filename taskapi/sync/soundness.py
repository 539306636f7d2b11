"""What Redis decides and no constraint in PostgreSQL guards: parents exist, unique values are unique."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain.records import Record
from taskapi.store import codec, contents, keys
from taskapi.store.client import Store
from taskapi.store.kinds import Kind


@dataclass(slots=True)
class Soundness:
    """`orphans`: `task:5 without user:3`; `clashes`: `user:1 and user:7 have one username`."""

    orphans: list[str] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)
    _holders: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def check(self, store: Store, kind: Kind, records: Mapping[int, Any]) -> None:
        """Looks at some records; each may be looked at more than once."""
        parents = {number: kind.parents_of(None, record) for number, record in records.items()}
        named = sorted({parent for wanted in parents.values() for parent in wanted})
        gone = contents.missing(store, named)
        for number, record in records.items():
            name = keys.record(kind.name, number)
            self.orphans += [f"{name} without {parent}" for parent in parents[number] if parent in gone]
            self._claim(kind, record)

    def _claim(self, kind: Kind, record: Record) -> None:
        for name, value in codec.uniques(kind, record).items():
            holder = self._holders.setdefault((kind.name, name, value), record.id)
            if holder != record.id:
                one, other = (keys.record(kind.name, number) for number in sorted((holder, record.id)))
                self.clashes.append(f"{one} and {other} have one {name}")
