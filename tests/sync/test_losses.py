"""What was acknowledged and is gone: found, told, and written down as exactly as anybody knows it."""

import pytest
from structlog.testing import capture_logs

from taskapi.db.engine import Engine, transaction
from taskapi.db.rows import versions_above
from taskapi.domain.errors import Unavailable
from taskapi.store import state, syncs
from taskapi.store.client import Store
from taskapi.store.state import EPOCH_SPAN
from taskapi.store.syncs import Loss
from taskapi.sync import catching_up
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import change, many_tasks, new_task, restart
from tests.sync.test_admission import forget_everything
from tests.sync.test_flush import run_sql
from tests.sync.told import criticals, ranges


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
