"""A client that repeats a write after Redis was lost gets its answer, and no second record."""

from dataclasses import replace

import pytest

from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import ago, timestamp
from taskapi.domain.errors import Conflict, KeyReused
from taskapi.domain.records import Credential, Task, User
from taskapi.store import contents, operations, records, state
from taskapi.store.client import Store
from taskapi.store.operations import Done
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.records import Saved, save
from taskapi.sync import recalling
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import Crash, change, crash, new_task, purge, snapshot, turn_back
from tests.sync.test_admission import forget_everything, require_settled
from tests.sync.test_flush import run_sql


def named(name: str, fingerprint: str = "f" * 64) -> Claim:
    return Claim(1, operation=Operation(name, fingerprint))


def task(title: str = "t") -> Change:
    now = timestamp()
    return Change(None, Task(title=title, user_id=1, created_at=now, updated_at=now), "created")


def lost(store: Store, engine: Engine) -> None:
    """Everything was carried, and then Redis lost its disk."""
    drain(store, engine, 5)
    forget_everything(store)
    assert admit(store, engine).finding is Finding.EMPTY


def require_the_same(again: Saved, first: Saved) -> None:
    assert again.again
    assert (again.names, again.versions) == (first.names, first.versions)


def test_a_write_that_was_carried_is_not_done_twice(opened: Store, engine: Engine):
    first = save(opened, named("a"), [task("named")])
    lost(opened, engine)

    again = save(opened, named("a"), [task("named")])

    require_the_same(again, first)
    assert again.first.record == first.first.record
    assert len(list(contents.stored_records(opened))) == 2  # user 1 and the task
    require_settled(opened, engine)


def test_another_request_under_its_name_is_refused_still(opened: Store, engine: Engine):
    save(opened, named("a"), [task()])
    lost(opened, engine)

    with pytest.raises(KeyReused):
        save(opened, named("a", "0" * 64), [task("other")])


def test_another_caller_may_use_the_same_name(opened: Store, engine: Engine):
    save(opened, named("a"), [task()])
    lost(opened, engine)

    assert not save(opened, replace(named("a"), user_id=2), [task()]).again


def test_a_write_of_many_records_gives_one_answer(opened: Store, engine: Engine):
    now = timestamp()
    user = Change(None, User(full_name="Bob", created_at=now, updated_at=now), "created")
    credential = Change(None, Credential(password_hash="x", updated_at=now), "created", SAME_ID)
    first = save(opened, named("a"), [user, credential])
    many = save(opened, named("b"), [task() for _ in range(30)])
    lost(opened, engine)

    require_the_same(save(opened, named("a"), [user, credential]), first)
    require_the_same(save(opened, named("b"), [task() for _ in range(30)]), many)


def test_many_of_them_come_back_in_parts(opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recalling, "CHUNK", 3)
    done = {f"{number}": save(opened, named(f"{number}"), [task(), task()]) for number in range(10)}
    new_task(opened)
    lost(opened, engine)

    for name, first in done.items():
        require_the_same(save(opened, named(name), [task(), task()]), first)


def test_a_record_that_has_changed_since_is_shown_as_it_is(opened: Store, engine: Engine):
    first = save(opened, named("a"), [task()])
    changed = change(opened, first.first.record, title="changed")
    lost(opened, engine)

    again = save(opened, named("a"), [task()])

    require_the_same(again, first)
    assert again.first.record == changed


def test_of_a_record_that_is_gone_only_the_name_is_told(opened: Store, engine: Engine):
    first = save(opened, named("a"), [task()])
    purge(opened, first.first.record)
    lost(opened, engine)

    again = save(opened, named("a"), [task()])

    require_the_same(again, first)
    with pytest.raises(Conflict, match=first.names[0]):
        _ = again.first


def test_an_older_redis_keeps_the_answers_that_it_has(opened: Store, engine: Engine):
    early = save(opened, named("early"), [task("early")])
    old_disk = snapshot(opened)
    late = save(opened, named("late"), [task("late")])
    change(opened, early.first.record, title="changed")
    drain(opened, engine, 5)
    turn_back(opened, old_disk)
    assert admit(opened, engine).finding is Finding.STALE

    again = save(opened, named("early"), [task("early")])
    require_the_same(again, early)
    assert again.first.record.title == "early"
    require_the_same(save(opened, named("late"), [task("late")]), late)


def test_a_write_that_is_lost_may_be_done_again(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    save(opened, named("a"), [task()])
    forget_everything(opened)
    admit(opened, engine)

    assert not save(opened, named("a"), [task()]).again


def test_what_is_older_than_a_day_is_forgotten(opened: Store, engine: Engine):
    save(opened, named("a"), [task()])
    save(opened, named("b"), [task()])
    drain(opened, engine, 5)
    run_sql(engine, "UPDATE change SET at = at - interval '1 day' WHERE version % 2 = 0")
    forget_everything(opened)
    admit(opened, engine)

    keys = opened.redis.keys("op:*")
    assert len(keys) == 1
    assert 0 < opened.redis.pttl(keys[0]) <= records.KEPT_LIFE_MS
    assert operations.put_back(opened, [Done("op:x y", ago(days=1.1), (("task", 1, 1),))]) == 0


def test_what_was_not_named_has_no_fingerprint_and_does_not_come_back(opened: Store, engine: Engine):
    new_task(opened)
    save(opened, named("a"), [task()])
    drain(opened, engine, 5)
    run_sql(engine, "UPDATE change SET operation = split_part(operation, ' ', 1)")  # as it once was
    forget_everything(opened)

    admit(opened, engine)

    assert opened.redis.keys("op:*") == []


def test_nothing_is_put_into_an_open_redis(opened: Store):
    done = Done("op:x y", timestamp(), (("task", 1, 1),))
    assert operations.put_back(opened, [done]) == 0
    state.close(opened)
    assert operations.put_back(opened, [done]) == 1
    assert opened.redis.get("op:x") == b"y\ntask 1 1"


@pytest.mark.parametrize("line", ["recalling.put_back", "admission.recalled", "admission.committed"])
def test_killed_on_the_way_the_next_admission_brings_them_all(
    opened: Store, engine: Engine, line: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recalling, "CHUNK", 2)
    done = {f"{number}": save(opened, named(f"{number}"), [task()]) for number in range(5)}
    drain(opened, engine, 5)
    forget_everything(opened)
    for _ in range(2):
        with failpoints.armed(line, crash), pytest.raises(Crash):
            admit(opened, engine)

    admit(opened, engine)

    for name, first in done.items():
        require_the_same(save(opened, named(name), [task()]), first)


def test_they_are_found_by_an_index(opened: Store, engine: Engine):
    with transaction(engine) as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT operation FROM change WHERE change.at > now() AND operation LIKE 'op:%% %%'"
            " ORDER BY change.at, version"
        ).scalars()
        told = "\n".join(plan)
    assert "ix_change_at_named" in told
    assert "Sort" not in told
