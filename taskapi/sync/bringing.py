"""A backup from somewhere else, such as another machine, put on this installation's shelf."""

import shutil
from pathlib import Path

from taskapi.outside.shelf import Shelf
from taskapi.sync.archive import open_whole
from taskapi.sync.keeping import file_of, forgive


def bring(shelf: Shelf, path: Path) -> str:
    """Copies the file of a backup to the shelf; returns the backup's id.

    It takes the place of one of that id that is there: every byte of this one is as it was written. Raises
    Broken if not, Unavailable, Full, OSError.
    """
    with path.open("rb") as file:
        backup_id = open_whole(file).manifest.about.id
        with shelf.draft() as draft:
            file.seek(0)
            with draft.open("wb") as copy:
                shutil.copyfileobj(file, copy)
            shelf.put(file_of(backup_id), draft)
    forgive(shelf, backup_id)
    return backup_id
