"""Proof that every index and counter is what the records say: recomputed, and compared exactly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from taskapi.domain.records import Record
from taskapi.store import codec, contents, keys, state
from taskapi.store.client import Store, faults_named
from taskapi.store.kinds import kind_of

SORTED_SETS = ("tasks:*", keys.USERS, keys.GROUPS, "members:*")
HASHES = ("counts:*", "spread:*", "trash-spread:*", "unique:*")
MOST_NAMED = 5
ATTEMPTS = 5


def proof(store: Store) -> tuple[list[str], bool]:
    """The same as `differences` beside writers: a sentence for each, and whether they are certain.

    Reads again while somebody wrote in between and something differs; if that has not come to an end
    after some attempts, what was found last may be what they were writing.
    """
    found: list[str] = []
    for _ in range(ATTEMPTS):
        before = state.look(store).version
        found = differences(store)
        if not found or state.look(store).version == before:
            return found, True
    return found, False


def differences(store: Store) -> list[str]:
    """A sentence for each key whose content is not what follows from the records; none if all is exact.

    Reads everything: for checks and tests, while nobody writes.
    """
    with faults_named():
        records = list(contents.stored_records(store))
        lists = _read(store, SORTED_SETS, lambda key: dict(_scored(store, key)))
        hashes = _read(store, HASHES, lambda key: store.redis.hgetall(key))
    wrong = [*_compared(expected_lists(records), lists), *_compared(expected_hashes(records), hashes)]
    return sorted(wrong)


def expected_lists(records: Iterable[Record]) -> dict[str, dict[str, float]]:
    """Every sorted set with its members and scores."""
    expected: dict[str, dict[str, float]] = defaultdict(dict)
    for record in records:
        for key, score in kind_of(record).entries_of(record):
            expected[key][str(record.id)] = float(record.id if score is None else score)
    return expected


def expected_hashes(records: Iterable[Record]) -> dict[str, dict[str, str]]:
    """Every counter, and every unique value with its holder."""
    expected: dict[str, dict[str, str]] = defaultdict(dict)
    totals: Counter[tuple[str, str]] = Counter()
    for record in records:
        kind = kind_of(record)
        totals.update(kind.counts_of(record))
        for field, value in codec.uniques(kind, record).items():
            expected[keys.unique(kind.name, field)][value] = str(record.id)
    for (key, field), total in totals.items():
        expected[key][field] = str(total)
    return expected


def _read(store: Store, patterns: Iterable[str], content: Any) -> dict[str, dict[str, Any]]:
    names = {name for pattern in patterns for name in store.redis.scan_iter(match=pattern, count=1000)}
    return {
        name.decode(): {_text(key): _text(value) for key, value in content(name).items()} for name in names
    }


def _scored(store: Store, key: bytes) -> Any:
    return store.redis.zrange(key, 0, -1, withscores=True)


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _compared(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    keys_of_both = sorted(expected.keys() | found.keys())
    pairs = ((key, expected.get(key, {}), found.get(key, {})) for key in keys_of_both)
    return [_told(key, right, there) for key, right, there in pairs if right != there]


def _told(key: str, right: dict[str, Any], there: dict[str, Any]) -> str:
    """What is wrong with a key, by the first of its members that are."""
    wrong = sorted(name for name in right.keys() | there.keys() if right.get(name) != there.get(name))
    named = "; ".join(
        f"{name} is {there.get(name, 'missing')} and should be {right.get(name, 'absent')}"
        for name in wrong[:MOST_NAMED]
    )
    return f"{key}: {named}{f'; and {len(wrong) - MOST_NAMED} more' if len(wrong) > MOST_NAMED else ''}."
