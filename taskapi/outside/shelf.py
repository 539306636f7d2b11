"""Where whole files are kept: a folder, or a bucket that speaks S3."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from taskapi.domain.errors import Unavailable
from taskapi.outside.bucket import Bucket
from taskapi.outside.folder import Folder
from taskapi.outside.items import Item


class Shelf(Protocol):
    """Files under names of letters, digits, `.`, `_` and `-`; each is there whole, or not at all.

    Everything raises Full without room, Unavailable when the place cannot be used, and NotFound for
    a name that is not there, each with a sentence and without credentials. No wait is without end.
    """

    @property
    def shown(self) -> str:
        """Its address, for people."""

    def draft(self) -> AbstractContextManager[Path]:
        """An empty local file to write into, for its owner alone; gone after the block unless it was put."""

    def put(self, name: str, draft: Path) -> None:
        """Keeps the content of a draft of this shelf under that name, in the place of what was there."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The file to read and to seek in."""

    def end_of(self, name: str, size: int) -> bytes:
        """The last bytes of it, at most that many."""

    def items(self) -> list[Item]:
        """All that is kept, by name."""

    def delete(self, name: str) -> None:
        """Takes it away, if it is there."""

    def tidy(self, seconds: float) -> int:
        """Deletes drafts that somebody left behind and that are older than that; returns how many."""


def open_shelf(url: str, *, seconds: float | None = None, called: str = "") -> Shelf:
    """The shelf at a folder's path, `file:///FOLDER` or `s3://BUCKET/PREFIX`; nothing is touched yet.

    A bucket's credentials, region and endpoint come from the usual AWS_ variables; one that does not answer
    is given up after so many `seconds`, or else after a few attempts. Faults tell what it is `called` in
    place of its address. Raises Unavailable for any other address.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        return Bucket(parts.netloc, unquote(parts.path).strip("/"), seconds, called)
    if parts.scheme in ("", "file") and not parts.netloc and parts.path.startswith("/"):
        return Folder(Path(unquote(parts.path) if parts.scheme else url), called)
    raise Unavailable("A shelf is a folder's absolute path, file:///FOLDER or s3://BUCKET/PREFIX.")
