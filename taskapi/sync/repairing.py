"""Repair by version: what differs between the stores is put right, each record where it is older or missing.

Nothing rests on what a comparison has found: each record is read again from both stores, and each repair is
one step that does nothing if the record has moved since. Killed anywhere, it can be done again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from taskapi.db import graves
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict, Moved, Taken
from taskapi.domain.progress import Progress, unseen
from taskapi.store import dirty, replacing, shape, state, straying
from taskapi.store.client import Store
from taskapi.store.dirty import Entry
from taskapi.store.kinds import KINDS
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import fence, pairs
from taskapi.sync.carrying import carry_entries
from taskapi.sync.compare import Comparison, is_told, lines_of
from taskapi.sync.pairs import Pair, Verdict

CHUNK = 200
PURGED, REPAIRED = "purged", "repaired"

LINES = (
    "repairing.looked",
    "repairing.decided",
    "repairing.put_right",
    "repairing.inserted",
    "repairing.journaled",
)
"""Every line at which a test lets a repair die."""


class Act(StrEnum):
    """What is done with a record that differs."""

    MARK = "PostgreSQL lacked its newest version, which is dirty again"
    PLACE = "Redis lacked it or had it older, and has it from PostgreSQL again"
    TAKE_AWAY = "Redis had it though it was purged later, and has it no more"
    SAVE = "both had one version of it with different content; what Redis has is a new version now"
    BURY = "PostgreSQL had it though it was purged, and has its tombstone again"


@dataclass(slots=True)
class Repaired:
    """A sentence for each record or journal entry that was put right, and for each that could not be."""

    repaired: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def repair(store: Store, engine: Engine, found: Comparison, progress: Progress = unseen) -> Repaired:
    """Puts right what was found to differ and is not merely waiting; what was dirtied is still to be carried.

    Raises PostgresAway, Unavailable, EpochMoved, PostgresWentBack, Full: what was done until then stays.
    """
    work = _Repair(store, engine)
    work.put_right(found.drifted, progress)
    work.put_right_journal(found.journal)
    progress(1.0)
    return work.done


class _Repair:
    def __init__(self, store: Store, engine: Engine) -> None:
        self.store, self.engine, self.done = store, engine, Repaired()
        self.left: dict[str, str] = {}
        self.acts: dict[Act, Callable[[Pair], str | None]] = {
            Act.MARK: self._mark,
            Act.PLACE: self._replace,
            Act.TAKE_AWAY: self._replace,
            Act.SAVE: self._save,
            Act.BURY: self._bury,
        }

    def put_right(self, names: Iterable[str], progress: Progress) -> None:
        """What lacks a parent is tried again, as long as something was put right before it."""
        waiting, is_moving = sorted(names), True
        while waiting and is_moving:
            before, self.left = len(self.done.repaired), {}
            for start in range(0, len(waiting), CHUNK):
                self._round(waiting[start : start + CHUNK])
                progress(start / len(waiting))
            waiting, is_moving = sorted(self.left), len(self.done.repaired) > before
        self.done.left += [f"{name}: {why}." for name, why in sorted(self.left.items())]

    def put_right_journal(self, versions: Iterable[int]) -> None:
        """What PostgreSQL lacks is put in; what it tells otherwise cannot be decided here."""
        for version in versions:
            entries = dirty.journal(self.store, version - 1, 1)
            if entries and entries[0].version == version:
                self._put_right_entry(entries[0])

    def _round(self, names: list[str]) -> None:
        for kind in KINDS.values():
            ids = [int(name.partition(":")[2]) for name in names if name.startswith(f"{kind.name}:")]
            for pair in pairs.look(self.store, self.engine, kind, ids):
                failpoints.reach("repairing.looked")
                self._one(pair)

    def _one(self, pair: Pair) -> None:
        decided = self._decide(pair)
        failpoints.reach("repairing.decided")
        if isinstance(decided, Act):
            why_not = self.acts[decided](pair)
            if why_not is None:
                self.done.repaired.append(f"{pair.name}: {decided}.")
            decided = why_not or None
        failpoints.reach("repairing.put_right")
        if decided and self._stays(pair):
            self.left[pair.name] = decided

    def _stays(self, pair: Pair) -> bool:
        """Whether it is still what was decided on; of one that was written since nothing is to be told."""
        return pairs.look(self.store, self.engine, pair.kind, [pair.redis.id]) == [pair]

    def _decide(self, pair: Pair) -> Act | str | None:
        """What to do, or why nothing can be done; None if nothing is to be done any more."""
        verdict, version = pair.verdict, pair.redis.version
        if verdict in (Verdict.EQUAL, Verdict.WAITING, Verdict.NOWHERE):
            return None
        if verdict is Verdict.UNREADABLE:
            return "its text in Redis is no record of its kind: delete that key, and compare again"
        if verdict is not Verdict.ONLY_POSTGRES and pair.version <= version:
            return Act.MARK if pair.version < version else Act.SAVE
        if pair.row is None:
            return Act.TAKE_AWAY
        if field_name := shape.flaw(pair.kind, pair.row):
            return f"its row in PostgreSQL has no {field_name} that can be one: correct or delete the row"
        return Act.PLACE if verdict is not Verdict.ONLY_POSTGRES else self._decide_alone(pair)

    def _decide_alone(self, pair: Pair) -> Act | str:
        """Redis has nothing of it: the journal tells whether it was purged."""
        version, action = self._last_told(pair)
        if action == PURGED and version >= pair.version:
            return Act.BURY
        if version > pair.version:
            return f"its version {version} is in neither store: bring it back from a backup"
        return Act.PLACE

    def _last_told(self, pair: Pair) -> tuple[int, str]:
        with transaction(self.engine) as connection:
            told = graves.last_told(connection, pair.kind.name, pair.redis.id)
        after = state.look(self.store).carried
        while entries := dirty.journal(self.store, after):
            own = [e for e in entries if (e.kind, e.record_id) == (pair.kind.name, pair.redis.id)]
            told = max([told, *((entry.version, entry.action) for entry in own)])
            after = entries[-1].version
        return told

    def _mark(self, pair: Pair) -> str | None:
        is_done = straying.mark(self.store, pair.name, pair.redis.version)
        return None if is_done else ""

    def _replace(self, pair: Pair) -> str | None:
        outcome, about = replacing.replace(self.store, pair.redis, pair.row, pair.version)
        if outcome == replacing.REPLACED:
            return None
        return "" if outcome == replacing.MOVED else replacing.WHY_NOT[outcome].format(about)

    def _save(self, pair: Pair) -> str | None:
        record = pair.redis.record
        try:
            save(self.store, Claim(0), [Change(record, record, REPAIRED, told=pair.row)])
        except (Conflict, Moved, Taken) as refusal:
            return f"what Redis has of it cannot be saved ({refusal}): correct it there, and compare again"
        return None

    def _bury(self, pair: Pair) -> str | None:
        version, _ = self._last_told(pair)
        with transaction(self.engine) as connection:
            fence.enter(connection, state.look(self.store))
            is_done = graves.bury(connection, pair.kind.name, pair.redis.id, version)
        return None if is_done else ""

    def _put_right_entry(self, entry: Entry) -> None:
        there = lines_of(self.engine, [entry]).get(entry.version)
        if there is None:
            with transaction(self.engine) as connection:
                fence.enter(connection, state.look(self.store))
                carry_entries(connection, [entry])
                failpoints.reach("repairing.inserted")
            failpoints.reach("repairing.journaled")
            self.done.repaired.append(f"journal {entry.version}: PostgreSQL lacked it, and has it again.")
        elif not is_told(entry, there):
            why = "both stores tell it, and differently: one was changed by hand"
            self.done.left.append(f"journal {entry.version}: {why}.")
