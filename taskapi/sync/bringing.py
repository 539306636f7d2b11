"""A backup's file from elsewhere, such as another machine: looked at where it lies, or put on the shelf."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from taskapi.domain.errors import Unavailable
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.sync.archive import open_whole
from taskapi.sync.errors import Broken
from taskapi.sync.keeping import file_of, forgive


def id_of(path: Path) -> str:
    """The id of the backup in that file, whatever its name; every byte of it is as it was written.

    Raises Broken if not, Unavailable.
    """
    with _opened(path) as file:
        return _id_in(path, file)


def bring(shelf: Shelf, path: Path) -> str:
    """Copies the file of a backup to the shelf; returns the backup's id.

    It takes the place of one of that id that is there: every byte of this one is as it was written. Raises
    Broken if not, Unavailable, Full.
    """
    with _opened(path) as file:
        backup_id = _id_in(path, file)
        with shelf.draft() as draft:
            file.seek(0)
            with draft.open("wb") as copy:
                shutil.copyfileobj(file, copy)
            shelf.put(file_of(backup_id), draft)
    forgive(shelf, backup_id)
    return backup_id


@contextmanager
def apart(path: Path) -> Iterator[tuple[Shelf, str]]:
    """A shelf with nothing but that file, where it lies, and the id that it has there.

    Raises Broken, Unavailable.
    """
    backup_id = id_of(path)
    with TemporaryDirectory(prefix="taskapi-") as folder:
        (Path(folder) / file_of(backup_id)).symlink_to(path.resolve())
        yield open_shelf(folder), backup_id


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as fault:
        raise Unavailable(f"The file {path} cannot be read: {fault.strerror}.") from fault
    with file:
        yield file


def _id_in(path: Path, file: BinaryIO) -> str:
    try:
        return open_whole(file).manifest.about.id
    except Broken as broken:
        raise Broken(f"{path} is no whole backup: {broken}") from broken
