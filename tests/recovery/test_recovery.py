"""docs/RECOVERY.md: each disaster is made to happen, then its commands are run as they are written."""

import re
from collections.abc import Callable
from functools import cache

import pytest
from sqlalchemy import text

from taskapi.db.engine import transaction
from taskapi.outside.shelf import open_shelf
from taskapi.store import contents, scrub, state, syncs
from taskapi.store.kinds import TASK
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.going_back import go_back
from tests.conftest import ROOT
from tests.recovery.conftest import KEPT, LATER, Installation
from tests.store.conftest import Maker
from tests.sync.conftest import REFUSES_EVIL, take_all

Disaster = Callable[[Installation], None]
WITHOUT_COMMANDS = {"A process was killed", "The owner's password is forgotten"}


@cache
def sections() -> dict[str, str]:
    """The commands of each section."""
    parts = re.split(r"^## (.+)\n", (ROOT / "docs" / "RECOVERY.md").read_text(), flags=re.MULTILINE)[1:]
    blocks = (re.findall(r"```sh\n(.*?)```", each, re.DOTALL) for each in parts[1::2])
    return dict(zip(parts[0::2], map("".join, blocks), strict=True))


def restart_redis(installation: Installation) -> None:
    installation.write(LATER)
    installation.servers.kill("redis")
    installation.servers.start("redis")


def lose_redis(installation: Installation) -> None:
    installation.write("never carried")
    installation.lose("redis")


def turn_redis_back(installation: Installation) -> None:
    aside = installation.put_aside("redis")
    admit(installation.store, installation.engine)
    installation.write(LATER)
    installation.carry()
    installation.put_back("redis", aside)


def spoil_redis(installation: Installation) -> None:
    installation.store.redis.hincrby("counts:all", "0:2", 5)
    installation.store.redis.delete("tasks:all:0:2")
    installation.write(LATER)


def break_a_record(installation: Installation) -> None:
    installation.write(LATER)
    installation.carry()
    installation.store.redis.set("task:2", "broken")
    installation.names |= {"KIND": "task", "ID": "2"}


def stop_postgres(installation: Installation) -> None:
    installation.servers.stop("postgres")
    installation.write(LATER)
    installation.servers.start("postgres")
    installation.engine.dispose()


def turn_postgres_back(installation: Installation) -> None:
    aside = installation.put_aside("postgres")
    installation.write(LATER)
    installation.carry()
    installation.put_back("postgres", aside)


def lose_postgres(installation: Installation) -> None:
    installation.write(LATER)
    installation.lose("postgres")


def lose_both(installation: Installation) -> None:
    installation.back_up()
    installation.write("after the backup")
    installation.lose("redis")
    installation.lose("postgres")


def delete_by_mistake(installation: Installation) -> None:
    installation.back_up()
    installation.write("in the way")
    Maker(installation.store).purged(contents.present(installation.store, TASK, [1])[0])
    assert installation.titles() == ["in the way"]


def restore_by_mistake(installation: Installation) -> None:
    installation.back_up()
    installation.write(LATER)
    shelf = open_shelf(installation.backups.as_uri())
    go_back(installation.store, installation.engine, shelf, installation.names["BACKUP"])
    assert installation.titles() == [KEPT]


def write_what_is_refused(installation: Installation) -> None:
    with transaction(installation.engine) as connection:
        connection.execute(text(REFUSES_EVIL))
    task = installation.write("evil")
    installation.carry()
    installation.names |= {"KIND": "task", "ID": str(task.id)}
    take_all(installation.engine)


def break_a_backup(installation: Installation) -> None:
    installation.back_up()
    file = installation.backups / f"{installation.names['BACKUP']}.taskapi"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


DISASTERS: dict[str, tuple[Disaster, list[str]]] = {
    "Redis was restarted": (restart_redis, [KEPT, LATER]),
    "Redis's disk is gone": (lose_redis, [KEPT]),
    "An older Redis came back": (turn_redis_back, [KEPT, LATER]),
    "Redis shows wrong lists or counts": (spoil_redis, [KEPT, LATER]),
    "A record in Redis is broken": (break_a_record, [KEPT, LATER]),
    "PostgreSQL is away": (stop_postgres, [KEPT, LATER]),
    "PostgreSQL was put back": (turn_postgres_back, [KEPT, LATER]),
    "PostgreSQL's disk is gone": (lose_postgres, [KEPT, LATER]),
    "Both are gone": (lose_both, [KEPT]),
    "Something was deleted by mistake": (delete_by_mistake, [KEPT]),
    "A restore was a mistake": (restore_by_mistake, [KEPT, LATER]),
    "PostgreSQL refuses a record": (write_what_is_refused, ["evil", KEPT]),
    "A backup is broken": (break_a_backup, [KEPT]),
}
"""By heading: what happens, and the titles of the tasks that must be there in the end."""

ONLY_LOOKING = {"Redis or a disk is nearly full"}


def test_every_disaster_of_the_document_is_tried() -> None:
    assert set(sections()) == set(DISASTERS) | ONLY_LOOKING | WITHOUT_COMMANDS


@pytest.mark.parametrize("heading", DISASTERS)
def test_the_commands_of_a_disaster_end_it(heading: str, installation: Installation) -> None:
    strike, titles = DISASTERS[heading]
    strike(installation)
    installation.done(sections()[heading])
    assert state.look(installation.store).is_ready
    assert installation.titles() == titles
    found = compare(installation.store, installation.engine)
    assert (found.is_equal, found.is_sound, found.waiting) == (True, True, [])
    assert scrub.differences(installation.store) == []


def test_a_loss_is_told_and_nothing_else_is(installation: Installation) -> None:
    lost = installation.write("never carried").version
    kept = installation.write(KEPT)
    installation.lose("redis")
    admit(installation.store, installation.engine)
    [loss] = syncs.history(installation.store).losses
    assert loss["above"] < lost
    again = installation.write(LATER)
    assert (again.id > kept.id, again.version > kept.version) == (True, True)
