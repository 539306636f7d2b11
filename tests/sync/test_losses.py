"""What was acknowledged and is gone: found, told, and written down as exactly as anybody knows it."""

import threading

import pytest
from structlog.testing import capture_logs

from taskapi.db.engine import Engine, transaction
from taskapi.db.rows import versions_above
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Group
from taskapi.embedded.servers import Servers
from taskapi.store import client, reading, state, syncs
from taskapi.store.client import Store
from taskapi.store.reading import Question
from taskapi.store.state import EPOCH_SPAN
from taskapi.store.syncs import Loss
from taskapi.store.witness import Witness
from taskapi.sync import catching_up
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import change, create, many_tasks, new_task, restart, snapshot, turn_back
from tests.sync.test_admission import forget_everything
from tests.sync.test_flush import run_sql


def ranges(store: Store) -> list[tuple[str, int, int | None]]:
    return [(loss.store, loss.above, loss.up_to) for loss in syncs.losses_of(store)]


def criticals(logs: list[dict]) -> list[str]:
    return [line["event"] for line in logs if line["log_level"] == "critical"]


class TestWhatIsWrittenDown:
    def test_of_two_ranges_that_begin_alike_the_wider_one_stays(self, opened: Store):
        for up_to in (9, 12, 10):
            syncs.record_losses(opened, [Loss("redis", 5, up_to)])

        assert ranges(opened) == [("redis", 5, 12)]

    def test_an_end_that_nobody_knew_becomes_exact_by_who_knows_it(self, opened: Store):
        syncs.record_losses(opened, [Loss("redis", 5, None)])
        opened.redis.hset("recovered", 2, 5)
        opened.witness.saw([EPOCH_SPAN + 9])
        opened.witness.doubt()
        opened.redis.hset("meta", "epoch", 2)

        syncs.heed(opened)

        assert ranges(opened) == [("redis", 5, EPOCH_SPAN + 9)]

    def test_an_end_that_is_not_known_any_more_says_so(self, opened: Store):
        syncs.record_losses(opened, [Loss("redis", 5, 9), Loss("redis", 5, None)])

        assert ranges(opened) == [("redis", 5, None)]

    def test_a_range_is_healed_only_if_all_of_it_is(self, opened: Store):
        syncs.record_losses(opened, [Loss("redis", 5, 9, healed=True), Loss("redis", 7, 8, healed=True)])
        syncs.record_losses(opened, [Loss("redis", 5, 8, healed=False), Loss("redis", 7, 9, healed=True)])

        assert [(loss.above, loss.up_to, loss.healed) for loss in syncs.losses_of(opened)] == [
            (5, 9, False),
            (7, 9, True),
        ]

    def test_it_keeps_when_it_was_found_first(self, opened: Store):
        syncs.record_losses(opened, [Loss("redis", 5, 9, at="2026-01-01T00:00:00.000Z")])
        syncs.record_losses(opened, [Loss("redis", 5, 11)])

        assert [loss.at for loss in syncs.losses_of(opened)] == ["2026-01-01T00:00:00.000Z"]

    def test_the_last_hundred_are_kept(self, opened: Store):
        moments = [f"2026-01-01T00:00:00.{number:03}Z" for number in range(103)]
        syncs.record_losses(
            opened, [Loss("redis", 200 - number, None, at=at) for number, at in enumerate(moments)]
        )

        assert [loss.at for loss in syncs.losses_of(opened)] == moments[3:]

    @pytest.mark.parametrize(
        ("loss", "sentence"),
        [
            (Loss("redis", 5, 9), "Acknowledged writes are lost: versions 6 to 9."),
            (
                Loss("redis", 5, None),
                "Acknowledged writes are lost: versions after 5, nobody knows yet how many.",
            ),
            (Loss("postgresql", 5, 5), "PostgreSQL came back without what Redis has: some version up to 5."),
        ],
    )
    def test_it_is_told_in_a_sentence(self, loss: Loss, sentence: str):
        assert loss.sentence == sentence

    def test_it_is_an_alert(self, opened: Store):
        with capture_logs() as logs:
            syncs.record_losses(opened, [Loss("redis", 5, 9)])
            syncs.record_losses(opened, [Loss("redis", 5, 9)])

        assert criticals(logs) == ["Acknowledged writes are lost: versions 6 to 9."]

    def test_it_outlives_a_redis_that_is_lost_again(self, opened: Store, engine: Engine):
        new_task(opened)
        catching_up.catch_up(opened, engine, 5)
        syncs.record_losses(opened, [Loss("redis", 5, 9), Loss("journal", 5, None)])
        catching_up.catch_up(opened, engine, 5)
        syncs.record_losses(opened, [Loss("redis", 5, 11)])
        catching_up.catch_up(opened, engine, 5)
        before = syncs.losses_of(opened)
        forget_everything(opened)

        verdict = admit(opened, engine)

        assert len(before) == 2
        assert syncs.losses_of(opened) == [*before, *verdict.losses]


class TestAnAdmission:
    def test_that_lost_something_is_an_alert_with_the_range(self, opened: Store, engine: Engine):
        last = new_task(opened).version
        drain(opened, engine, 5)
        forget_everything(opened)

        with capture_logs() as logs:
            admit(opened, engine)

        first, second = criticals(logs)
        assert first == f"Acknowledged writes are lost: versions after {last}, nobody knows yet how many."
        assert second == "admitted"

    def test_tells_records_that_were_ahead_of_the_journal_from_what_is_lost(
        self, opened: Store, engine: Engine
    ):
        tasks = many_tasks(opened, 3)
        drain(opened, engine, 5)
        whole = tasks[-1].version
        new_task(opened), new_task(opened)
        ahead = [change(opened, task, title="changed") for task in tasks]
        drain(opened, engine, 5)
        run_sql(engine, f"DELETE FROM change WHERE version > {whole}; DELETE FROM tasks WHERE id > 3")
        forget_everything(opened)

        admit(opened, engine)

        assert ranges(opened) == [
            ("redis", whole, ahead[0].version - 1),
            ("redis", ahead[-1].version, None),
        ]
        assert state.recovered(opened)[2] == ahead[-1].version

    def test_names_so_many_of_those_and_the_last(self, opened: Store, engine: Engine):
        tasks = many_tasks(opened, 5)
        drain(opened, engine, 5)

        with transaction(engine) as connection:
            found = versions_above(connection, tasks[0].version, 2)
            none = versions_above(connection, tasks[-1].version, 2)

        assert found == [tasks[1].version, tasks[2].version, tasks[4].version]
        assert none == []

    def test_of_an_older_redis_without_anything_newer_in_postgresql_lost_nothing(
        self, opened: Store, engine: Engine
    ):
        drain(opened, engine, 5)
        new_task(opened)
        run_sql(engine, "UPDATE meta SET epoch = 7")
        restart(opened)

        verdict = admit(opened, engine)

        assert (verdict.finding, verdict.losses) == (Finding.STALE, ())

    def test_of_a_journal_that_goes_on_in_another_epoch_misses_nothing(self, opened: Store, engine: Engine):
        drain(opened, engine, 5)
        restart(opened)
        admit(opened, engine)
        last = new_task(opened).version
        run_sql(engine, "UPDATE meta SET commits = 0")
        drain_refused(opened, engine)
        opened.redis.xtrim("journal", minid=f"{last}-0", approximate=False)

        admit(opened, engine, suspect=True)

        assert {loss.store for loss in syncs.losses_of(opened)} == {"postgresql"}


def drain_refused(store: Store, engine: Engine) -> None:
    with pytest.raises(Unavailable):
        drain(store, engine, 5)


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
