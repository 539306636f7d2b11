"""How much room there is for more, and for how many hours at the pace of the last hour."""

from collections.abc import Mapping
from typing import Any

from taskapi.domain import clock
from taskapi.store import checks
from taskapi.store.checks import Room
from taskapi.store.client import Store
from taskapi.store.state import State
from taskapi.store.watch import Kept, Sample

FULL, ROOMY = 0.90, 0.85
"""Shares of the memory: from the first on only what makes room is taken, below the second all is again."""
HOUR = 3600.0
SHORTEST_SECONDS = 60.0
"""A pace is told from samples that are as far apart as this."""


def sampled(now: State, room: Room, moment: float) -> Sample:
    """Where Redis stands at that moment."""
    return Sample(moment, now.epoch, room.used, {kind: last for kind, (last, _) in now.ids.items()})


def headroom(store: Store, now: State, kept: Kept) -> dict[str, Any]:
    """What is left: memory, ids and disks, and the hours until each of the first two is used up.

    Hours are None where nothing grows, or is known to. Ids are leased anew long before, while PostgreSQL
    is there; theirs are the hours that it may be away.
    """
    room = checks.room(store)
    here = sampled(now, room, clock.now().timestamp())
    floor = None if room.limit is None else int(room.limit * FULL)
    ids = {f"{kind}s": max(0, ceiling - last) for kind, (last, ceiling) in now.ids.items()}
    return {
        "memory_used": room.used,
        "memory_limit": room.limit,
        "memory_full_at": floor,
        "ids": ids,
        "disk": kept.report.get("disk", {}),
        "hours": _hours(here, _earlier(here, kept), {"memory": _left(floor, room), **ids}),
    }


def _left(floor: int | None, room: Room) -> int | None:
    return None if floor is None else max(0, floor - room.used)


def _earlier(here: Sample, kept: Kept) -> Sample | None:
    """The oldest sample of the last hour; an admission has moved the ids, so none of before it."""
    return next(
        (
            one
            for one in kept.samples
            if one.epoch == here.epoch and SHORTEST_SECONDS <= here.at - one.at <= HOUR
        ),
        None,
    )


def _hours(here: Sample, earlier: Sample | None, left: Mapping[str, int | None]) -> dict[str, float | None]:
    now, then = _figures(here), _figures(earlier or here)
    span = here.at - earlier.at if earlier else HOUR
    return {name: _until(left[name], now[name] - then[name], span) for name in left}


def _until(left: int | None, grown: int, span: float) -> float | None:
    """Hours until that much is used up, if it has grown by that in so many seconds."""
    if left is None or grown <= 0:
        return None
    return round(left * span / grown / HOUR, 1)


def _figures(sample: Sample) -> dict[str, int]:
    return {"memory": sample.memory, **{f"{kind}s": last for kind, last in sample.ids.items()}}
