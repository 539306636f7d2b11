"""The backups that lie on a shelf: which there are, and whether each is good.

Beside `<id>.taskapi` lies `<id>.verified` once it was restored aside and compared, or `<id>.broken`
once something was found to be wrong with it.
"""

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from taskapi.domain import clock, failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import NotFound
from taskapi.outside.items import Item
from taskapi.outside.shelf import Shelf
from taskapi.sync.archive import TAIL_BYTES, About, Archive, manifest_in
from taskapi.sync.errors import Broken
from taskapi.sync.lines import JOURNAL

ARCHIVE, VERIFIED, BROKEN = ".taskapi", ".verified", ".broken"
BEFORE_RESTORE = "before-restore"

LINES = ("keeping.noted", "keeping.forgotten")

_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup. It `is_good` once it was restored aside, equal; `flaw` is what was found to be wrong with it.

    `counts` has the records of each kind, `entries` is how many lines of the journal it has, `ids` up to
    which id of each kind any may have been given. Up to the version `history_above` lines may be missing.
    """

    id: str
    created_at: str
    reason: str
    source: str
    bytes: int
    is_good: bool
    verified_at: str | None
    flaw: str | None
    counts: dict[str, int]
    incarnation: str
    epoch: int
    version: int
    entries: int
    ids: dict[str, int]
    history_above: int = 0


def new_id() -> str:
    """The id of a backup that is made now. Ids are in the order of time."""
    now = clock.now()
    return f"{now.strftime(_MOMENT)}-{now.microsecond:05x}{secrets.token_hex(2)[:3]}"


def file_of(backup_id: str) -> str:
    """The name of its archive; raises NotFound if that is no id of a backup."""
    if not _ID.fullmatch(backup_id):
        raise NotFound(f"There is no backup {backup_id[:40]}.")
    return f"{backup_id}{ARCHIVE}"


def backups(shelf: Shelf) -> list[Backup]:
    """All there are, the newest first; one that is deleted meanwhile is none. Raises Unavailable."""
    items = {item.name: item for item in shelf.items()}
    ids = [name.removesuffix(ARCHIVE) for name in items if name.endswith(ARCHIVE)]
    found = []
    for each in sorted(filter(_ID.fullmatch, ids), reverse=True):
        with suppress(NotFound):
            found.append(_told(shelf, each, items))
    return found


def strangers(shelf: Shelf) -> list[str]:
    """The names of archives that lie there under a name that is no backup's, and so are not listed."""
    names = (item.name for item in shelf.items() if item.name.endswith(ARCHIVE))
    return [name for name in names if not _ID.fullmatch(name.removesuffix(ARCHIVE))]


def find(shelf: Shelf, backup_id: str) -> Backup:
    """One of them. Raises NotFound, Unavailable."""
    items = {item.name: item for item in shelf.items()}
    if file_of(backup_id) not in items:
        raise NotFound(f"There is no backup {backup_id}.")
    return _told(shelf, backup_id, items)


def note_good(shelf: Shelf, archive: Archive) -> None:
    """Writes down that this very archive came back from a database as it went in."""
    manifest = archive.manifest
    values = {"sha256": archive.sha256, "tail": _digest(archive.tail), "counts": manifest.counts}
    _note(shelf, manifest.about.id, VERIFIED, values)
    forgive(shelf, manifest.about.id)


def note_broken(shelf: Shelf, backup_id: str, reason: str) -> None:
    """Writes down what is wrong with it; it is not good any more."""
    shelf.delete(f"{backup_id}{VERIFIED}")
    failpoints.reach("keeping.forgotten")
    _note(shelf, backup_id, BROKEN, {"reason": reason})


def forgive(shelf: Shelf, backup_id: str) -> None:
    """What was found to be wrong with it was found in another file."""
    shelf.delete(f"{backup_id}{BROKEN}")


def notes(shelf: Shelf) -> dict[str, str]:
    """What was written down about backups: of which each is."""
    names = (item.name for item in shelf.items() if item.name.endswith((VERIFIED, BROKEN)))
    stems = {name: name.rpartition(".")[0] for name in names}
    return {name: stem for name, stem in stems.items() if _ID.fullmatch(stem)}


def _note(shelf: Shelf, backup_id: str, suffix: str, values: dict[str, Any]) -> None:
    text = orjson.dumps(values | {"at": timestamp()})
    with shelf.draft() as draft:
        draft.write_bytes(text + b"\n" + _digest(text).encode())
        shelf.put(f"{backup_id}{suffix}", draft)
    failpoints.reach("keeping.noted")


def _noted(shelf: Shelf, name: str, items: dict[str, Item]) -> dict[str, Any]:
    """What was written down there; nothing, if it is not as it was written, or is deleted meanwhile."""
    if name not in items:
        return {}
    try:
        text, _, digest = shelf.end_of(name, TAIL_BYTES).partition(b"\n")
    except NotFound:
        return {}
    values: dict[str, Any] = orjson.loads(text) if _digest(text).encode() == digest else {}
    return values


def _told(shelf: Shelf, backup_id: str, items: dict[str, Item]) -> Backup:
    tail = shelf.end_of(file_of(backup_id), TAIL_BYTES)
    size = items[file_of(backup_id)].size
    flaw = _noted(shelf, f"{backup_id}{BROKEN}", items).get("reason")
    try:
        manifest = manifest_in(tail)
    except Broken as broken:
        return _unreadable(backup_id, size, flaw or str(broken))
    about, counts = manifest.about, dict(manifest.counts)
    good = _noted(shelf, f"{backup_id}{VERIFIED}", items)
    is_good = flaw is None and about.id == backup_id and good.get("tail") == _digest(tail)
    entries, moment = counts.pop(JOURNAL), good["at"] if is_good else None
    state = (about.incarnation, about.epoch, about.version)
    known = (about.created_at, about.reason, about.source, size, is_good, moment, flaw)
    return Backup(backup_id, *known, counts, *state, entries, about.ids, about.history_above)


def _unreadable(backup_id: str, size: int, flaw: str) -> Backup:
    about = About(backup_id, _made_at(backup_id), "", "", "", 0, 0, {})
    known = (about.created_at, about.reason, about.source, size, False, None, flaw)
    return Backup(backup_id, *known, {}, about.incarnation, about.epoch, about.version, 0, about.ids)


def _made_at(backup_id: str) -> str:
    """What its name says; names are not always what we have given."""
    digits = backup_id.partition("-")[0]
    try:
        return timestamp(datetime.strptime(digits, _MOMENT).replace(tzinfo=UTC))
    except ValueError:
        return timestamp(datetime.fromtimestamp(0, UTC))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
