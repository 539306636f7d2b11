"""What the trash has lost is lost in both stores, and a backup of before brings it back."""

from datetime import timedelta

import pytest

from taskapi.cleaning import Ground, clean
from taskapi.config import Settings
from taskapi.db.engine import Engine
from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.domain.records import File, Group
from taskapi.domain.trash import term
from taskapi.outside.shelf import Shelf
from taskapi.services.emptying import empty_trash
from taskapi.store import cleanups, contents, keys, scrub, state
from taskapi.store.client import Store
from taskapi.store.jobs import connect
from taskapi.store.kinds import TASK, USER
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back
from taskapi.sync.returns import returns
from tests.sync.conftest import change, create, new_task
from tests.sync.test_admission import forget_everything, require_settled
from tests.sync.test_going_back import everything, kept


def after(days: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=days))


def trashed(store: Store, count: int) -> list[int]:
    made = [change(store, new_task(store, tags=("a",)), deleted_at=timestamp()) for _ in range(count)]
    return [task.id for task in made]


def test_what_is_purged_is_gone_from_both_stores_and_comes_back_with_a_backup(
    house: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    numbers = trashed(house, 50)
    team = create(house, Group(name="Crew", created_at=timestamp(), updated_at=timestamp()))
    change(house, team, deleted_at=timestamp())
    live = new_task(house)
    name = kept(house, engine, shelf)
    then = everything(house)
    after(31, monkeypatch)

    purged = empty_trash(house, term(30, returns(engine, 30)))

    assert dict(purged) == {"tasks": 51, "groups": 1}
    drain(house, engine, 5)
    assert house.redis.keys("trash:*") == house.redis.keys("purged:*") == []
    assert compare(house, engine).is_equal
    assert scrub.differences(house) == []
    after(1, monkeypatch)

    go_back(house, engine, shelf, name)

    assert everything(house) == then
    require_settled(house, engine)
    assert scrub.differences(house) == []
    back = contents.present(house, TASK, numbers)
    assert all(task.deleted_at for task in back)
    assert empty_trash(house, term(30, returns(engine, 30))) == {}
    assert new_task(house).id > live.id
    after(31, monkeypatch)
    assert dict(empty_trash(house, term(30, returns(engine, 30)))) == {"tasks": 51, "groups": 1}
    require_settled(house, engine)


def test_a_user_who_is_purged_is_gone_from_both_stores_with_password_and_files(
    house: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    ada, now = contents.present(house, USER, [2])[0], timestamp()
    about = {"filename": "a.txt", "content_type": "text/plain", "size": 1, "sha256": "0" * 64}
    create(house, File(task_id=3, user_id=2, created_at=now, **about))
    change(house, contents.present(house, TASK, [3])[0], deleted_at=now, deleted_with="user:2")
    change(house, ada, deleted_at=now)
    name = kept(house, engine, shelf)
    then = everything(house)
    after(31, monkeypatch)

    purged = empty_trash(house, term(30, returns(engine, 30)))

    assert dict(purged) == {"users": 1, "tasks": 2, "files": 1}
    require_settled(house, engine)
    assert contents.missing(house, ["user:2", "credential:2", "file:1"]) == {
        "user:2",
        "credential:2",
        "file:1",
    }
    go_back(house, engine, shelf, name)
    assert everything(house) == then
    require_settled(house, engine)
    back = contents.present(house, USER, [2])[0]
    assert change(house, back, deleted_at=None).username == "ada"
    require_settled(house, engine)


def test_only_what_a_restore_brought_has_its_time_again(
    house: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    stays, goes = trashed(house, 2)
    name = kept(house, engine, shelf)
    change(house, contents.present(house, TASK, [stays])[0], deleted_at=None)
    after(29, monkeypatch)
    go_back(house, engine, shelf, name)
    after(2, monkeypatch)

    found = returns(engine, 30)

    assert [(each.above, each.at > clock.ago(3)) for each in found] == [(2 * state.EPOCH_SPAN, True)]
    assert empty_trash(house, term(30, found))["tasks"] == 2
    assert house.redis.exists(keys.trashed("task", stays))
    assert not house.redis.exists(keys.trashed("task", goes))
    assert returns(engine, 1) == []


def test_what_was_purged_stays_so_when_redis_is_lost(
    house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    numbers = trashed(house, 3)
    after(31, monkeypatch)
    empty_trash(house, term(30))
    drain(house, engine, 5)
    forget_everything(house)
    admit(house, engine)
    require_settled(house, engine)
    assert contents.present(house, TASK, numbers) == [None, None, None]


def test_the_clean_up_is_noted_for_the_status(
    house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    ground = Ground(settings, house, engine, connect(settings.broker_url or ""))
    trashed(house, 3)
    after(31, monkeypatch)
    assert cleanups.last(house) == {}
    seen: list[float] = []
    assert clean(ground, "trash", dry_run=True) == {"tasks": 4}
    assert cleanups.last(house) == {}
    assert clean(ground, "trash", progress=seen.append) == {"tasks": 4}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    last = cleanups.last(house)["trash"]
    assert last["removed"] == 4
    assert last["at"] > clock.ago(0.1)
    house.redis.hset("sync", "last_sync", "t")
    assert set(cleanups.last(house)) == {"trash"}
