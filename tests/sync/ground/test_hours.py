"""How long what is left will do, at the pace of the last hour."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import clock
from taskapi.domain.records import Group
from taskapi.store import state, watch
from taskapi.store.client import Store
from taskapi.sync import ground
from taskapi.sync.admission import admit
from taskapi.sync.headroom import headroom
from tests.sync.conftest import changed_tasks, create, many_tasks, new_task, restart


class TestHours:
    def test_nothing_is_told_before_a_pace_is_known(
        self, opened: Store, engine: Engine, folders: dict[str, Path]
    ):
        assert set(self.hours(opened).values()) == {None}
        ground.check(opened, engine, folders)
        new_task(opened)
        assert set(self.hours(opened).values()) == {None}

    def test_hours_are_told_at_the_pace_of_the_last_hour(
        self, opened: Store, engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ):
        begun = clock.now()
        ground.check(opened, engine, folders)
        changed_tasks(opened, many_tasks(opened, 100, information="x" * 10_000), title="y")
        monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=30))
        ground.check(opened, engine, folders)

        hours = self.hours(opened)

        assert hours["tasks"] == pytest.approx((1_000_000 - 100) / 200, rel=0.01)
        assert (hours["users"], hours["groups"]) == (None, None)
        assert hours["memory"] > 0
        told = headroom(opened, state.look(opened), watch.kept(opened))
        assert told["memory_full_at"] == int(told["memory_limit"] * 0.9)
        assert set(told["disk"]) == {"redis", "postgresql", *folders}

    def test_samples_of_another_hour_or_epoch_are_dropped(
        self, opened: Store, engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ):
        begun = clock.now()
        for minutes in (0, 30, 61, 90):
            monkeypatch.setattr(clock, "now", lambda minutes=minutes: begun + timedelta(minutes=minutes))
            ground.check(opened, engine, folders)
        assert len(watch.kept(opened).samples) == 3
        create(opened, new_group())
        assert self.hours(opened)["groups"] is not None
        restart(opened)
        admit(opened, engine)
        assert set(self.hours(opened).values()) == {None}
        ground.check(opened, engine, folders)
        assert len(watch.kept(opened).samples) == 1

    def hours(self, store: Store) -> dict[str, Any]:
        told: dict[str, Any] = headroom(store, state.look(store), watch.kept(store))["hours"]
        return told


def new_group() -> Group:
    return Group(name="Team", created_at=clock.timestamp(), updated_at=clock.timestamp())
