"""The ground on which everything stands, checked every minute: how Redis keeps its data, and room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from taskapi.db.engine import Engine
from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.store import checks, safety, state, watch
from taskapi.store.checks import Room
from taskapi.store.client import Store
from taskapi.store.safety import EVICTION, UNKNOWN, Flaw
from taskapi.store.watch import Kept
from taskapi.sync import disks
from taskapi.sync.disks import Disk
from taskapi.sync.headroom import FULL, HOUR, ROOMY, sampled

MEMORY, DISK = "memory", "disk"
MIB = 1024**2

log = structlog.get_logger("taskapi.ground")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a look has found; `full` says of what there is too little for anything to grow."""

    flaws: tuple[Flaw, ...]
    full: frozenset[str]
    room: Room
    disks: Mapping[str, Disk | None]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.flaws

    @property
    def sentence(self) -> str:
        """How much room there is, for people."""
        free = {name: f"{disk.free // MIB} MiB" if disk else UNKNOWN for name, disk in self.disks.items()}
        told = ", ".join(f"{name} {room}" for name, room in free.items())
        return f"Redis uses {_share(self.room)}; free on the disk of: {told}"

    def report(self) -> dict[str, Any]:
        """As it is kept, and shown to the owner."""
        return {
            "well": self.is_well,
            "at": timestamp(),
            "findings": [flaw.told() for flaw in self.flaws],
            "disk": {name: disk.told() if disk else None for name, disk in self.disks.items()},
        }


def look(
    store: Store,
    engine: Engine,
    folders: Mapping[str, Path],
    was_full: frozenset[str] = frozenset(),
    *,
    covered: bool = False,
) -> Ground:
    """The ground as it is now. `folders` are those of the product's own files, among them `home`.

    `covered`: every write waits for PostgreSQL, so that what Redis may lose is no flaw; that it evicts
    records still is. Raises Unavailable if Redis is away.
    """
    flaws = safety.flaws(store)
    if covered:
        flaws = [flaw for flaw in flaws if not flaw.is_risk or _evicts(flaw)]
    room = checks.room(store)
    found = disks.look(store, engine, folders, room.rewrite)
    lacking = {name for name, disk in found.items() if disk and disk.is_full(was_full=DISK in was_full)}
    full = {DISK} if lacking.intersection(disks.GROWING) else set()
    if room.limit and room.used >= room.limit * (ROOMY if MEMORY in was_full else FULL):
        full.add(MEMORY)
        flaws.append(_memory_flaw(room))
    flaws += [_disk_flaw(name, disk) for name, disk in found.items() if disk and name in lacking]
    return Ground(tuple(flaws), frozenset(full), room, found)


def check(store: Store, engine: Engine, folders: Mapping[str, Path], *, covered: bool = False) -> Ground:
    """A look that is kept, and acted upon: without room only what makes room is taken from now on.

    What turns bad or well again is logged when it does, whoever looked before.
    """
    before = watch.kept(store)
    found = look(store, engine, folders, before.full, covered=covered)
    _tell_change(before, found)
    now = state.look(store)
    moment = clock.now().timestamp()
    samples = [one for one in before.samples if one.epoch == now.epoch and 0 <= moment - one.at <= HOUR]
    watch.keep(store, found.report(), [*samples, sampled(now, found.room, moment)], found.full)
    return found


def told(kept: Kept) -> dict[str, Any]:
    """What the last check has found, for the owner: {well, at, findings}; None, None and none before it."""
    return {
        "well": kept.report.get("well"),
        "at": kept.report.get("at"),
        "findings": kept.report.get("findings", []),
    }


def _evicts(flaw: Flaw) -> bool:
    return flaw.what == EVICTION and flaw.is_now != UNKNOWN


def _share(room: Room) -> str:
    used = f"{room.used // MIB} MiB"
    return f"{used}, {room.used * 100 // room.limit} % of what it may" if room.limit else used


def _memory_flaw(room: Room) -> Flaw:
    do = "give Redis more memory, or delete for good what is not needed"
    return Flaw(MEMORY, _share(room), f"below {FULL:.0%}, and {ROOMY:.0%} once it was above", do)


def _disk_flaw(name: str, disk: Disk) -> Flaw:
    is_now = f"{disk.free // MIB} MiB free"
    should_be = f"{disk.least // MIB} MiB free or more"
    return Flaw(f"{DISK} of {name}", is_now, should_be, f"make room on the disk of {disk.path}")


def _tell_change(before: Kept, found: Ground) -> None:
    """Once for each change, not each minute: by what was wrong, whatever its figures are now."""
    known = _names(before.report.get("findings", []))
    now = _names([flaw.told() for flaw in found.flaws])
    if new := now - known:
        findings = "; ".join(str(flaw) for flaw in found.flaws if flaw.what in new)
        log.critical(
            "the ground has turned bad", findings=findings, full=",".join(sorted(found.full)) or None
        )
    if gone := known - now:
        log.warning("the ground is better again", mended=", ".join(sorted(gone)), well=found.is_well)


def _names(findings: Sequence[Mapping[str, str]]) -> set[str]:
    return {finding["what"] for finding in findings}
