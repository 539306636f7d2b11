"""Scrub: whatever is wrong beside the records is found, and put right."""

import pytest

from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.store import scrub
from taskapi.store.client import Store
from taskapi.store.mending import LINES
from tests.store.conftest import Maker
from tests.store.damages import DAMAGES, Crash, crash, first_task


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found_and_put_right(filled: Store, damage: str):
    DAMAGES[damage](filled)
    assert scrub.differences(filled) != []
    assert not scrub.scrub(filled).is_exact

    found = scrub.scrub(filled, repair=True)

    assert found.is_exact
    assert found.repaired == found.wrong != []
    assert scrub.differences(filled) == []
    assert scrub.scrub(filled, repair=True).wrong == []


def test_of_two_texts_the_newer_is_the_record(filled: Store, make: Maker):
    old = filled.redis.get("task:1")
    make.changed(first_task(filled), deleted_at=timestamp())
    filled.redis.set("task:1", old)

    assert scrub.scrub(filled, repair=True).is_exact

    assert filled.redis.get("task:1") is None
    assert filled.redis.get("trash:task:1")
    assert scrub.differences(filled) == []


def test_what_was_purged_later_does_not_rise(filled: Store, make: Maker):
    old = filled.redis.get("task:1")
    make.purged(first_task(filled))
    filled.redis.set("task:1", old)

    assert scrub.scrub(filled, repair=True).is_exact

    assert filled.redis.get("task:1") is None
    assert filled.redis.get("purged:task:1")
    assert scrub.differences(filled) == []


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"5",
        b'{"id":1,"version":5}',
        b'{"id":3,"title":"x","user_id":1,"created_at":"2026-01-01","updated_at":"2026-01-01","version":5}',
        b'{"id":1,"title":"x","user_id":1,"created_at":"2026-01-01","updated_at":"2026-01-01","deadline":"soon","version":5}',
        b'{"id":1,"title":9,"user_id":1,"created_at":"2026-01-01","updated_at":"2026-01-01","version":5}',
        b'{"id":1,"title":"x","user_id":1,"created_at":"2026-01-01","updated_at":"2026-01-01","deleted_at":"2026-01-01","version":5}',
    ],
)
def test_a_text_that_is_no_record_is_named(filled: Store, text: bytes):
    filled.redis.set("task:1", text)
    found = scrub.scrub(filled, repair=True)
    assert found.unreadable == ["task:1: its text in Redis is no record of its kind."]
    assert not found.is_exact


@pytest.mark.parametrize("line", [*LINES, "straying.put_right"])
def test_killed_twice_over_a_repair_is_finished_by_the_next(filled: Store, line: str):
    for _ in range(2):
        for damage in DAMAGES.values():
            damage(filled)
        with failpoints.armed(line, crash), pytest.raises(Crash):
            scrub.scrub(filled, repair=True)

    assert scrub.scrub(filled, repair=True).is_exact

    assert scrub.differences(filled) == []
