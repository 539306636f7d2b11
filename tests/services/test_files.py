"""Files of tasks: whatever dies, no record is without its bytes; races, and rights that end meanwhile."""

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskapi.domain import clock, failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Conflict, Full, KeyReused, NotFound, Unavailable
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services import files, tasks, users
from taskapi.services.files import Sent
from taskapi.store import records, scrub
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import FILE, USER
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim, said
from tests.sync.conftest import Crash, crash


@pytest.fixture
def attic(tmp_path: Path) -> Shelf:
    return open_shelf(str(tmp_path / "uploads"))


def named(user_id: int = ANN, key: str = "k", fingerprint: str = "f") -> Claim:
    return replace(claim(user_id), operation=Operation(key, fingerprint))


def upload(house: House, attic: Shelf, who: Claim, task_id: int, content: bytes = b"hello") -> Any:
    """What is said of a new file."""
    with attic.draft() as draft:
        draft.write_bytes(content)
        sha = hashlib.sha256(content).hexdigest()
        sent = Sent(draft, "a.txt", "text/plain", len(content), sha)
        return said(files.keep_file(house.store, attic, who, task_id, sent))


def names(attic: Shelf) -> list[str]:
    return [item.name for item in attic.items()]


def recorded(store: Store) -> set[str]:
    """The names under which the bytes of all records must lie."""
    found = [Stored(FILE, store.redis.get(key)).record for key in store.redis.keys("file:*")]
    return {files.shelf_name(file) for file in found}


@pytest.mark.parametrize("line", files.LINES)
def test_an_upload_that_dies_leaves_no_record_without_bytes(house: House, attic: Shelf, line: str):
    task = house.task(ANN, 1)
    with failpoints.armed(line, crash), pytest.raises(Crash):
        upload(house, attic, named(), task.id)
    assert recorded(house.store) <= set(names(attic))
    assert not list(Path(attic.shown).glob(".draft-*"))

    made = upload(house, attic, named(), task.id)
    assert len(recorded(house.store)) == 1
    assert recorded(house.store) <= set(names(attic))
    assert upload(house, attic, named(), task.id) == made
    assert scrub.differences(house.store) == []


@pytest.mark.parametrize("line", records.LINES)
@pytest.mark.parametrize("what", ["the file", "its task"])
def test_a_removal_that_dies_is_done_whole_or_not_at_all(house: House, attic: Shelf, line: str, what: str):
    task = house.task(ANN, 1)
    made = [upload(house, attic, claim(ANN), task.id)["id"] for _ in range(3)]

    def remove() -> None:
        if what == "the file":
            files.remove_file(house.store, named(), made[0])
        else:
            tasks.remove_task(house.store, named(), task.id, permanent=True)

    with failpoints.armed(line, crash), pytest.raises(Crash):
        remove()
    assert len(recorded(house.store)) in ((2, 3) if what == "the file" else (0, 3))
    assert recorded(house.store) <= set(names(attic))
    remove()
    assert len(recorded(house.store)) == (2 if what == "the file" else 0)
    assert scrub.differences(house.store) == []


def test_who_loses_the_right_while_they_send_leaves_nothing(house: House, attic: Shelf):
    task = house.task(BOB, 1)

    def demote() -> None:
        house.make.changed(said_user(house, ADMIN), group_ids=())

    with failpoints.armed("uploading.put", demote), pytest.raises(NotFound):
        upload(house, attic, claim(ADMIN), task.id)
    assert (names(attic), recorded(house.store)) == ([], set())


def said_user(house: House, user_id: int) -> Any:
    return Stored(USER, house.store.redis.get(f"user:{user_id}")).record


@pytest.mark.parametrize("how", ["trashed", "purged", "with its user"])
def test_a_task_that_goes_while_a_file_is_sent_gets_none(house: House, attic: Shelf, how: str):
    task = house.task(EVE)

    def remove() -> None:
        if how == "with its user":
            users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), EVE)
        else:
            tasks.remove_task(house.store, claim(OWNER), task.id, permanent=how == "purged")

    with failpoints.armed("uploading.put", remove), pytest.raises(NotFound):
        upload(house, attic, claim(OWNER), task.id)
    assert (names(attic), recorded(house.store)) == ([], set())


