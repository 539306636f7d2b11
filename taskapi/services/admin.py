"""The owner's view of the machinery: how it stands, what jobs have come to, which backups there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Invalid, NotFound
from taskapi.domain.filters import Page
from taskapi.services.results import Listed, Shown, computed
from taskapi.store import jobs as kept
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from taskapi.store.reading import Question, ask

Report = Callable[[], Mapping[str, Any]]


def read_status(store: Store, claim: Claim, report: Report) -> Shown:
    """How the two stores stand to each other."""
    _require_owner(store, claim)
    return computed(report())


def read_stats(store: Store, claim: Claim, report: Report) -> Shown:
    """How many records each store has."""
    _require_owner(store, claim)
    return computed(report())


def list_jobs(store: Store, claim: Claim, jobs: Jobs, page: Page) -> Listed:
    """The jobs of the last week, newest first."""
    _require_owner(store, claim)
    try:
        found, total = kept.newest(jobs, page.offset, page.per_page + 1, page.cursor)
    except NotFound as gone:
        raise Invalid({"cursor": [str(gone)]}) from gone
    shown = found[: page.per_page]
    following = shown[-1].id if len(found) > page.per_page else None
    return Listed("jobs", tuple(orjson.dumps(kept.told(job)) for job in shown), total, following)


def read_job(store: Store, claim: Claim, jobs: Jobs, job_id: str) -> Shown:
    """One job."""
    _require_owner(store, claim)
    job = kept.get(jobs, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return Shown(orjson.dumps(kept.told(job)))


class Archives(Protocol):
    """Where backups lie; raises Unavailable if that is away."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """All of them, newest first."""

    def found(self, backup_id: str) -> Mapping[str, Any]:
        """That one; raises NotFound."""


def list_backups(store: Store, claim: Claim, archives: Archives, page: Page) -> Listed:
    """The backups, newest first."""
    _require_owner(store, claim)
    every = list(archives.listed())
    start = page.offset if page.cursor is None else _place_behind(every, page.cursor)
    shown = every[start : start + page.per_page]
    following = shown[-1]["id"] if start + page.per_page < len(every) else None
    return Listed("backups", tuple(orjson.dumps(each) for each in shown), len(every), following)


def read_backup(store: Store, claim: Claim, archives: Archives, backup_id: str) -> Shown:
    """One backup."""
    _require_owner(store, claim)
    return Shown(orjson.dumps(archives.found(backup_id)))


def _place_behind(every: Sequence[Mapping[str, Any]], backup_id: str) -> int:
    """Names of backups begin with their time, so that a deleted one has its place still."""
    return sum(each["id"] >= backup_id for each in every)


def _require_owner(store: Store, claim: Claim) -> None:
    """The claim's right is checked as its caller is confirmed."""
    _ = ask(store, claim, Question()).caller
