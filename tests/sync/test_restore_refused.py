"""Restores that are refused, or overtaken: nothing has happened then."""

import pytest
from redis import Redis

from taskapi.db import locks
from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, Full, Unavailable
from taskapi.outside.shelf import Shelf
from taskapi.store import client, contents, dirty, keys, quarantine, staging, state, unsynced
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.quarantine import Refusal
from taskapi.store.staging import Room
from taskapi.sync import publishing, rebuilding
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, undo
from taskapi.sync.restoring import Discard, plan, rebuild
from tests.sync.conftest import change, new_task, purge, restart, take_all
from tests.sync.refusing import NO_PURGES, PURGES
from tests.sync.test_admission import require_settled, tasks_in
from tests.sync.test_flush import run_sql, titles


def require_untouched(store: Store, engine: Engine) -> None:
    """Redis is open in its first epoch, and takes writes."""
    found = state.look(store)
    assert (found.is_ready, found.epoch, found.restorer) == (True, 1, "")
    new_task(store)
    require_settled(store, engine)


def test_a_database_of_others_is_left_alone(opened: Store, engine: Engine, shelf: Shelf, beside: Redis):
    beside.set("theirs", "x")

    with pytest.raises(Conflict, match=r"Database 1 .* not taskapi's"):
        rebuild(opened, engine, shelf)

    assert beside.get("theirs") == b"x"
    require_untouched(opened, engine)
    assert rebuild(opened, engine, shelf, offline=True)["offline"]
    assert beside.get("theirs") == b"x"
    require_settled(opened, engine)


def test_a_database_that_others_take_at_the_last_moment_is_left_alone(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis
):
    with (
        failpoints.armed("freezing.frozen", lambda: beside.set("theirs", "x")),
        pytest.raises(Conflict, match="not taskapi's"),
    ):
        rebuild(opened, engine, shelf)
    assert beside.get("theirs") == b"x"
    require_untouched(opened, engine)


def test_a_server_without_a_database_beside_is_told_so(opened: Store):
    options = opened.redis.connection_pool.connection_kwargs
    last = int(opened.redis.config_get("databases")["databases"]) - 1
    address = f"redis://:{options['password']}@{options['host']}:{options['port']}/{last}"
    store = client.connect(address)
    with pytest.raises(Conflict, match=f"no database {last + 1}"):
        staging.require_place(store)
    assert not staging.drop(store, "nobody")
    store.redis.close()


def test_a_key_that_nobody_knows_is_not_lost(opened: Store, engine: Engine, shelf: Shelf):
    opened.redis.set("strange:1", "x")
    with pytest.raises(Conflict, match="strange:1"):
        rebuild(opened, engine, shelf)
    opened.redis.delete("strange:1")
    require_untouched(opened, engine)


def test_without_room_it_says_how_much_there_is(
    opened: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staging, "room", lambda _: Room(600, 1000))
    with pytest.raises(Full, match="600 bytes and may use 1000"):
        rebuild(opened, engine, shelf)
    assert plan(opened, engine)["room"] == {"used": 600, "limit": 1000, "suffices": False}
    require_untouched(opened, engine)
    assert rebuild(opened, engine, shelf, offline=True)["offline"]
    require_settled(opened, engine)


def test_room_that_runs_out_on_the_way_is_made_by_closing(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis, monkeypatch: pytest.MonkeyPatch
):
    task = new_task(opened)

    def full(*_: object) -> int:
        monkeypatch.undo()
        raise Full("no room")

    monkeypatch.setattr(rebuilding, "fill", full)
    assert rebuild(opened, engine, shelf)["offline"]
    assert (tasks_in(opened), beside.dbsize()) == ({task.id: "t"}, 0)
    require_settled(opened, engine)


def test_the_servers_own_room_is_told(opened: Store):
    opened.redis.config_set("maxmemory", 500_000_000)
    assert staging.room(opened).limit == 500_000_000
    opened.redis.config_set("maxmemory", 0)
    assert staging.room(opened).limit > 500_000_000
    assert staging.room(opened).suffices


def test_a_redis_that_is_not_open_is_not_frozen(opened: Store, engine: Engine, shelf: Shelf):
    with (
        failpoints.armed("freezing.locked", lambda: state.close(opened)),
        pytest.raises(Unavailable, match="not open"),
    ):
        rebuild(opened, engine, shelf)
    admit(opened, engine)
    require_settled(opened, engine)


def test_only_one_restore_goes_on_at_a_time(opened: Store, engine: Engine, shelf: Shelf):
    with locks.held_alone(engine), pytest.raises(Unavailable), locks.held_alone(engine, patient=False):
        pytest.fail("two held the lock")
    assert not state.thaw(opened, "nobody")
    require_untouched(opened, engine)


