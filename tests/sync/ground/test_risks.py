"""Every setting with which Redis may lose what it acknowledged is found; production opens no such Redis."""

from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from taskapi.config import load_settings
from taskapi.db.engine import Engine
from taskapi.diagnosis import Line, checkup
from taskapi.domain.errors import Unavailable
from taskapi.embedded.servers import Servers
from taskapi.store import client, jobs, safety, watch
from taskapi.store.client import Store
from taskapi.sync import ground
from taskapi.sync.admission import admit
from taskapi.sync.judging import Finding
from tests.conftest import product_environment
from tests.embedded.conftest import wait_for
from tests.sync.ground.conftest import named

BAD = {
    "appendonly": "no",
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "yes",
    "maxmemory-policy": "allkeys-lru",
}
ADDRESS = "redis://127.0.0.1:1/0"


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


class TestDoctor:
    def lines(self, servers: Servers, store: Store, engine: Engine, **given: str) -> dict[str, Line]:
        settings = load_settings(product_environment(servers) | given, None)
        broker = jobs.connect(servers.urls["broker"])
        found = checkup(settings, store, broker, engine)
        broker.redis.close()
        return {line.subject: line for line in found}

    def test_it_tells_how_much_room_there_is(self, opened: Store, engine: Engine, servers: Servers):
        line = self.lines(servers, opened, engine)["ground"]
        assert line.is_well
        assert "% of what it may; free on the disk of: redis " in line.finding

    def test_it_says_what_to_do_without_room(
        self, opened: Store, engine: Engine, servers: Servers, configured: Any
    ):
        configured(maxmemory=1)
        line = self.lines(servers, opened, engine)["ground"]
        assert (line.is_well, "give Redis more memory" in line.finding) == (False, True)

    def test_durability_of_postgresql_makes_up_for_what_redis_may_lose_but_not_for_eviction(
        self, opened: Store, engine: Engine, servers: Servers, configured: Any
    ):
        configured(appendfsync="everysec", maxmemory_policy="allkeys-lru")
        lines = self.lines(servers, opened, engine, DURABILITY="postgres")
        assert (lines["redis"].is_well, lines["ground"].is_well) == (True, False)
        assert lines["ground"].finding == "set maxmemory-policy noeviction (it is allkeys-lru)."
        assert not self.lines(servers, opened, engine)["redis"].is_well


def without_rights(redis: Redis, servers: Servers, right: str) -> Store:
    """The store of a user who may not do that."""
    redis.acl_setuser("managed", enabled=True, passwords=["+secret"], categories=["+@all"], commands=[right])
    address = servers.urls["redis"].rpartition("@")[2]
    return client.connect(f"redis://managed:secret@{address}")
