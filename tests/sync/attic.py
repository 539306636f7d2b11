"""A shelf of uploads for tests, and what lies on it."""

from taskapi.domain.records import File
from taskapi.outside.shelf import Shelf
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.store.kinds import FILE
from tests.sync.conftest import new_file

SHA = "0" * 64


def keep(attic: Shelf, name: str) -> None:
    with attic.draft() as draft:
        draft.write_bytes(b"x")
        attic.put(name, draft)


def names(attic: Shelf) -> list[str]:
    return [item.name for item in attic.items()]


def uploaded(store: Store, attic: Shelf, task_id: int, **values: str) -> File:
    """A file of that task, with its bytes."""
    file = new_file(store, task_id, **values)
    keep(attic, f"{file.id}-{SHA}")
    return file


def died(store: Store, attic: Shelf) -> str:
    """The bytes of an upload that came no further."""
    name = f"{state.reserve(store, FILE)}-{SHA}"
    keep(attic, name)
    return name
