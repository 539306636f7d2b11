"""Files of tasks: bytes that lie on a shelf, and a record that names them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from taskapi.domain import access, failpoints
from taskapi.domain import cascades as rules
from taskapi.domain.callers import Claim
from taskapi.domain.clock import milliseconds, timestamp
from taskapi.domain.errors import Conflict, NotFound, Refused, Stale, Unavailable
from taskapi.domain.filters import Page
from taskapi.domain.records import File, Task
from taskapi.outside.shelf import Shelf
from taskapi.services.again import decided_again, decided_often
from taskapi.services.purging import count_of, purges
from taskapi.services.results import Listed, Shown, deleted, whole
from taskapi.store import finders, keys, state
from taskapi.store.client import Store
from taskapi.store.kinds import FILE, TASK
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import LINES as SAVING
from taskapi.store.records import Saved, save

MOST_FILES = 100
"""Of one task."""

LONGEST_PAUSE_MS = 60 * 60 * 1000
"""Between the bytes and their record; what nothing names is safe for a day."""

LINES = ("uploading.reserved", "uploading.put", *SAVING, "uploading.saved")
"""Every line at which a test lets an upload die."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that has arrived whole: where its bytes are, and what is known of them."""

    draft: Path
    filename: str
    content_type: str
    size: int
    sha256: str


def shelf_name(file: File) -> str:
    """The name of its bytes on the shelf, which no other file ever has."""
    return f"{file.id}-{file.sha256}"


def require_place(store: Store, claim: Claim, task_id: int) -> None:
    """Refuses before a byte is read what could not be kept: without a right, or where there are enough.

    With an Idempotency-Key it may be a repetition of the last that had room.
    """
    seen = _ask_of(store, claim, task_id)
    access.require_task(seen.caller, task_id, seen.record(TASK, task_id))
    if claim.operation is None:
        _require_room(seen)


def keep_file(store: Store, shelf: Shelf, claim: Claim, task_id: int, sent: Sent) -> Shown:
    """A new file of the task. Its bytes are on the shelf before anything names them.

    Whoever dies on the way leaves bytes that no record names at most.
    """
    seen = _ask_of(store, claim, task_id)
    if again := replayed(store, seen):
        return _replayed(store, claim, again)
    caller = seen.caller
    access.require_task(caller, task_id, seen.record(TASK, task_id))
    _require_room(seen)
    file = File(
        id=state.reserve(store, FILE),
        task_id=task_id,
        filename=sent.filename,
        content_type=sent.content_type,
        size=sent.size,
        sha256=sent.sha256,
        user_id=caller.id,
        created_at=timestamp(),
    )
    failpoints.reach("uploading.reserved")
    shelf.put(shelf_name(file), sent.draft)
    failpoints.reach("uploading.put")
    return _saved(store, shelf, claim, file)


def list_files(store: Store, claim: Claim, task_id: int, page: Page) -> Listed:
    """The files of a task, in the order in which they came."""
    question = Question([keys.record(TASK.name, task_id)], listing=finders.file_page(task_id, page))
    seen = ask(store, claim, question)
    access.require_task(seen.caller, task_id, seen.record(TASK, task_id))
    items, following = finders.cut_page(seen.listing, page, finders.BY_ID)
    return Listed(FILE.plural, items, seen.listing.total, following)


def find_file(store: Store, claim: Claim, file_id: int) -> File:
    """What is said of a file; raises NotFound also if the task is not the caller's, or lies in the trash."""
    seen, file = _file_seen(store, claim, file_id)
    _require_task_of(seen, file)
    return file


@decided_again
def remove_file(store: Store, claim: Claim, file_id: int, if_match: int | None = None) -> Shown:
    """Removes a file for good; its bytes are taken away later."""
    seen = ask(store, claim, Question([keys.record(FILE.name, file_id)]))
    if again := replayed(store, seen):
        return _removed(again)
    seen, file = _file_seen(store, claim, file_id)
    task = _require_task_of(seen, file)
    if if_match not in (None, file.version):
        raise Stale(f"File {file_id} has version {file.version}.")
    return _removed(save(store, claim, purges([file]), [seen.caller.user, task]))


def _saved(store: Store, shelf: Shelf, claim: Claim, file: File) -> Shown:
    """The record is written, or the bytes go again; where nobody can tell which, they stay."""
    try:
        saved = _save(store, claim, file)
    except Unavailable:
        raise
    except Refused:
        _take_back(shelf, file)
        raise
    failpoints.reach("uploading.saved")
    if saved.again and saved.ids != (file.id,):
        _take_back(shelf, file)
    return _written(saved)


@decided_often
def _save(store: Store, claim: Claim, file: File) -> Saved:
    """Refused if the process has stood still for so long that the bytes may have been taken for orphans."""
    if milliseconds(timestamp()) - milliseconds(file.created_at) > LONGEST_PAUSE_MS:
        raise Conflict("This upload stood still for too long. Send the file again.")
    seen = _ask_of(store, claim, file.task_id)
    task = access.require_task(seen.caller, file.task_id, seen.record(TASK, file.task_id))
    count = _require_room(seen)
    return save(
        store,
        claim,
        [Change(None, file, "created", str(file.id))],
        [seen.caller.user, task],
        counts=[count_of(task.id, count)],
        not_leaving=sorted(rules.names_over(task)),
    )


def _take_back(shelf: Shelf, file: File) -> None:
    with suppress(Unavailable, NotFound):  # no record names them: they go with the orphans
        shelf.delete(shelf_name(file))


def _ask_of(store: Store, claim: Claim, task_id: int) -> Seen:
    return ask(store, claim, Question([keys.record(TASK.name, task_id)], sizes=[keys.files(task_id)]))


def _require_room(seen: Seen) -> int:
    """How many files the task has; raises Conflict if there are enough."""
    if seen.sizes[0] >= MOST_FILES:
        raise Conflict(f"A task may have {MOST_FILES} files at most: delete one first.")
    return seen.sizes[0]


def _file_seen(store: Store, claim: Claim, file_id: int) -> tuple[Seen, File]:
    """The file and, beside it in what was seen, its task."""
    found = ask(store, claim, Question([keys.record(FILE.name, file_id)]))
    _ = found.caller
    file: File = found.existing(FILE, file_id).record
    wanted = [keys.record(FILE.name, file_id), keys.record(TASK.name, file.task_id)]
    seen = ask(store, claim, Question(wanted))
    return seen, seen.existing(FILE, file_id).record


def _require_task_of(seen: Seen, file: File) -> Task:
    try:
        return access.require_task(seen.caller, file.task_id, seen.record(TASK, file.task_id))
    except NotFound:
        raise NotFound(f"There is no file {file.id}.") from None


def _replayed(store: Store, claim: Claim, saved: Saved) -> Shown:
    """The first answer again, for who may see the file's task as it is now."""
    file: File = saved.first.record
    seen = _ask_of(store, claim, file.task_id)
    access.require_task(seen.caller, file.task_id, seen.record(TASK, file.task_id))
    return _written(saved)


def _written(saved: Saved) -> Shown:
    return whole(saved.first).after(*saved.dirty, replayed=saved.again)


def _removed(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(*saved.dirty, replayed=saved.again)