@pytest.mark.parametrize("line", ["publishing.built", "publishing.taken"])
def test_an_overtaken_restore_stops_and_the_next_admission_ends_it(
    opened: Store, engine: Engine, shelf: Shelf, line: str
):
    task = new_task(opened)

    def overtake() -> None:
        opened.redis.hset("meta", "restorer", "another")

    with failpoints.armed(line, overtake), pytest.raises(Unavailable, match="overtaken"):
        rebuild(opened, engine, shelf)

    admit(opened, engine)
    assert tasks_in(opened) == {task.id: "t"}
    require_settled(opened, engine)


def test_nothing_is_placed_by_who_was_overtaken(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened)
    drain(opened, engine, 5)
    assert state.freeze(opened, "mine")
    assert state.freeze(opened, "mine")
    staging.claim(opened, "mine")
    opened.redis.hset("meta", "restorer", "another")
    with staging.beside(opened) as place, engine.connect() as connection:
        with pytest.raises(Unavailable, match="overtaken"):
            rebuilding.fill(place, connection)
        with pytest.raises(Unavailable, match="overtaken"):
            quarantine.put_back(place, [Refusal("task", task.id, task.version, "evil", timestamp(), b"")])
        assert place.redis.keys("task:*") == []
    with pytest.raises(Unavailable, match="overtaken"):
        staging.claim(opened, "mine")
    with pytest.raises(Unavailable, match="overtaken"):
        staging.wipe(opened, "mine")
    assert staging.drop(opened, "mine")
    assert state.thaw(opened, "another")
    assert tasks_in(opened) == {task.id: "t"}


def test_a_redis_that_restarts_on_the_way_is_not_swapped(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened)
    with (
        failpoints.armed("publishing.taken", lambda: restart(opened)),
        pytest.raises(Unavailable, match="overtaken"),
    ):
        rebuild(opened, engine, shelf)
    with pytest.raises(Unavailable):
        new_task(opened)
    admit(opened, engine)
    assert tasks_in(opened) == {task.id: "t"}
    require_settled(opened, engine)


def test_what_is_discarded_is_archived_and_can_be_had_again(opened: Store, picky: Engine, shelf: Shelf):
    carried = new_task(opened, title="carried")
    drain(opened, picky, 5)
    worse = change(opened, carried, title="evil")
    fresh = new_task(opened, title="evil")
    drain(opened, picky, 5)
    planned = plan(opened, picky)
    kept = new_task(opened, title="kept")

    assert planned["unsynced"] == {
        "count": 2,
        "up_to": fresh.version,
        "records": [
            {"record": f"task:{worse.id}", "version": worse.version},
            {"record": f"task:{fresh.id}", "version": fresh.version},
        ],
    }
    with pytest.raises(Conflict, match="confirm=2"):
        rebuild(opened, picky, shelf, discard=Discard(3, fresh.version))
    report = rebuild(opened, picky, shelf, discard=Discard(2, fresh.version))

    assert tasks_in(opened) == {carried.id: "carried", kept.id: "kept"}
    assert report["records"]["changed"] == report["records"]["removed"] == {"tasks": 1}
    require_settled(opened, picky)
    assert titles(picky) == tasks_in(opened)
    undo(opened, picky, shelf)
    assert tasks_in(opened) == {carried.id: "evil", fresh.id: "evil", kept.id: "kept"}
    take_all(picky)
    dirty.rearm(opened)
    require_settled(opened, picky)


def test_what_waits_is_known_by_name_and_version(opened: Store, engine: Engine):
    task = new_task(opened)
    purged = new_task(opened)
    purge(opened, purged)
    known = unsynced.versions(opened)
    assert set(known) == {"user:1", f"task:{task.id}", f"task:{purged.id}"}
    assert unsynced.marks(opened, [], known) == []
    assert [bool(mark.blob) for mark in unsynced.marks(opened, sorted(known), known)] == [True] * 3
    assert contents.present(opened, TASK, [task.id])[0].version == known[f"task:{task.id}"]


def test_every_family_of_keys_is_known(opened: Store):
    assert {keys.fate_of(name.decode()) for name in opened.redis.keys("*")} <= set(keys.Fate)
    assert keys.fate_of("strange:1") is None
    assert publishing.BEGINNING < publishing.GOING_BACK < publishing.STAYING


def test_a_tombstone_that_postgresql_refuses_is_set_apart(opened: Store, engine: Engine, shelf: Shelf):
    name = back_up(opened, engine, shelf).id
    extra = new_task(opened, title="extra")
    drain(opened, engine, 5)
    run_sql(engine, NO_PURGES)
    try:
        go_back(opened, engine, shelf, name)
        assert tasks_in(opened) == {}
        assert list(dirty.backlog(opened).quarantined) == [f"task:{extra.id}"]
    finally:
        run_sql(engine, PURGES)
    dirty.rearm(opened)
    require_settled(opened, engine)
    assert titles(engine) == {}
