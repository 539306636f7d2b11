"""Lists, counters and unique values proved member by member, and put right, beside writers.

What must be there is kept up with the journal while the records are read. Each look, and each repair, is one
script that does nothing if a write has come in between; then what was written is read, and it is tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain import failpoints
from taskapi.domain.progress import Progress, unseen
from taskapi.store import dirty, keys, state
from taskapi.store.client import Store, faults_named, run, run_unverified
from taskapi.store.errors import refusal
from taskapi.store.expected import Ledger, as_kept
from taskapi.store.walking import is_list, read, walk

ATTEMPTS = 100
AT_ONCE = 200
PAGE = 1000

LINES = ("mending.read", "mending.computed", "mending.mended")
"""Every line at which a test lets a repair die."""

Member = tuple[str, str]


class Overtaken(Exception):
    """More was written meanwhile than the journal in Redis goes back."""


@dataclass(slots=True)
class Proved:
    """What was certainly wrong: by key, each member with what it was and what it must be ("" for none).

    `mistyped` are keys of another type, `unproved` those for which writers left no moment.
    """

    wrong: dict[str, list[tuple[str, Any, Any]]] = field(default_factory=lambda: defaultdict(list))
    mistyped: set[str] = field(default_factory=set)
    unproved: set[str] = field(default_factory=set)


def prove(
    store: Store,
    suspects: Iterable[str],
    *,
    repair: bool = False,
    progress: Progress = unseen,
    pause: float = 0.0,
) -> Proved:
    """Compares those keys exactly with the records; with `repair` what is wrong is put right.

    Raises Unavailable, with `repair` also while Redis is not open.
    """
    proof = _Proof(store, frozenset(suspects))
    try:
        proof.read(progress, pause)
        failpoints.reach("mending.read")
        wrong = [pair for key in sorted(proof.ledger.contents) for pair in proof.unlike(key)]
        failpoints.reach("mending.computed")
        for start in range(0, len(wrong), AT_ONCE):
            proof.look(wrong[start : start + AT_ONCE], repair=repair)
            failpoints.reach("mending.mended")
    except Overtaken:
        proof.found.unproved.update(proof.ledger.contents)
    return proof.found


class _Proof:
    """One pass over the records for some keys; `version` is up to where the ledger knows all."""

    def __init__(self, store: Store, suspects: frozenset[str]) -> None:
        self.store = store
        self.ledger = Ledger(suspects)
        self.found = Proved()
        self.version = state.look(store).version

    def read(self, progress: Progress, pause: float) -> None:
        for part in walk(self.store, progress=progress, pause=pause):
            for lying in part.records:
                self.ledger.note(lying.name, lying.record)
            self.catch_up()

    def catch_up(self) -> None:
        """Reads again what was written since; raises Overtaken if the journal does not tell all of it."""
        while entries := dirty.journal(self.store, self.version, PAGE):
            if entries[0].version != self.version + 1:
                raise Overtaken
            for name, record in read(self.store, [keys.record(e.kind, e.record_id) for e in entries]).items():
                self.ledger.note(name, record)
            self.version = entries[-1].version

    def unlike(self, key: str) -> list[Member]:
        """The members that look wrong; of a key of another type, all that it must have, or at least one."""
        right, there = self.ledger.contents[key], content(self.store, key)
        if there is None:
            return [(key, member) for member in right] or [(key, "")]
        return [(key, name) for name in right.keys() | there.keys() if not _same(key, right, there, name)]

    def look(self, members: Sequence[Member], *, repair: bool) -> None:
        """All of them at one moment between two writes, if there is one."""
        for _ in range(ATTEMPTS):
            self.catch_up()
            wanted = [(key, self.ledger.contents[key].get(member, "")) for key, member in members]
            reply = self._asked(members, [worth for _, worth in wanted], repair)
            if reply[0] == b"unverified":
                raise refusal(reply)
            if reply[0] == b"looked":
                self._note(members, wanted, reply)
                return
        self.found.unproved.update(key for key, _ in members)

    def _asked(self, members: Sequence[Member], wanted: Sequence[Any], repair: bool) -> Any:
        types = {key: _type(key) for key, _ in members}
        rows = zip(members, wanted, strict=True)
        flat = [
            value for (key, member), worth in rows for value in (_raw(key), types[key], _raw(member), worth)
        ]
        typed = [value for key, type_ in types.items() for value in (_raw(key), type_)]
        args = (self.version, int(repair), len(types), *typed, len(members), *flat)
        return run(self.store, "mend", *args) if repair else run_unverified(self.store, "mend", *args)

    def _note(self, members: Sequence[Member], wanted: Sequence[tuple[str, Any]], reply: list[Any]) -> None:
        _, mistyped, wrong = reply
        self.found.mistyped.update(name.decode(errors="surrogateescape") for name in mistyped)
        for place, was in zip(wrong[0::2], wrong[1::2], strict=True):
            (key, member), (_, worth) = members[place - 1], wanted[place - 1]
            self.found.wrong[key].append((member, _told(key, was), worth))


def content(store: Store, key: str) -> Mapping[str, Any] | None:
    """All members of a list or hash; None if the key holds something else."""
    with faults_named():
        found: Any = store.redis.type(_raw(key))
        if found.decode() not in ("none", _type(key)):
            return None
        scan = store.redis.zscan_iter if is_list(key) else store.redis.hscan_iter
        return dict(as_kept(key, dict(scan(_raw(key), count=PAGE))))


def _same(key: str, right: Mapping[str, Any], there: Mapping[str, Any], member: str) -> bool:
    both = member in right and member in there
    return both and (key == keys.TRASHED or right[member] == there[member])


def _type(key: str) -> str:
    return "zset" if is_list(key) else "hash"


def _told(key: str, found: bytes) -> Any:
    text = found.decode(errors="surrogateescape")
    return float(text) if text and is_list(key) else text


def _raw(name: str) -> bytes:
    return name.encode(errors="surrogateescape")
