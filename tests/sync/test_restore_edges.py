"""Restores at their edges: what comes in between, and what would be left unsound."""

from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, Unavailable
from taskapi.domain.records import Group, User
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf
from taskapi.store import staging, state
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.backup import backups
from taskapi.sync.flush import drain
from taskapi.sync.freezing import DECIDED
from taskapi.sync.going_back import go_back, undo
from taskapi.sync.restoring import Discard, rebuild
from tests.sync.conftest import Crash, change, crash, create, new_file, new_task
from tests.sync.test_admission import require_settled, tasks_in
from tests.sync.test_going_back import kept
from tests.sync.test_other_installation import begin_anew


def user(store: Store, **values: Any) -> User:
    fields = {"full_name": "Bob", "created_at": timestamp(), "updated_at": timestamp()} | values
    return create(store, User(**fields))


@pytest.mark.parametrize(
    "line", ["freezing.frozen", "freezing.claimed", "freezing.carried", "turning.merged"]
)
def test_who_interrupts_a_restore_leaves_redis_open(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis, line: str
):
    def interrupt() -> None:
        raise KeyboardInterrupt

    with failpoints.armed(line, interrupt), pytest.raises(KeyboardInterrupt):
        rebuild(opened, engine, shelf)

    assert (state.look(opened).is_ready, beside.dbsize()) == (True, 0)
    new_task(opened)
    require_settled(opened, engine)


def test_what_others_put_beside_on_the_way_stays_theirs(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis
):
    task = new_task(opened)
    with failpoints.armed("publishing.built", lambda: beside.lpush("celery", "message")):
        assert rebuild(opened, engine, shelf)["offline"]

    assert (opened.redis.exists("celery"), beside.keys()) == (0, [b"celery"])
    assert tasks_in(opened) == {task.id: "t"}
    assert not staging.drop(opened, "nobody")
    require_settled(opened, engine)


def test_what_others_put_beside_a_restore_that_died_stays_theirs(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis
):
    with failpoints.armed("publishing.taken", crash), pytest.raises(Crash):
        rebuild(opened, engine, shelf)
    beside.lpush("celery", "message")

    admit(opened, engine)

    assert beside.keys() == [b"celery"]
    require_settled(opened, engine)


def test_a_user_is_not_discarded_from_under_their_tasks(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 5)
    bob = user(opened)
    task = new_task(opened, user_id=bob.id)

    with pytest.raises(Conflict, match=f"task:{task.id} would be left without user:{bob.id}"):
        rebuild(opened, engine, shelf, discard=Discard(1, bob.version))

    assert backups(shelf) == []
    assert state.look(opened).epoch == 1
    assert rebuild(opened, engine, shelf, discard=Discard(2, task.version))["archive"]
    assert tasks_in(opened) == {}
    require_settled(opened, engine)


def test_a_task_is_not_discarded_from_under_its_files(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 5)
    task = new_task(opened)
    file = new_file(opened, task.id)

    with pytest.raises(Conflict, match=f"file:1 would be left without task:{task.id}"):
        rebuild(opened, engine, shelf, discard=Discard(1, task.version))

    assert rebuild(opened, engine, shelf, discard=Discard(2, file.version))["archive"]
    assert opened.redis.keys("file*:*") == []


def test_a_group_is_not_discarded_from_under_its_members(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 5)
    team = create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    bob = user(opened, group_ids=(team.id,))
    with pytest.raises(Conflict, match=f"user:{bob.id} would be left without group:{team.id}"):
        rebuild(opened, engine, shelf, discard=Discard(1, team.version))
    require_settled(opened, engine)


def test_a_name_that_somebody_has_taken_is_not_given_back(opened: Store, engine: Engine, shelf: Shelf):
    bob = user(opened, username="bob")
    drain(opened, engine, 5)
    renamed = change(opened, bob, username="robert")
    eve = user(opened, username="Bob")

    with pytest.raises(Conflict, match=f"user:{bob.id} and user:{eve.id} would have one username"):
        rebuild(opened, engine, shelf, discard=Discard(1, renamed.version))

    require_settled(opened, engine)


def test_a_new_installation_that_was_rebuilt_is_a_new_one_still(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened, title="from there")
    name = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    rebuild(opened, engine, shelf)
    go_back(opened, engine, shelf, name)
    assert tasks_in(opened) == {task.id: "from there"}


def test_a_restore_that_is_refused_leaves_no_archive_behind(opened: Store, engine: Engine, shelf: Shelf):
    name = kept(opened, engine, shelf)

    def refuse() -> None:
        raise Unavailable("refused")

    with failpoints.armed("turning.merged", refuse), pytest.raises(Unavailable, match="refused"):
        go_back(opened, engine, shelf, name)
    with failpoints.armed("turning.merged", refuse), pytest.raises(Unavailable, match="refused"):
        rebuild(opened, engine, shelf)
    with pytest.raises(Conflict, match="no restore to take back"):
        undo(opened, engine, shelf)

    assert [each.id for each in backups(shelf)] == [name]


def test_who_interrupts_a_restore_that_is_decided_is_told_so(opened: Store, engine: Engine, shelf: Shelf):
    name = kept(opened, engine, shelf)
    new_task(opened, title="extra")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with (
        failpoints.armed("turning.committed", interrupt),
        pytest.raises(KeyboardInterrupt),
        capture_logs() as logs,
    ):
        go_back(opened, engine, shelf, name)

    assert DECIDED in [line.get("told") for line in logs]
    admit(opened, engine)
    assert tasks_in(opened) == {}
    require_settled(opened, engine)


@pytest.mark.parametrize("line", ["freezing.frozen", "going_back.archived", "turning.merged"])
def test_postgresql_that_dies_before_the_point_of_no_return_leaves_redis_open(
    opened: Store, engine: Engine, shelf: Shelf, servers: Servers, line: str
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    try:
        with failpoints.armed(line, lambda: servers.stop("postgres")), pytest.raises(PostgresAway):
            go_back(opened, engine, shelf, name)
        new_task(opened, title="written without it")
    finally:
        servers.start("postgres")
    assert set(tasks_in(opened).values()) == {"now", "written without it"}
    require_settled(opened, engine)


def test_postgresql_that_dies_after_it_is_told_of_as_such(
    opened: Store, engine: Engine, shelf: Shelf, servers: Servers
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    try:
        with (
            failpoints.armed("turning.committed", lambda: servers.stop("postgres")),
            pytest.raises(Unavailable, match=DECIDED),
        ):
            go_back(opened, engine, shelf, name)
    finally:
        servers.start("postgres")
    admit(opened, engine)
    assert tasks_in(opened) == {task.id: "then"}
    require_settled(opened, engine)
