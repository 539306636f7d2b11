"""A loss stays on record; somebody may say to know of it; and what was not lost is not told as lost."""

from dataclasses import replace

import pytest

from taskapi.db.engine import Engine
from taskapi.store import dirty, syncs
from taskapi.store.client import Store
from taskapi.store.syncs import Loss
from taskapi.sync import losses
from taskapi.sync.admission import admit
from taskapi.sync.catching_up import catch_up
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import new_task, restart, snapshot, turn_back
from tests.sync.test_admission import forget_everything, restart_cleanly
from tests.sync.test_flush import run_sql
from tests.sync.told import ranges

BEFORE = Loss("redis", 5, 9, at="2026-01-01T00:00:00.000Z")
LATER = Loss("redis", 20, None, at="2026-01-02T00:00:00.000Z")
HEALED = Loss("postgresql", 7, 8, healed=True, at="2026-01-03T00:00:00.000Z")


class TestSeen:
    def test_what_is_seen_is_not_open_any_more_and_stays(self, opened: Store, engine: Engine):
        syncs.record_losses(opened, [BEFORE, LATER, HEALED])
        assert losses.every(opened, engine) == [BEFORE, LATER, HEALED]

        losses.see(opened, engine, [BEFORE])

        found = losses.every(opened, engine)
        assert found == [replace(BEFORE, seen=True), LATER, HEALED]
        assert [loss.is_open for loss in found] == [False, True, False]

    def test_one_that_turns_out_to_be_wider_is_news_again(self, opened: Store, engine: Engine):
        syncs.record_losses(opened, [BEFORE])
        losses.see(opened, engine, [BEFORE])
        wider = replace(BEFORE, up_to=12)
        syncs.record_losses(opened, [wider])
        assert losses.every(opened, engine) == [wider]

        catch_up(opened, engine, 5)

        assert losses.every(opened, engine) == [wider]
        losses.see(opened, engine, [BEFORE])
        catch_up(opened, engine, 5)
        assert losses.every(opened, engine) == [wider]

    def test_it_outlives_redis(self, opened: Store, engine: Engine):
        syncs.record_losses(opened, [BEFORE])
        losses.see(opened, engine, [BEFORE])
        drain(opened, engine, 5)
        forget_everything(opened)
        assert losses.every(opened, engine) == [replace(BEFORE, seen=True)]

        admit(opened, engine)

        assert replace(BEFORE, seen=True) in losses.every(opened, engine)

    def test_the_doctor_names_what_is_open_until_it_is_seen(self, run, opened: Store):
        assert run("losses").output == "Nothing was ever found lost.\n"
        assert "none was ever found" in run("doctor").output
        syncs.record_losses(opened, [BEFORE, HEALED])
        assert "Acknowledged writes are lost: versions 6 to 9. `flask losses` tells" in run("doctor").output
        lines = [f"{BEFORE.at}  OPEN    {BEFORE.sentence}", f"{HEALED.at}  healed  {HEALED.sentence}"]
        assert run("losses").output.splitlines() == lines

        lines[0] = lines[0].replace("OPEN", "seen")
        assert run("losses", "--seen").output.splitlines() == lines
        assert "2 on record, none open" in run("doctor").output


class TestAfterACleanStop:
    def test_an_older_redis_has_lost_nothing(self, opened: Store, engine: Engine):
        drain(opened, engine, 5)
        old_disk = snapshot(opened)
        new_task(opened)
        close(opened, engine)
        turn_back(opened, old_disk)

        verdict = admit(opened, engine)

        assert (verdict.finding, verdict.placed, verdict.losses) == (Finding.STALE, 1, ())

    def test_an_older_redis_has_lost_what_was_left_to_carry(
        self, opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ):
        drain(opened, engine, 5)
        old_disk = snapshot(opened)
        new_task(opened)
        drain(opened, engine, 5)
        last = new_task(opened).version
        monkeypatch.setattr("taskapi.sync.closing.drain", lambda *_: None)
        close(opened, engine)
        turn_back(opened, old_disk)

        assert admit(opened, engine).finding is Finding.STALE

        assert ranges(opened) == [("redis", last - 1, None)]

    def test_an_empty_one_has_lost_nothing_though_nothing_was_written_in_its_last_epoch(
        self, opened: Store, engine: Engine
    ):
        new_task(opened)
        drain(opened, engine, 5)
        restart(opened)
        assert admit(opened, engine).finding is Finding.UNCLEAN
        close(opened, engine)
        forget_everything(opened)

        verdict = admit(opened, engine)

        assert (verdict.finding, verdict.losses) == (Finding.EMPTY, ())

    def test_a_stop_that_was_noted_without_saying_so_is_judged_by_its_version(
        self, opened: Store, engine: Engine
    ):
        new_task(opened)
        close(opened, engine)
        run_sql(engine, "UPDATE meta SET closed = closed - 'whole'")
        restart_cleanly(opened)
        assert admit(opened, engine).finding is Finding.CLEAN
        close(opened, engine)
        run_sql(engine, "UPDATE meta SET closed = closed - 'whole'")
        forget_everything(opened)

        assert admit(opened, engine).losses == ()
        assert dirty.count(opened) == 0
