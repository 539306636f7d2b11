"""Growth ends before memory or disk does; what makes room goes on."""

from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine, connect
from taskapi.domain import clock
from taskapi.domain.errors import Full
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
from tests.sync.conftest import change, new_task, purge, restart
from tests.sync.ground.conftest import named


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
