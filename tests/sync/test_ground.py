"""The ground: every setting that can lose what was acknowledged is found; growth ends before room does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from taskapi.db.engine import Engine, connect
from taskapi.domain import clock
from taskapi.domain.errors import Full, Unavailable
from taskapi.domain.records import Group
from taskapi.embedded.servers import Servers
from taskapi.store import checks, client, safety, state, watch
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP
from taskapi.sync import disks, ground
from taskapi.sync.admission import admit
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from taskapi.sync.headroom import headroom
from taskapi.sync.judging import Finding
from tests.embedded.conftest import wait_for
from tests.sync.conftest import change, changed_tasks, create, many_tasks, new_task, purge, restart

BAD = {
    "appendonly": "no",
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "yes",
    "maxmemory-policy": "allkeys-lru",
}
ADDRESS = "redis://127.0.0.1:1/0"


@pytest.fixture
def configured(store: Store) -> Iterator[Any]:
    """Sets settings of the running Redis, and sets them back."""
    was: dict[str, str] = {}

    def configure(**settings: object) -> None:
        for name, value in settings.items():
            name = name.replace("_", "-")
            was.setdefault(name, store.redis.config_get(name)[name])
            store.redis.config_set(name, value)

    yield configure
    for name, value in was.items():
        store.redis.config_set(name, value)
    wait_for(lambda: not store.redis.info("persistence")["aof_rewrite_in_progress"], 10)


@pytest.fixture
def folders(servers: Servers) -> dict[str, Path]:
    """Those of the product on these servers."""
    return {"home": servers.home.path, "backups": servers.home.path / "not" / "made" / "yet"}


@pytest.fixture
def strict(servers: Servers, store: Store) -> Iterator[Store]:
    """The store as production has it."""
    strict = client.connect(servers.urls["redis"], safe_only=True)
    yield strict
    strict.redis.close()


def named(found: ground.Ground) -> set[str]:
    return {flaw.what for flaw in found.flaws}


class TestWhatMayLoseWrites:
    @pytest.mark.parametrize("name", BAD)
    def test_each_bad_setting_is_found_while_the_server_runs(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any, name: str
    ):
        assert ground.check(opened, engine, folders).is_well
        configured(**{name: BAD[name]})

        found = ground.check(opened, engine, folders)

        assert named(found) == {name}
        told = ground.told(watch.kept(opened))
        assert (told["well"], told["at"] is not None) == (False, True)
        assert told["findings"] == [
            {
                "what": name,
                "is": BAD[name],
                "should_be": safety.WANTED[name],
                "do": f"set {name} {safety.WANTED[name]}",
            }
        ]

    @pytest.mark.parametrize("name", BAD)
    def test_where_only_a_safe_redis_will_do_no_other_is_opened(
        self, strict: Store, engine: Engine, configured: Any, name: str
    ):
        configured(**{name: BAD[name]})
        with pytest.raises(Unavailable, match=rf"set {name} .* \(it is {BAD[name]}\).*DURABILITY=postgres"):
            admit(strict, engine)
        assert strict.redis.dbsize() == 0
        configured(**{name: safety.WANTED[name]})
        assert admit(strict, engine).finding is Finding.FIRST

    def test_elsewhere_it_is_opened(self, store: Store, engine: Engine, configured: Any):
        configured(appendfsync="everysec")
        assert admit(store, engine).finding is Finding.FIRST

    def test_one_that_is_open_is_not_asked_again(self, strict: Store, engine: Engine, configured: Any):
        admit(strict, engine)
        configured(appendfsync="everysec")
        assert admit(strict, engine).finding is Finding.READY

    def test_a_redis_that_hides_its_settings_is_not_proved_safe(
        self, strict: Store, engine: Engine, servers: Servers
    ):
        hidden = without_rights(strict.redis, servers, "-config")
        with pytest.raises(Unavailable, match=r"set appendfsync always \(it is unknown\)"):
            safety.require_safe(hidden)
        assert safety.folder(hidden) is None
        hidden.redis.close()

    def test_a_sentinel_that_watches_is_found(self, opened: Store, servers: Servers, engine: Engine):
        with Redis.from_url(servers.urls["redis"]).pubsub() as sentinel:
            sentinel.subscribe(safety.SENTINELS)
            sentinel.get_message(timeout=5)
            assert [flaw.what for flaw in safety.flaws(opened)] == ["replication"]
            deaf = without_rights(opened.redis, servers, "-pubsub")
            assert safety.flaws(deaf) == []
            deaf.redis.close()

    def test_a_replica_is_found_on_either_side(
        self, opened: Store, servers: Servers, redis_broker: Redis, configured: Any
    ):
        configured(repl_diskless_sync_delay=0)
        to = opened.redis.connection_pool.connection_kwargs
        redis_broker.config_set("masterauth", to["password"])
        redis_broker.replicaof(to["host"], to["port"])
        follower = client.connect(servers.urls["broker"])
        try:
            wait_for(lambda: [flaw.what for flaw in safety.flaws(opened)] == ["replication"], 20)
            assert "role" in {flaw.what for flaw in safety.flaws(follower)}
            assert "followed by 1 replicas" in safety.sentence(safety.flaws(opened))
        finally:
            redis_broker.replicaof("NO", "ONE")
            redis_broker.config_set("masterauth", "")
            follower.redis.close()
        wait_for(lambda: safety.flaws(opened) == [], 20)

    def test_a_log_that_cannot_be_written_or_made_short_is_found(
        self, opened: Store, monkeypatch: pytest.MonkeyPatch
    ):
        info = opened.redis.info("everything")
        broken = {"aof_last_write_status": "err", "aof_last_bgrewrite_status": "err", "cluster_enabled": 1}
        monkeypatch.setattr(opened.redis, "info", lambda *sections: info | broken)
        risky = {flaw.what: flaw.is_risk for flaw in safety.flaws(opened)}
        assert risky == {"aof_last_write_status": True, "aof_last_bgrewrite_status": False, "cluster": True}

    def test_where_every_write_waits_for_postgresql_only_eviction_stays_a_flaw(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any
    ):
        configured(appendfsync="everysec", maxmemory_policy="allkeys-lru")
        found = ground.look(opened, engine, folders, covered=True)
        assert named(found) == {"maxmemory-policy"}

    def test_it_is_told_once_when_it_turns_bad_and_once_when_it_is_mended(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any
    ):
        with capture_logs() as logs:
            for _ in range(2):
                ground.check(opened, engine, folders)
            configured(appendfsync="everysec")
            for _ in range(3):
                ground.check(opened, engine, folders)
            configured(appendfsync="always")
            for _ in range(2):
                ground.check(opened, engine, folders)
        assert [line["log_level"] for line in logs] == ["critical", "warning"]
        assert logs[0]["findings"] == "set appendfsync always (it is everysec)"
        assert (logs[1]["mended"], logs[1]["well"]) == ("appendfsync", True)

    def test_a_redis_that_is_nobodys_is_left_as_it_is(
        self, store: Store, engine: Engine, folders: dict[str, Path]
    ):
        assert ground.check(store, engine, folders).is_well
        assert store.redis.dbsize() == 0
        assert ground.told(watch.kept(store)) == {"well": None, "at": None, "findings": []}

    def test_one_that_is_away_cannot_be_checked(self, engine: Engine, folders: dict[str, Path]):
        with pytest.raises(Unavailable):
            ground.check(client.connect(ADDRESS), engine, folders)


class TestMemory:
    def use(self, store: Store, configured: Any, share: float) -> None:
        """Gives Redis so little memory that this share of it is used."""
        configured(maxmemory=int(checks.room(store).used / share))

    def test_before_it_is_full_only_what_makes_room_is_taken(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any
    ):
        going, staying = new_task(opened), new_task(opened)
        self.use(opened, configured, 0.93)

        found = ground.check(opened, engine, folders)

        assert (named(found), found.full) == ({"memory"}, {"memory"})
        for grow in (
            lambda: new_task(opened),
            lambda: change(opened, staying, title="x"),
            lambda: state.reserve(opened, GROUP),
        ):
            with pytest.raises(Full, match=r"running out of memory\. Deleting still works"):
                grow()
        gone = change(opened, going, deleted_at=clock.timestamp())
        with pytest.raises(Full):
            change(opened, gone, deleted_at=None)
        purge(opened, gone)
        assert drain(opened, engine, 5).left == 0

    def test_it_is_well_again_only_when_there_is_room_to_spare(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any
    ):
        for share, full in ((0.87, False), (0.93, True), (0.87, True), (0.75, False)):
            self.use(opened, configured, share)
            assert bool(ground.check(opened, engine, folders).full) is full, share
        new_task(opened)

    def test_without_a_limit_the_machine_is_one(self, opened: Store):
        room = checks.room(opened)
        assert room.limit == opened.redis.info("memory")["total_system_memory"]
        assert 0 < room.rewrite <= room.used

    def test_a_redis_that_tells_no_limit_is_never_full(
        self, opened: Store, engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ):
        silent = opened.redis.info("everything") | {"total_system_memory": 0}
        monkeypatch.setattr(opened.redis, "info", lambda *sections: silent)
        found = ground.look(opened, engine, folders)
        assert (found.room.limit, found.full) == (None, set())
        assert "% of" not in found.sentence
        told = headroom(opened, state.look(opened), watch.kept(opened))
        assert (told["memory_full_at"], told["hours"]["memory"]) == (None, None)

    def test_one_that_is_really_full_is_carried_checked_closed_and_opened(
        self, opened: Store, engine: Engine, folders: dict[str, Path], configured: Any
    ):
        task = new_task(opened)
        configured(maxmemory=1)
        with pytest.raises(Full):
            new_task(opened)
        assert drain(opened, engine, 5).left == 0
        assert ground.check(opened, engine, folders).full == {"memory"}
        configured(maxmemory=0)
        restart(opened)
        configured(maxmemory=1)
        assert admit(opened, engine).finding is Finding.UNCLEAN
        purge(opened, task)
        close(opened, engine)
        assert admit(opened, engine).finding is Finding.CLEAN


class TestDisks:
    def test_every_disk_is_known_where_all_is_on_this_machine(
        self, opened: Store, engine: Engine, folders: dict[str, Path], servers: Servers
    ):
        found = ground.look(opened, engine, folders)
        paths = {name: disk.path for name, disk in found.disks.items() if disk}
        assert paths["postgresql"] == servers.home.path / "postgres" / "18"
        assert paths["redis"] == servers.home.path / "redis"
        assert paths["backups"] == paths["home"] == servers.home.path
        assert "redis unknown" not in found.sentence

    def test_what_is_elsewhere_or_away_is_unknown(self, opened: Store, folders: dict[str, Path]):
        for address in ("127.0.0.1:1", "example.org:1"):
            away = connect(f"postgresql+psycopg2://nobody@{address}/nothing")
            assert disks.look(opened, away, folders)["postgresql"] is None

    def test_redis_on_another_machine_keeps_its_disk_to_itself(
        self, opened: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(opened.redis.connection_pool.connection_kwargs, "host", "redis.example.org")
        assert safety.folder(opened) is None

    def test_a_folder_that_cannot_be_looked_at_is_unknown(
        self, opened: Store, engine: Engine, tmp_path: Path
    ):
        (tmp_path / "file").touch()
        found = disks.look(opened, engine, {"backups": tmp_path / "file" / "below"})
        assert found["backups"] is None

    @pytest.mark.parametrize("name", ["redis", "postgresql"])
    def test_no_more_is_taken_before_the_disk_of_a_store_is_full(
        self,
        opened: Store,
        engine: Engine,
        folders: dict[str, Path],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ):
        real = disks.look(opened, engine, folders)[name]
        assert real
        task = new_task(opened)
        monkeypatch.setattr(disks, "LEAST_FREE", real.size)
        if name == "postgresql":
            monkeypatch.setattr(safety, "LOOPBACK", ())

        found = ground.check(opened, engine, folders)

        assert f"disk of {name}" in named(found)
        assert found.full == {"disk"}
        with pytest.raises(Full, match="running out of disk"):
            new_task(opened)
        purge(opened, task)
        monkeypatch.setattr(disks, "LEAST_FREE", real.free - disks.FREE_AGAIN // 2)
        assert ground.check(opened, engine, folders).full == {"disk"}
        monkeypatch.setattr(disks, "LEAST_FREE", 0)
        assert ground.check(opened, engine, folders).full == set()
        new_task(opened)

    def test_a_full_disk_of_the_backups_alone_stops_nobody(
        self, opened: Store, engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(disks, "LEAST_FREE", 2**60)
        monkeypatch.setattr(disks, "GROWING", ())
        found = ground.look(opened, engine, folders)
        assert ("disk of backups" in named(found), found.full) == (True, set())

    def test_a_disk_that_redis_finds_full_is_told_so(self, opened: Store):
        words = "MISCONF Errors writing to the AOF file: No space left on device"
        with pytest.raises(Full, match="disk"), client.faults_named():
            opened.redis.eval(f"return redis.error_reply('{words}')", 0)


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


def without_rights(redis: Redis, servers: Servers, right: str) -> Store:
    """The store of a user who may not do that."""
    redis.acl_setuser("managed", enabled=True, passwords=["+secret"], categories=["+@all"], commands=[right])
    address = servers.urls["redis"].rpartition("@")[2]
    return client.connect(f"redis://managed:secret@{address}")
