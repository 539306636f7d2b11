"""What goes for good together: a task and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.records import File, Task
from taskapi.store import codec, finders, keys
from taskapi.store.client import Store
from taskapi.store.kinds import FILE
from taskapi.store.plans import Change
from taskapi.store.reading import Question, ask
from taskapi.store.records import Count

AT_MOST = 500
"""Of files: more than a task can have."""

PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Purge:
    """What has to be saved in one step; `counts` say that no file has come to these tasks meanwhile."""

    changes: list[Change]
    counts: list[Count]


def purge_of(store: Store, claim: Claim, tasks: Sequence[Task]) -> Purge:
    """The tasks (live or in the trash) and all their files go; the bytes of these are taken away later."""
    seen = ask(store, claim, Question(sizes=[keys.files(task.id) for task in tasks]))
    found = {
        task: files_of(store, claim, task.id) if size else []
        for task, size in zip(tasks, seen.sizes, strict=True)
    }
    gone = [Change(task, None, PURGED) for task in tasks]
    changes = [change for files in found.values() for change in purges(files)]
    return Purge(gone + changes, [count_of(task.id, len(files)) for task, files in found.items()])


def purges(files: Sequence[File]) -> list[Change]:
    """Some files go."""
    return [Change(file, None, PURGED) for file in files]


def files_of(store: Store, claim: Claim, task_id: int) -> list[File]:
    """All files of a task, by id."""
    seen = ask(store, claim, Question(listing=finders.file_page(task_id, Page(per_page=AT_MOST))))
    return [codec.decode(FILE, blob) for blob in seen.listing.blobs]


def count_of(task_id: int, count: int) -> Count:
    """That the task has so many files."""
    return Count(keys.files(task_id), "", count)
