"""Proof that every index and counter is what the records say: recomputed, and compared exactly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from taskapi.domain.records import Record
from taskapi.store import codec, keys, state
from taskapi.store.client import Store, faults_named
from taskapi.store.kinds import kind_of

SORTED_SETS = ("tasks:*", keys.USERS, keys.GROUPS, "members:*")
HASHES = ("counts:*", "spread:*", "trash-spread:*", "unique:*")


def differences(store: Store) -> list[str]:
    """A sentence for each key whose content is not what follows from the records; none if all is exact.

    Reads everything: for checks and tests, while nobody writes.
    """
    with faults_named():
        records = list(state.stored_records(store))
        lists = _read(store, SORTED_SETS, lambda key: dict(_scored(store, key)))
        hashes = _read(store, HASHES, lambda key: store.redis.hgetall(key))
    return [*_compared(expected_lists(records), lists), *_compared(expected_hashes(records), hashes)]


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
    wrong = [key for key in keys_of_both if expected.get(key, {}) != found.get(key, {})]
    return [
        f"{key} holds {found.get(key, {})} where the records say {expected.get(key, {})}." for key in wrong
    ]
