"""A process that acknowledged what Redis came back without tells exactly what is gone."""

import threading

import pytest
from structlog.testing import capture_logs

from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Group
from taskapi.embedded.servers import Servers
from taskapi.store import client, reading, state, syncs
from taskapi.store.client import Store
from taskapi.store.reading import Question
from taskapi.store.state import EPOCH_SPAN
from taskapi.store.witness import Witness
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from tests.sync.conftest import create, new_task, restart, snapshot, turn_back
from tests.sync.test_admission import forget_everything
from tests.sync.told import criticals, ranges


class TestAWitness:
    """A process that has acknowledged what Redis came back without."""

    def lost_tail(self, store: Store, engine: Engine) -> tuple[int, int]:
        """The last version that is left, and the last that was acknowledged."""
        left = new_task(store).version
        old_disk = snapshot(store)
        new_task(store), new_task(store)
        last = new_task(store).version
        turn_back(store, old_disk)
        assert admit(store, engine).losses == ()
        return left, last

    def test_tells_what_it_has_acknowledged_with_its_next_write(self, opened: Store, engine: Engine):
        left, last = self.lost_tail(opened, engine)
        assert ranges(opened) == []

        with capture_logs() as logs:
            new_task(opened)

        assert ranges(opened) == [("redis", left, last)]
        assert criticals(logs) == [f"Acknowledged writes are lost: versions {left + 1} to {last}."]

    def test_tells_it_once(self, opened: Store, engine: Engine):
        self.lost_tail(opened, engine)
        new_task(opened)

        with capture_logs() as logs:
            new_task(opened)

        assert criticals(logs) == []
        assert not opened.witness.must_tell

    def test_that_only_reads_tells_it_over_its_new_connection(
        self, opened: Store, engine: Engine, servers: Servers
    ):
        reader = client.connect(servers.urls["redis"])
        new_task(reader)
        left, last = self.lost_tail(reader, engine)
        reader.lines._mine(0.45).disconnect()

        reading.ask(reader, Claim(0), Question())

        assert ranges(opened) == [("redis", left, last)]
        reader.redis.close()

    def test_makes_the_end_of_an_unknown_range_exact(self, opened: Store, engine: Engine):
        left = new_task(opened).version
        drain(opened, engine, 5)
        last = new_task(opened).version
        forget_everything(opened)
        admit(opened, engine)
        assert ranges(opened) == [("redis", left, None)]

        new_task_of_nobody(opened)

        assert ranges(opened) == [("redis", left, last)]

    def test_that_is_one_of_many_widens_the_range(self, opened: Store, engine: Engine, servers: Servers):
        other = client.connect(servers.urls["redis"])
        left = new_task(opened).version
        drain(opened, engine, 5)
        new_task(opened)
        last = new_task(other).version
        forget_everything(opened)
        admit(opened, engine)

        new_task_of_nobody(opened)
        assert ranges(opened) == [("redis", left, last - 1)]
        new_task_of_nobody(other)

        assert ranges(opened) == [("redis", left, last)]
        other.redis.close()

    def test_tells_nothing_where_nothing_is_lost(self, opened: Store, engine: Engine):
        new_task(opened)
        restart(opened)
        admit(opened, engine)

        with capture_logs() as logs:
            new_task(opened)

        assert (ranges(opened), criticals(logs)) == ([], [])
        assert not opened.witness.must_tell

    def test_remembers_over_several_epochs(self, opened: Store, engine: Engine):
        left, last = self.lost_tail(opened, engine)
        for _ in range(2):
            restart(opened)
            admit(opened, engine)

        new_task(opened)

        assert ranges(opened) == [("redis", left, last)]

    def test_tells_it_again_if_redis_was_away_at_that_moment(
        self, opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ):
        left, last = self.lost_tail(opened, engine)
        real = syncs.run

        def away(store: Store, name: str, *args: object) -> object:
            raise Unavailable("away")

        monkeypatch.setattr(syncs, "run", away)
        with capture_logs() as logs:
            assert new_task(opened).title == "t"
        assert ranges(opened) == []
        assert [line["reason"] for line in logs] == ["away"]

        monkeypatch.setattr(syncs, "run", real)
        new_task(opened)

        assert ranges(opened) == [("redis", left, last)]

    def test_waits_while_redis_is_not_open(self, opened: Store, engine: Engine):
        left, last = self.lost_tail(opened, engine)
        opened.witness.doubt()
        state.close(opened)
        syncs.heed(opened)
        assert ranges(opened) == []
        admit(opened, engine)

        syncs.heed(opened)

        assert ranges(opened) == [("redis", left, last)]

    def test_that_has_written_nothing_asks_nothing(self, opened: Store):
        witness = Witness()
        witness.doubt()
        assert not witness.must_tell

    def test_asks_redis_nothing_more_for_a_write_in_the_same_epoch(self, opened: Store):
        new_task(opened)
        opened.redis.config_resetstat()
        for _ in range(10):
            new_task(opened)
        calls = opened.redis.info("commandstats")
        assert calls["cmdstat_evalsha"]["calls"] == 10

    def test_that_hears_late_of_an_older_write_tells_that_too(self):
        witness = Witness()
        witness.saw([EPOCH_SPAN + 5])
        witness.saw([2 * EPOCH_SPAN + 1])
        known = witness.known()
        witness.saw([EPOCH_SPAN + 9, EPOCH_SPAN + 7])

        witness.forget(known, 2)
        assert witness.known() == {1: EPOCH_SPAN + 9, 2: 2 * EPOCH_SPAN + 1}
        witness.forget(witness.known(), 2)
        witness.forget(known, 2)

        assert witness.known() == {2: 2 * EPOCH_SPAN + 1}

    def test_hears_every_thread(self):
        witness = Witness()
        numbers = range(EPOCH_SPAN, EPOCH_SPAN + 20_000)
        threads = [
            threading.Thread(target=lambda part=part: [witness.saw([each]) for each in numbers[part::4]])
            for part in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert witness.known() == {1: numbers[-1]}


def new_task_of_nobody(store: Store) -> None:
    """A write that needs nothing of what was there before."""
    create(store, Group(name=timestamp(), created_at=timestamp(), updated_at=timestamp()))
