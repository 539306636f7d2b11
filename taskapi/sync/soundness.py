"""What Redis decides and no constraint in PostgreSQL guards: parents exist, unique values are unique."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain.records import Record
from taskapi.store import codec, contents, keys, leaving, walking
from taskapi.store.client import Store
from taskapi.store.kinds import Kind


@dataclass(slots=True)
class Soundness:
    """`orphans`: `task:5 without user:3`; `clashes`: `user:1 and user:7 have one username`."""

    orphans: list[str] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)
    _holders: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _lonely: list[tuple[Kind, str, str]] = field(default_factory=list)
    _clashing: list[tuple[Kind, str, str, str]] = field(default_factory=list)

    def check(self, store: Store, kind: Kind, records: Mapping[int, Any]) -> None:
        """Looks at some records; each may be looked at more than once."""
        parents = {number: kind.parents_of(None, record) for number, record in records.items()}
        named = sorted({parent for wanted in parents.values() for parent in wanted})
        gone = _gone(store, kind, named)
        for number, record in records.items():
            name = keys.record(kind.name, number)
            self._lonely += [(kind, name, parent) for parent in parents[number] if parent in gone]
            self._claim(kind, record)

    def confirm(self, store: Store) -> None:
        """Looks again at what seemed unsound: while records were read, others may have been written."""
        named = {
            kind: sorted({row[2] for row in self._lonely if row[0] is kind}) for kind, _, _ in self._lonely
        }
        gone = {kind: _gone(store, kind, parents) for kind, parents in named.items()}
        going = leaving.accounts(store)
        names = {name for _, name, _ in self._lonely} | {each for row in self._clashing for each in row[2:]}
        now = walking.read(store, sorted(names)) if names else {}
        for kind, name, parent in self._lonely:
            if parent in gone[kind] and parent not in going and parent in kind.parents_of(None, now[name]):
                self.orphans.append(f"{name} without {parent}")
        for kind, unique, one, other in self._clashing:
            values = [codec.uniques(kind, now[each]).get(unique) for each in (one, other)]
            if values[0] is not None and values[0] == values[1]:
                self.clashes.append(f"{one} and {other} have one {unique}")

    def _claim(self, kind: Kind, record: Record) -> None:
        for name, value in codec.uniques(kind, record).items():
            holder = self._holders.setdefault((kind.name, name, value), record.id)
            if holder != record.id:
                one, other = (keys.record(kind.name, number) for number in sorted((holder, record.id)))
                self._clashing.append((kind, name, one, other))


def _gone(store: Store, kind: Kind, parents: Sequence[str]) -> set[str]:
    """Which of these are no parents any more."""
    gone = contents.missing(store, parents)
    if not kind.stays_in_trash:
        return gone
    trashed = contents.missing(store, [keys.TRASH + name for name in sorted(gone)])
    return {name.removeprefix(keys.TRASH) for name in trashed}
