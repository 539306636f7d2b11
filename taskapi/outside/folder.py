"""A shelf in a folder of this machine, which its owner alone can read."""

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from taskapi.domain.errors import Full, NotFound, Refused, Unavailable
from taskapi.outside.items import DRAFT, Item, checked, is_name

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Folder:
    """Files in a folder, which is made when something is first put there."""

    path: Path
    called: str = ""

    @property
    def shown(self) -> str:
        return self.called or str(self.path)

    @contextmanager
    def draft(self) -> Iterator[Path]:
        with self._faults_named(Unavailable):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=DRAFT, dir=self.path)
            os.close(handle)
            try:
                yield Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    def put(self, name: str, draft: Path) -> None:
        with self._faults_named(Unavailable):
            _sync(draft)
            draft.replace(self.path / checked(name))
            _sync(self.path)

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        with self._faults_named(), (self.path / checked(name)).open("rb") as file:
            yield file

    def end_of(self, name: str, size: int) -> bytes:
        with self.opened(name) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read()

    def items(self) -> list[Item]:
        with self._faults_named():
            if not self.path.exists():
                return []
            with os.scandir(self.path) as entries:
                found = [entry for entry in entries if is_name(entry.name) and entry.is_file()]
            return sorted(filter(None, map(_item, found)), key=lambda item: item.name)

    def delete(self, name: str) -> None:
        with self._faults_named():
            (self.path / checked(name)).unlink(missing_ok=True)
            _sync(self.path)

    def tidy(self, seconds: float) -> int:
        with self._faults_named():
            return tidy(self.path, seconds)

    @contextmanager
    def _faults_named(self, missing: type[Refused] = NotFound) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as fault:
            raise missing(f"There is no such file in {self.shown}.") from fault
        except OSError as fault:
            if fault.errno in _NO_ROOM:
                raise Full(f"There is no room in {self.shown}: {fault.strerror}.") from fault
            raise Unavailable(f"The folder {self.shown} cannot be used: {fault.strerror}.") from fault


def _item(entry: os.DirEntry[str]) -> Item | None:
    try:
        status = entry.stat()
    except FileNotFoundError:
        return None  # deleted meanwhile
    return Item(entry.name, status.st_size, status.st_mtime)


def tidy(folder: Path, seconds: float) -> int:
    """Deletes our own drafts in that folder that are older; returns how many. Raises OSError."""
    done, before = 0, time.time() - seconds
    for path in folder.glob(f"{DRAFT}*"):
        with suppress(FileNotFoundError):  # its owner was faster
            status = path.stat()
            if status.st_mtime < before and status.st_uid == os.geteuid():
                path.unlink()
                done += 1
    return done


def _sync(path: Path) -> None:
    """To the disk: the file, or the names in the folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
