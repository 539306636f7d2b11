"""A backup from somewhere else, such as another machine, put on this installation's shelf."""

import shutil
from pathlib import Path

from taskapi.outside.shelf import Shelf
from taskapi.sync.archive import open_whole
from taskapi.sync.keeping import backups, file_of


def bring(shelf: Shelf, path: Path) -> str:
    """Copies the file of a backup to the shelf unless it is there; returns the backup's id.

    Raises Broken if a byte of it is not as it was written, Unavailable, Full, OSError.
    """
    with path.open("rb") as file:
        backup_id = open_whole(file).manifest.about.id
        if all(each.id != backup_id for each in backups(shelf)):
            with shelf.draft() as draft:
                file.seek(0)
                with draft.open("wb") as copy:
                    shutil.copyfileobj(file, copy)
                shelf.put(file_of(backup_id), draft)
    return backup_id
