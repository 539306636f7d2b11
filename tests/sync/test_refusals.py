"""Records and entries that PostgreSQL refuses, and times when it is not the one that it was."""

import traceback

import pytest
from sqlalchemy import text

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.store import contents, dirty, state, syncs
from taskapi.store.client import Store
from taskapi.sync import carrying
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import compare
from taskapi.sync.errors import EpochMoved, JournalRefused, PostgresWentBack
from taskapi.sync.flush import drain, flush_batch
from tests.sync.conftest import change, new_task
from tests.sync.test_flush import NO_TRIGGER, TRIGGER, require_equal, run_sql, titles


def test_one_refused_record_is_set_apart_and_blocks_no_other(opened: Store, engine: Engine):
    run_sql(engine, TRIGGER)
    tasks = [new_task(opened, title="evil" if number == 13 else "good") for number in range(30)]

    done = drain(opened, engine, 5)

    assert (done.refused, done.left, done.rows["task"]) == (1, 0, 29)
    apart = dirty.backlog(opened).quarantined
    assert list(apart) == ["task:14"]
    assert "no evil" in apart["task:14"]["reason"]
    assert compare(opened, engine).waiting == ["task:14"]
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM change")) == 31

    run_sql(engine, NO_TRIGGER)
    assert dirty.rearm(opened) == 1
    drain(opened, engine, 5)
    assert dirty.backlog(opened).quarantined == {}
    assert titles(engine)[tasks[13].id] == "evil"
    require_equal(opened, engine)


def test_a_new_write_of_a_quarantined_record_tries_it_again(opened: Store, engine: Engine):
    task = new_task(opened, completed_at="never")
    drain(opened, engine, 5)
    assert list(dirty.backlog(opened).quarantined) == ["task:1"]

    change(opened, task, completed_at=None)
    drain(opened, engine, 5)

    assert dirty.backlog(opened).quarantined == {}
    require_equal(opened, engine)


def test_a_mark_without_a_record_is_set_apart(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    contents.mark_dirty(opened, {"task:77": 5})

    assert drain(opened, engine, 5).refused == 1
    assert dirty.backlog(opened).quarantined["task:77"]["reason"] == carrying.NOWHERE


def test_a_refused_journal_entry_is_carried_as_text(opened: Store, engine: Engine):
    task = new_task(opened)
    change(opened, task, title="a\x00b")
    change(opened, new_task(opened), title="c")

    done = drain(opened, engine, 5)

    assert (done.entries, done.refused) == (5, 1)
    with transaction(engine) as connection:
        found = connection.execute(
            text("SELECT action, fields->'unreadable'->>1 FROM change ORDER BY version")
        ).all()
    assert [row[0] for row in found] == ["created", "created", "unreadable", "created", "changed"]
    assert "u0000" in found[2][1]
    assert compare(opened, engine).journal == []


def test_a_table_that_takes_no_journal_stops_the_flush_with_a_sentence(opened: Store, engine: Engine):
    new_task(opened, title="a secret")
    run_sql(engine, "ALTER TABLE change ADD CONSTRAINT nothing CHECK (false) NOT VALID")
    try:
        with pytest.raises(JournalRefused, match="refuses the journal") as refusal:
            drain(opened, engine, 5)
    finally:
        run_sql(engine, "ALTER TABLE change DROP CONSTRAINT nothing")

    assert "secret" not in "".join(traceback.format_exception(refusal.value))
    assert dirty.count(opened) == 2
    drain(opened, engine, 5)
    require_equal(opened, engine)


def test_a_newer_epoch_fences_an_older_flusher_off(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    new_task(opened)
    with transaction(engine) as connection:
        meta.admit(connection, state.look(opened).incarnation, 2)

    with pytest.raises(EpochMoved):
        flush_batch(opened, engine)

    assert titles(engine) == {}
    assert dirty.count(opened) == 1


def test_an_admission_during_the_flush_leaves_the_marks(opened: Store, engine: Engine):
    new_task(opened)
    moved = {"epoch": 2}
    with (
        failpoints.armed("flush.committed", lambda: opened.redis.hset("meta", mapping=moved)),
        pytest.raises(EpochMoved),
    ):
        flush_batch(opened, engine)
    assert dirty.count(opened) == 2


def test_a_postgresql_that_went_back_is_an_alert_and_clears_nothing(opened: Store, engine: Engine):
    new_task(opened)
    drain(opened, engine, 5)
    settled = state.look(opened).settled
    run_sql(engine, "DELETE FROM change; DELETE FROM tasks")
    new_task(opened)

    with pytest.raises(PostgresWentBack):
        drain(opened, engine, 5)

    assert dirty.count(opened) == 1
    loss = syncs.history(opened).losses[0]
    assert (loss["store"], loss["up_to"]) == ("postgresql", settled)


def test_a_journal_that_went_back_alone_is_noticed_and_carried_again(opened: Store, engine: Engine):
    for _ in range(3):
        new_task(opened)
    drain(opened, engine, 5)
    run_sql(engine, "DELETE FROM change WHERE version > (SELECT min(version) FROM change)")
    new_task(opened)

    with pytest.raises(PostgresWentBack):
        drain(opened, engine, 5)

    catch_up(opened, engine, 5)
    require_equal(opened, engine)
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM change")) == 5
