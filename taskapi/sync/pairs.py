"""A record in both stores, read so that the two can be compared while others write."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from taskapi.db import rows
from taskapi.db.engine import Engine, transaction
from taskapi.domain.records import Record
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.held import Held, held
from taskapi.store.kinds import Kind
from taskapi.sync.lines import of_record

ATTEMPTS = 5


class Verdict(StrEnum):
    """How the two stand to each other."""

    NOWHERE = "nowhere"
    EQUAL = "equal"
    WAITING = "waiting"
    ONLY_REDIS = "only in Redis"
    ONLY_POSTGRES = "only in PostgreSQL"
    DIFFERING = "differing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Pair:
    """Redis's side and PostgreSQL's. `version` is 0 without a row; `row` is None also for a tombstone.

    `is_moving`: whenever it was looked at, Redis's side had just changed.
    """

    redis: Held
    version: int
    row: Record | None
    is_moving: bool

    @property
    def kind(self) -> Kind:
        """The kind of both."""
        return self.redis.kind

    @property
    def name(self) -> str:
        """kind:id."""
        return keys.record(self.kind.name, self.redis.id)

    @property
    def verdict(self) -> Verdict:
        """Equal also if it is marked: its mark is just about to be cleared."""
        record = self.redis.record
        if record is not None and self.row is not None and same(self.kind, record, self.row):
            return Verdict.EQUAL
        if self.is_moving or self.redis.is_waiting:
            return Verdict.WAITING
        if self.redis.blob is None:
            return Verdict.NOWHERE if self.row is None else Verdict.ONLY_POSTGRES
        if record is None:
            return Verdict.UNREADABLE
        return Verdict.ONLY_REDIS if self.row is None else Verdict.DIFFERING


def same(kind: Kind, one: Record, other: Record) -> bool:
    """Whether two records are the same in every field, the version too."""
    return of_record(kind, one)[1] == of_record(kind, other)[1]


def look(store: Store, engine: Engine, kind: Kind, ids: Sequence[int]) -> list[Pair]:
    """Both sides of those ids: Redis has not changed while PostgreSQL was read, or `is_moving` tells.

    Raises PostgresAway, Unavailable.
    """
    found: dict[int, Pair] = {}
    left = list(ids)
    for _ in range(ATTEMPTS):
        before = held(store, kind, left)
        theirs = _rows(engine, kind, left)
        after = held(store, kind, left)
        for was, now in zip(before, after, strict=True):
            found[now.id] = Pair(now, *theirs[now.id], is_moving=was != now)
        left = [number for number in left if found[number].is_moving]
        if not left:
            break
    return [found[number] for number in ids]


def _rows(engine: Engine, kind: Kind, ids: Sequence[int]) -> dict[int, tuple[int, Record | None]]:
    with transaction(engine) as connection:
        versions = rows.versions_of(connection, kind.name, ids)
        there = {row["id"]: kind.record(**row) for row in rows.some(connection, kind.name, ids)}
    return {
        number: (there[number].version if number in there else versions.get(number, 0), there.get(number))
        for number in ids
    }
