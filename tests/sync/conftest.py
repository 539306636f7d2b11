"""Both real stores, empty and not yet admitted, and ways to fill and to compare them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from redis import Redis
from sqlalchemy import text
from structlog.testing import capture_logs

from taskapi import cli
from taskapi.config import Settings, load_settings
from taskapi.db.engine import Engine, connect, transaction
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential, File, Group, Record, Task, User
from taskapi.embedded.servers import Servers
from taskapi.extensions import db
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store import client, jobs, staging
from taskapi.store.client import Store
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
from taskapi.sync.uploads import collect_orphans
from tests.conftest import product_environment
from tests.db.minimal import minimal_app

OWNER = Claim(1)
NO_TIME = -60.0
"""Whatever was kept or purged until now counts as long ago."""

Collect = Callable[..., int]
Run = Callable[..., Result]
REFUSES_EVIL = """
CREATE FUNCTION refuse_evil_title() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.title = 'evil' THEN RAISE EXCEPTION 'no evil'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse_evil_title BEFORE INSERT OR UPDATE ON tasks
FOR EACH ROW EXECUTE FUNCTION refuse_evil_title();
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the empty database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(servers: Servers, redis_data: Redis) -> Iterator[Store]:
    """A store on the empty Redis, not admitted."""
    store = client.connect(servers.urls["redis"])
    yield store
    store.redis.close()


@pytest.fixture
def settings(servers: Servers) -> Settings:
    """Those of a program of the product on these servers."""
    return load_settings(product_environment(servers), None)


@pytest.fixture
def run(
    store: Store, settings: Settings, database_url: str, servers: Servers, redis_broker: Redis
) -> Iterator[Run]:
    """Runs one command."""
    app = minimal_app(database_url, SETTINGS=settings)
    app.extensions["taskapi.store"] = store
    app.extensions["taskapi.jobs"] = broker = jobs.connect(servers.urls["broker"])
    cli.register(app)
    with capture_logs():
        yield lambda *words: app.test_cli_runner().invoke(args=words)
    broker.redis.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf in a folder."""
    return open_shelf(str(tmp_path / "backups"))


@pytest.fixture
def beside(store: Store) -> Iterator[Redis]:
    """The database in which a restore builds."""
    with staging.beside(store) as place:
        yield place.redis


@pytest.fixture
def opened(store: Store, engine: Engine) -> Store:
    """A store that was admitted for the first time, with user 1."""
    admit(store, engine)
    create_with_id(store, User(full_name="Ada", created_at=timestamp(), updated_at=timestamp()), 1)
    return store


@pytest.fixture
def picky(engine: Engine) -> Iterator[Engine]:
    """The engine on a PostgreSQL that takes no task with the title `evil`."""
    with transaction(engine) as connection:
        connection.execute(text(REFUSES_EVIL))
    yield engine
    take_all(engine)


def take_all(engine: Engine) -> None:
    """From now on it takes any title."""
    with transaction(engine) as connection:
        connection.execute(text("DROP FUNCTION IF EXISTS refuse_evil_title CASCADE"))


@pytest.fixture
def house(opened: Store, engine: Engine) -> Store:
    """Group 1; users 1, and 2 in it; tasks 1 (old), 2 (trashed), 3 (of user 2), 4 (purged); all carried."""
    now = timestamp()
    create(opened, Group(name="Team", created_at=now, updated_at=now))
    ada = User(full_name="Ada", username="ada", group_ids=(1,), created_at=now, updated_at=now)
    login = Change(None, Credential(password_hash="x", updated_at=now), "created", SAME_ID)
    save(opened, Claim(1), [Change(None, ada, "created"), login])
    new_task(opened, title="old", tags=("a",))
    change(opened, new_task(opened), deleted_at=now)
    new_task(opened, title="team", user_id=2, group_id=1, deadline="2026-01-01", estimate_hours=1.5)
    purge(opened, new_task(opened))
    drain(opened, engine, 5)
    assert compare(opened, engine).is_equal
    return opened


def create(store: Store, record: Record) -> Any:
    """The record as it was stored."""
    return save(store, Claim(1), [Change(None, record, "created")]).first.record


def create_with_id(store: Store, record: Record, record_id: int) -> Any:
    """The same under an id that is known before."""
    return save(store, Claim(1), [Change(None, record, "created", str(record_id))]).first.record


def new_task(store: Store, **values: Any) -> Task:
    """A task of user 1."""
    fields = {"title": "t", "user_id": 1, "created_at": timestamp(), "updated_at": timestamp()} | values
    return create(store, Task(**fields))


def new_file(store: Store, task_id: int, **values: Any) -> File:
    """A file of that task, sent by user 1."""
    known = {"filename": "a.txt", "content_type": "text/plain", "size": 1, "sha256": "0" * 64}
    fields = {"task_id": task_id, "user_id": 1, "created_at": timestamp()} | known | values
    return create(store, File(**fields))


def many_tasks(store: Store, count: int, **values: Any) -> list[Task]:
    """Tasks of user 1, twenty in a save."""
    fields = {"title": "t", "user_id": 1, "created_at": timestamp(), "updated_at": timestamp()} | values
    made: list[Task] = []
    while len(made) < count:
        changes = [Change(None, Task(**fields), "created") for _ in range(min(20, count - len(made)))]
        made += [stored.record for stored in save(store, Claim(1), changes).stored]
    return made


def changed_tasks(store: Store, tasks: list[Task], **values: Any) -> list[Task]:
    """The tasks with other values, twenty in a save."""
    made: list[Task] = []
    for start in range(0, len(tasks), 20):
        changes = [Change(task, task.changed(**values), "changed") for task in tasks[start : start + 20]]
        made += [stored.record for stored in save(store, Claim(1), changes).stored]
    return made


def change(store: Store, was: Record, **values: Any) -> Any:
    """The record with other values."""
    return save(store, Claim(1), [Change(was, was.changed(**values), "changed")]).first.record


def purge(store: Store, was: Record) -> None:
    """Takes the record away for good."""
    save(store, Claim(1), [Change(was, None, "purged")])


class Crash(BaseException):
    """A process that dies: nothing may catch it."""


def crash() -> None:
    raise Crash


def restart(store: Store) -> None:
    """Makes this Redis look like another server process: nobody has admitted it, and no script is known."""
    store.redis.hset("meta", "run", "0" * 40)
    store.redis.script_flush()


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """The calls of a function from now on."""
    calls: list[Any] = []
    real: Callable[..., Any] = getattr(owner, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)
    return calls


def snapshot(store: Store) -> dict[bytes, bytes]:
    """The whole of Redis, to be turned back to."""
    return {name: store.redis.dump(name) for name in store.redis.keys("*")}


def turn_back(store: Store, dumped: dict[bytes, bytes]) -> None:
    """Redis came back with an older disk, in another server process."""
    store.redis.flushall()
    for name, value in dumped.items():
        store.redis.restore(name, 0, value)
    restart(store)


@pytest.fixture
def attic(tmp_path: Path) -> Shelf:
    """The shelf of the uploads."""
    return open_shelf(str(tmp_path / "uploads"))


@pytest.fixture
def collect(opened: Store, engine: Engine, attic: Shelf, shelf: Shelf) -> Collect:
    """Collects what was not needed a moment ago; how many."""
    drain(opened, engine, 5)

    def collect(seconds: float = NO_TIME, **options: bool) -> int:
        return collect_orphans(opened, engine, attic, shelf, seconds, **options)

    return collect