def test_many_at_once_all_get_through_up_to_the_last_that_has_room(
    house: House, attic: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(files, "MOST_FILES", 6)
    task = house.task(ANN, 1)
    refused: list[str] = []

    def send() -> None:
        try:
            upload(house, attic, claim(ANN), task.id)
        except Conflict as full:
            refused.append(str(full))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == ["A task may have 6 files at most: delete one first."] * 2
    assert len(names(attic)) == 6
    assert recorded(house.store) == set(names(attic))


def test_two_under_one_key_are_one(house: House, attic: Shelf):
    task = house.task(ANN, 1)
    begun: list[str] = []
    made: list[Any] = []

    def overtake() -> None:
        if not begun:
            begun.append("once")
            made.append(upload(house, attic, named(), task.id))

    with failpoints.armed("uploading.reserved", overtake):
        assert upload(house, attic, named(), task.id) == made[0]
    assert names(attic) == [f"{made[0]['id']}-{made[0]['sha256']}"]


def test_another_request_under_a_key_leaves_nothing(house: House, attic: Shelf):
    task = house.task(ANN, 1)

    def overtake() -> None:
        tasks.finish_task(house.store, named(fingerprint="other"), task.id)

    with failpoints.armed("uploading.put", overtake), pytest.raises(KeyReused):
        upload(house, attic, named(), task.id)
    assert names(attic) == []


def test_who_stood_still_for_hours_writes_no_record(
    house: House, attic: Shelf, monkeypatch: pytest.MonkeyPatch
):
    task = house.task(ANN, 1)
    later = clock.now() + timedelta(hours=2)

    def stand_still() -> None:
        monkeypatch.setattr(clock, "now", lambda: later)

    with failpoints.armed("uploading.put", stand_still), pytest.raises(Conflict, match="stood still"):
        upload(house, attic, claim(ANN), task.id)
    assert (names(attic), recorded(house.store)) == ([], set())


def test_where_nobody_knows_whether_it_was_written_the_bytes_stay(
    house: House, attic: Shelf, monkeypatch: pytest.MonkeyPatch
):
    task = house.task(ANN, 1)

    def away(*_: Any, **__: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(files, "save", away)
    with pytest.raises(Unavailable):
        upload(house, attic, claim(ANN), task.id)
    assert len(names(attic)) == 1


def test_a_shelf_that_fails_twice_hides_no_refusal(house: House, attic: Any, monkeypatch: pytest.MonkeyPatch):
    task = house.task(ANN, 1)

    def full(*_: Any, **__: Any) -> None:
        raise Full("no room")

    def away(*_: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(files, "save", full)
    monkeypatch.setattr(type(attic), "delete", away)
    with pytest.raises(Full):
        upload(house, attic, claim(ANN), task.id)


def test_a_file_is_seen_by_whom_its_task_is(house: House, attic: Shelf):
    task = house.task(BOB, 1)
    file_id = upload(house, attic, claim(ADMIN), task.id)["id"]
    for who in (OWNER, ADMIN, BOB):
        assert files.find_file(house.store, claim(who), file_id).user_id == ADMIN
        assert files.list_files(house.store, claim(who), task.id, Page()).total == 1
    for who in (ANN, EVE):
        for refused in (
            lambda who=who: files.find_file(house.store, claim(who), file_id),
            lambda who=who: files.remove_file(house.store, claim(who), file_id),
            lambda who=who: files.list_files(house.store, claim(who), task.id, Page()),
            lambda who=who: files.require_place(house.store, claim(who), task.id),
            lambda who=who: upload(house, attic, claim(who), task.id),
        ):
            with pytest.raises(NotFound):
                refused()
