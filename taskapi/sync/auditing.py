"""Both stores compared, and whatever is wrong in them put right: nightly, and by command."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from taskapi.db import locks
from taskapi.db.engine import Engine
from taskapi.domain import clock, failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.progress import Progress, part, unseen
from taskapi.store import comparisons
from taskapi.store.client import Store
from taskapi.store.scrub import Scrubbed, scrub
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import Comparison, compare
from taskapi.sync.repairing import Repaired, repair

CARRY_SECONDS = 15.0
MOST_TOLD = 200

LINES = ("auditing.carried", "auditing.scrubbed", "auditing.compared", "auditing.repaired", "auditing.noted")
"""Every line at which a test lets an audit die."""

Report = dict[str, Any]

log = structlog.get_logger("taskapi.sync")


@contextmanager
def turn(store: Store, engine: Engine, rest: timedelta = timedelta()) -> Iterator[bool]:
    """Whether nobody else audits until the block ends, and nobody has within `rest` before.

    Whoever dies ends their turn with their connection. Raises PostgresAway, Unavailable.
    """
    with locks.compare_turn(engine) as is_mine:
        last = comparisons.last(store)
        yield is_mine and (last is None or clock.now() - datetime.fromisoformat(last["at"]) >= rest)


def audit(
    store: Store,
    engine: Engine,
    *,
    progress: Progress = unseen,
    pause: float = 0.0,
    seconds: float = math.inf,
) -> Report:
    """Carries what waits, proves every index, compares both stores, and puts right what is wrong.

    In one's turn; beside readers and writers, resting for `pause` seconds again and again, with at most
    so many `seconds` for what writers keep from being proved. Killed anywhere, it can be done again.
    Returns a report, notes it for the status, and logs an alert if anything was wrong: {action, at,
    equal, sound, exact, waiting, repaired, repaired_count, left, left_count, digests, counts,
    duration_ms}. Raises what `repair` raises.
    """
    begun = time.monotonic()
    catch_up(store, engine, CARRY_SECONDS)
    failpoints.reach("auditing.carried")
    proved, found = _both(store, engine, part(progress, 0.0, 0.8), pause, seconds)
    done = Repaired([f"{told} (put right)" for told in proved.repaired])
    if not found.is_equal:
        mended = repair(store, engine, found, part(progress, 0.8, 0.85))
        failpoints.reach("auditing.repaired")
        done.repaired += mended.repaired
        done.left += mended.left
        if mended.repaired:
            catch_up(store, engine, CARRY_SECONDS)
            proved, found = _both(store, engine, part(progress, 0.85, 1.0), pause, seconds)
            done.repaired += proved.repaired
    done.left += [*proved.unproved, *proved.unreadable, *_unsound(found)]
    report = _report(found, proved, done, begun)
    _note(store, report)
    failpoints.reach("auditing.noted")
    progress(1.0)
    return report


def _both(
    store: Store, engine: Engine, progress: Progress, pause: float, seconds: float
) -> tuple[Scrubbed, Comparison]:
    """The indexes first: what is put into Redis moves in them."""
    seen = part(progress, 0.0, 0.5)
    proved = scrub(store, repair=True, progress=seen, pause=pause, seconds=seconds)
    failpoints.reach("auditing.scrubbed")
    found = compare(store, engine, progress=part(progress, 0.5, 1.0), pause=pause)
    failpoints.reach("auditing.compared")
    return proved, found


def _unsound(found: Comparison) -> list[str]:
    orphans = [f"{told}: delete the one or bring back the other." for told in found.soundness.orphans]
    return [*orphans, *(f"{told}: change one of them." for told in found.soundness.clashes)]


def _report(found: Comparison, proved: Scrubbed, done: Repaired, begun: float) -> Report:
    return {
        "action": "compare",
        "at": timestamp(),
        "equal": found.is_equal,
        "sound": found.is_sound,
        "exact": proved.is_exact,
        "waiting": len(found.waiting),
        "repaired": done.repaired[:MOST_TOLD],
        "repaired_count": len(done.repaired),
        "left": done.left[:MOST_TOLD],
        "left_count": len(done.left),
        "digests": found.digests,
        "counts": {kind: tally.count for kind, tally in found.redis.items()},
        "duration_ms": round((time.monotonic() - begun) * 1000, 1),
    }


def _note(store: Store, report: Report) -> None:
    """Whoever counts on the stores is told that one of them was wrong, even though it was put right."""
    summary = {name: report[name] for name in ("at", "equal", "sound", "exact")}
    counts = {name: report[f"{name}_count"] for name in ("repaired", "left")}
    comparisons.note(store, summary | counts)
    if any(counts.values()):
        told = {name: report[name] for name in counts}
        log.critical("the stores were not what they must be", **told)
    else:
        log.info("compared", counts=report["counts"], waiting=report["waiting"])
