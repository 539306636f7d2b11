"""What PostgreSQL refuses, as the owner sees it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskapi.db.engine import Engine
from taskapi.db.engine import connect as connect_postgres
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential
from taskapi.embedded.servers import Servers
from taskapi.services.owner import ensure_owner
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from tests.api.conftest import OWNER_PASSWORD, Person
from tests.store.conftest import SYSTEM, Maker

BAD = "\x00"


@pytest.fixture
def engine(data: Store, database_url: str) -> Iterator[Engine]:
    """PostgreSQL, to which the open Redis belongs."""
    made = connect_postgres(database_url)
    data.redis.flushdb()
    admit(data, made)
    ensure_owner(data, "admin@gmail.com", OWNER_PASSWORD)
    yield made
    made.dispose()


@pytest.fixture
def refused(data: Store, engine: Engine) -> list[int]:
    """Ids of three tasks of which PostgreSQL has only the state before."""
    make = Maker(data)
    tasks = [make.task(title=f"good {number}") for number in range(3)]
    drain(data, engine, 5)
    for task in tasks:
        make.changed(task, title=BAD)
    drain(data, engine, 5)
    return [task.id for task in tasks]


def test_what_is_refused_is_listed_page_by_page(refused: list[int], owner: Person) -> None:
    first = owner.get("/v1/admin/quarantine?per_page=2").json["data"]
    assert [each["id"] for each in first["quarantine"]] == refused[:2]
    assert (first["count"], first["total"]) == (2, 3)
    told = first["quarantine"][0]
    assert (told["kind"], told["record"]["title"], told["version"]) == (
        "task",
        BAD,
        told["record"]["version"],
    )
    assert "Unicode" in told["reason"]
    rest = owner.get(f"/v1/admin/quarantine?per_page=2&cursor={first['next_cursor']}").json["data"]
    assert ([each["id"] for each in rest["quarantine"]], rest["next_cursor"]) == (refused[2:], None)
    assert owner.get("/admin/quarantine?cursor=nonsense").json["errors"].keys() == {"cursor"}


def test_what_the_document_says_of_it_is_what_it_has(refused: list[int], owner: Person) -> None:
    schemas = owner.get("/openapi.json").json["components"]["schemas"]
    assert set(owner.get("/admin/quarantine").json["data"]["quarantine"][0]) == set(
        schemas["RefusedOut"]["properties"]
    )
    done = owner.post(f"/admin/quarantine/task/{refused[0]}/discard").json["data"]
    assert set(done) == set(schemas["DiscardedOut"]["properties"])


def test_a_password_hash_is_never_shown(data: Store, engine: Engine, owner: Person) -> None:
    user = Maker(data).user()
    hashed = Credential(password_hash=f"$argon2id{BAD}", updated_at=timestamp())
    save(data, SYSTEM, [Change(None, hashed, "created", str(user.id))])
    drain(data, engine, 5)
    [told] = owner.get("/admin/quarantine").json["data"]["quarantine"]
    assert (told["kind"], told["id"]) == ("credential", user.id)
    assert "argon2id" not in owner.get("/admin/quarantine").text


def test_what_nobody_can_read_has_no_record(data: Store, refused: list[int], owner: Person) -> None:
    data.redis.set(f"task:{refused[0]}", b"\xff")
    assert owner.get("/admin/quarantine").json["data"]["quarantine"][0]["record"] is None


def test_one_is_tried_again_once(data: Store, refused: list[int], owner: Person) -> None:
    path, key = f"/admin/quarantine/task/{refused[1]}/retry", {"Idempotency-Key": "again"}
    answer = owner.post(path, headers=key)
    assert answer.json["data"] == {"kind": "task", "id": refused[1], "state": "retried"}
    assert data.redis.zscore("dirty", f"task:{refused[1]}") is not None
    repeated = owner.post(path, headers=key)
    assert (repeated.json, repeated.headers["Idempotency-Replayed"]) == (answer.json, "true")


def test_a_refused_change_is_given_up(refused: list[int], owner: Person) -> None:
    version = owner.get("/admin/quarantine").json["data"]["quarantine"][0]["version"]
    path = f"/admin/quarantine/task/{refused[0]}/discard"
    assert owner.post(path, headers={"If-Match": '"1"'}).status_code == 412
    done = owner.post(path, headers={"If-Match": f'"{version}"'}).json["data"]
    assert (done["state"], done["purged"], done["version"] > version) == ("discarded", False, True)
    assert owner.get(f"/tasks/{refused[0]}").json["data"]["title"] == "good 0"


@pytest.mark.parametrize("path", ["task/99", "nonsense/1", "user/1"])
def test_what_is_not_in_quarantine_is_not_found(engine: Engine, owner: Person, path: str) -> None:
    for action in ("retry", "discard"):
        assert owner.post(f"/admin/quarantine/{path}/{action}").status_code == 404


def test_without_postgresql_nothing_is_given_up(
    servers: Servers, engine: Engine, refused: list[int], owner: Person
) -> None:
    servers.stop("postgres")
    try:
        answer = owner.post(f"/admin/quarantine/task/{refused[0]}/discard")
    finally:
        servers.start("postgres")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert owner.get(f"/tasks/{refused[0]}").json["data"]["title"] == BAD
