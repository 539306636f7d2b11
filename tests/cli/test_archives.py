"""`flask backup | backups | verify | restore | undo`."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from taskapi.db.engine import connect as connect_postgres
from taskapi.domain import failpoints
from taskapi.services.owner import ensure_owner
from taskapi.store import checks
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from tests.cli.conftest import Run
from tests.store.conftest import Maker


@pytest.fixture
def shelf(app: Flask, store: Store, database_url: str, tmp_path: Path) -> Iterator[Path]:
    """The folder of backups of an app on both stores, which has one task."""
    store.redis.flushdb()
    engine = connect_postgres(database_url)
    admit(store, engine)
    ensure_owner(store, "admin@example.org", "owner-password")
    folder = tmp_path / "backups"
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], backup_url=folder.as_uri(), backup_keep=3)
    Maker(store).task()
    yield folder
    engine.dispose()


def tasks(store: Store) -> int:
    """How many there are."""
    return checks.record_counts(store)["tasks"]


def newest(shelf: Path) -> str:
    """The name of the last backup."""
    return max(path.stem for path in shelf.glob("*.taskapi"))


def test_a_backup_is_made_listed_and_proved(run: Run, shelf: Path) -> None:
    assert run("backups").output == "There is no backup yet: make one with `flask backup`.\n"
    assert run("verify").exit_code == 1
    made = run("backup")
    assert made.exit_code == 0, made.output
    assert f"{newest(shelf)}  good  " in made.output
    assert "1 task" in made.output
    assert run("backups").output == made.output
    assert run("verify").output == made.output
    assert run("verify", newest(shelf)).exit_code == 0


def test_a_backup_tells_which_others_went_for_it(run: Run, shelf: Path) -> None:
    run("backup")
    first = newest(shelf)
    assert "Deleted" not in run("backup").output + run("backup").output
    assert f"Deleted, as there are newer ones (BACKUP_KEEP): {first}\n" in run("backup").output


def test_a_backup_that_was_tampered_with_is_broken(run: Run, shelf: Path) -> None:
    run("backup")
    file = shelf / f"{newest(shelf)}.taskapi"
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    done = run("verify")
    assert done.exit_code == 1
    assert "not as it was written" in done.stderr
    assert "BROKEN" in run("backups").output


def test_the_way_back_and_the_way_forth(run: Run, shelf: Path, store: Store) -> None:
    run("backup")
    backup = newest(shelf)
    Maker(store).task()
    assert "removed tasks 1" in run("restore", backup, "--dry-run").output
    assert run("restore", backup, typed="n\n").exit_code == 1
    assert tasks(store) == 2

    back = run("restore", backup, "--yes")
    assert back.exit_code == 0, back.output
    assert tasks(store) == 1
    assert run("undo", typed="y\n").exit_code == 0
    assert tasks(store) == 2


def test_without_a_name_redis_is_filled_anew_and_keeps_what_postgresql_lacks(
    run: Run, shelf: Path, store: Store
) -> None:
    done = run("restore")
    assert done.exit_code == 0, done.output
    assert tasks(store) == 1
    assert run("undo", "--yes").stderr == "There is no restore to take back: none has replaced anything.\n"


@pytest.mark.parametrize(
    ("line", "said", "left"),
    [
        ("freezing.claimed", "Interrupted. Nothing was changed.\n", 2),
        ("turning.written", "Interrupted. Nothing was changed.\n", 2),
        ("turning.committed", "Interrupted. This restore may be decided all the same", 1),
    ],
)
def test_an_interrupt_says_what_became_of_it(
    run: Run, shelf: Path, store: Store, line: str, said: str, left: int
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    run("backup")
    backup = newest(shelf)
    Maker(store).task()
    with failpoints.armed(line, interrupt):
        done = run("restore", backup, "--yes")
    assert (done.exit_code, said in done.stderr) == (130, True)
    run("sync")
    assert tasks(store) == left
    assert len(list(shelf.glob("*.taskapi"))) == 3 - left


def test_what_is_not_there_is_told_before_anything_is_asked(run: Run, shelf: Path, tmp_path: Path) -> None:
    for name, said in {
        "nonsense": "There is no backup nonsense.",
        "": "Name a backup, or a file: `flask backups` lists them.",
        str(tmp_path): f"{tmp_path} is a folder: name a file in it.",
        f"{tmp_path}/nothing.taskapi": f"There is no file {tmp_path}/nothing.taskapi.",
        "20260102T030405Z-00000abc.taskapi": "There is no backup 20260102T030405Z-00000abc.",
    }.items():
        for words in (("restore", name), ("restore", name, "--dry-run"), ("verify", name)):
            done = run(*words)
            assert (done.exit_code, done.output) == (1, f"{said}\n")


def test_what_postgresql_lacks_is_discarded_if_that_is_confirmed(run: Run, shelf: Path, store: Store) -> None:
    run("sync")
    Maker(store).task()
    count, version = (
        store.redis.zcard("dirty"),
        int(store.redis.zrange("dirty", -1, -1, withscores=True)[0][1]),
    )
    assert f"count {count}, up to {version}" in run("restore", "--dry-run").output
    assert run("restore", "--confirm", "7", "--yes").exit_code == 2
    done = run("restore", "--confirm", str(count), "--up-to", str(version), "--yes")
    assert done.exit_code == 0, done.output
    assert tasks(store) == 1


def test_discarding_is_not_for_a_backup(run: Run, shelf: Path) -> None:
    assert "without a NAME" in run("restore", "x", "--confirm", "1", "--up-to", "2", "--yes").stderr


@pytest.mark.parametrize("name", ["{id}.taskapi", "mine", "{id} (1).taskapi"])
def test_a_file_from_elsewhere_is_brought_to_the_others_whatever_its_name(
    run: Run, shelf: Path, store: Store, tmp_path: Path, name: str
) -> None:
    run("backup")
    backup = newest(shelf)
    file = tmp_path / name.format(id=backup)
    shutil.move(shelf / f"{backup}.taskapi", file)
    Maker(store).task()
    dry = run("restore", str(file), "--dry-run")
    assert (dry.exit_code, "removed tasks 1" in dry.output) == (0, True), dry.output
    assert run("backups").output.startswith("There is no backup yet")
    done = run("restore", str(file), "--yes")
    assert done.exit_code == 0, done.output
    assert tasks(store) == 1
    assert run("undo", "--yes").exit_code == 0
    assert tasks(store) == 2
    assert run("restore", f"{backup}.taskapi", "--dry-run").exit_code == 0


def test_a_broken_or_unreadable_file_is_named_before_anything_is_asked(
    run: Run, shelf: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine"
    file.write_bytes(b"x" * 100)
    for words in (("restore", str(file)), ("restore", str(file), "--dry-run"), ("verify", str(file))):
        told = f"{file} is no whole backup: A byte of it is not as it was written, or is missing.\n"
        assert run(*words).output == told


def test_what_lies_there_under_another_name_is_mentioned(run: Run, shelf: Path) -> None:
    run("backup")
    backup = newest(shelf)
    shutil.move(shelf / f"{backup}.taskapi", shelf / "my-copy.taskapi")
    told = "Not listed, as they have other names: my-copy.taskapi. `flask verify FILE` takes one in.\n"
    assert run("backups").output == told
    assert run("verify", str(shelf / "my-copy.taskapi")).exit_code == 0
    assert run("backups").output.startswith(f"{backup}  good")
