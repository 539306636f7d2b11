"""What this Redis is: its identity, epoch, versions and ids; closed until admission opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run, run_id, run_unverified
from taskapi.store.errors import refusal
from taskapi.store.kinds import KINDS, Kind

READY = "ready"
CLOSED = "closed"
EPOCHS_KEPT = 100
RESTORING = "restoring"
EPOCH_SPAN = 2**32
NOTHING_RECOVERED: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """Redis as it is found. `meta` is empty on a new server.

    `run` is the id of the server process, `known_run` the one that was admitted; `ids` has the
    last id given and the ceiling of each kind.
    """

    run: str
    meta: Mapping[str, str]
    ids: Mapping[str, tuple[int, int]]
    is_bare: bool

    @property
    def is_ready(self) -> bool:
        """Whether this very server process was admitted."""
        return self.meta.get("state") == READY and self.known_run == self.run

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, and is not open again."""
        return self.meta.get("state") == CLOSED

    @property
    def is_restoring(self) -> bool:
        """Whether this very server process is frozen by a restore: it answers reads, and takes no writes."""
        return self.meta.get("state") == RESTORING and self.known_run == self.run

    @property
    def restorer(self) -> str:
        """The token of a restore that is under way, or has not cleaned up; empty without any."""
        return self.meta.get("restorer", "")

    @property
    def known_run(self) -> str:
        """The server process that was admitted last."""
        return self.meta.get("run", "")

    @property
    def incarnation(self) -> str:
        """The installation that the data belong to."""
        return self.meta.get("incarnation", "")

    @property
    def epoch(self) -> int:
        """The epoch of the last admission; 0 before the first."""
        return int(self.meta.get("epoch", 0))

    @property
    def version(self) -> int:
        """The last version given."""
        return int(self.meta.get("version", 0))

    @property
    def settled(self) -> int:
        """The highest version that PostgreSQL is known to have."""
        return int(self.meta.get("settled", 0))

    @property
    def carried(self) -> int:
        """The version of the last journal entry that PostgreSQL is known to have."""
        return int(self.meta.get("carried", 0))

    @property
    def commits(self) -> int:
        """The last commit that PostgreSQL is known to have had."""
        return int(self.meta.get("commits", 0))

    def fingerprint(self) -> dict[str, Any]:
        """What a clean stop writes down, to be found again at the next start."""
        return {
            "run": self.known_run,
            "version": self.version,
            "ids": {name: last for name, (last, _) in self.ids.items()},
        }


def look(store: Store) -> State:
    """Redis as it is now."""
    with faults_named():
        pipe: Any = store.redis.pipeline(transaction=True)
        pipe.execute_command("INFO", "server")
        pipe.hgetall(keys.META)
        pipe.hgetall(keys.IDS)
        pipe.dbsize()
        info, meta, ids, size = pipe.execute()
    text = {name.decode(): value.decode() for name, value in meta.items()}
    return State(_run_of(info), text, leases_in(ids), size == 0)


def leased() -> list[Kind]:
    """The kinds that have ids of their own."""
    return [kind for kind in KINDS.values() if kind.lease]


def close(store: Store) -> None:
    """Refuses every read and write from now on, until the next admission."""
    run_unverified(store, "close")


def freeze(store: Store, token: str) -> bool:
    """Refuses every write from now on, and answers reads, for the restore of that token.

    False, with nothing changed, if Redis is not open.
    """
    return bool(run_unverified(store, "freeze", token, "freeze") >= 0)


def thaw(store: Store, token: str) -> bool:
    """Opens what was frozen by that token as it was; False, with nothing changed, if it is not so frozen."""
    return bool(run_unverified(store, "freeze", token, "thaw") >= 0)


def begin(store: Store, run: str, incarnation: str, *, again: bool = False) -> bool:
    """Closes Redis for an admission, and names whose it is if nobody has yet.

    False, with nothing changed, if it has restarted meanwhile or was admitted by another; `again`
    closes one that was admitted.
    """
    return bool(run_unverified(store, "begin", run, incarnation, int(again)))


def open_for(
    store: Store,
    run: str,
    incarnation: str,
    epoch: int,
    settled: int,
    ids: Mapping[str, tuple[int, int]],
    *,
    carried: int = 0,
    commits: int = 0,
    recovered: Mapping[int, int] = NOTHING_RECOVERED,
) -> bool:
    """Opens Redis in that epoch.

    `settled` is the highest version that PostgreSQL has, `carried` that of its last journal entry,
    `commits` its last commit; `ids` has the last id given and the ceiling of each kind, `recovered`
    what to add to the account of what was left of each epoch. False, with nothing changed, if Redis
    has restarted meanwhile or another admission was faster.
    """
    rows = (value for kind, (last, ceiling) in ids.items() for value in (kind, last, ceiling))
    left = (value for pair in recovered.items() for value in pair)
    known = (epoch * EPOCH_SPAN, settled, carried, commits, len(recovered))
    return bool(run_unverified(store, "open", run, epoch, incarnation, *known, *left, *rows))


def recovered(store: Store) -> dict[int, int]:
    """The highest version that either store still had when each of the last epochs was opened."""
    with faults_named():
        found: Any = store.redis.hgetall(keys.RECOVERED)
    return {int(epoch): int(version) for epoch, version in found.items()}


def leases(store: Store) -> dict[str, tuple[int, int]]:
    """The last id given and the ceiling of each kind that has ids of its own."""
    with faults_named():
        return leases_in(store.redis.hgetall(keys.IDS))


def reserve(store: Store, kind: Kind) -> int:
    """The next id of a kind, for a record that others must name in the save that makes it.

    It is never given again, even if that save is refused. Raises Full without a leased one.
    """
    reply = run(store, "reserve", kind.name)
    if isinstance(reply, list):
        raise refusal(reply)
    return int(reply)


def raise_ceilings(store: Store, epoch: int, commit: int, ceilings: Mapping[str, int]) -> bool:
    """Lets ids of each kind be given up to its ceiling, which PostgreSQL has with that commit.

    False, with nothing changed, if the epoch has changed or an admission is under way.
    """
    flat = (value for pair in ceilings.items() for value in pair)
    return bool(run(store, "ceilings", epoch, commit, *flat))


def leases_in(ids: Any) -> dict[str, tuple[int, int]]:
    """The last id given and the ceiling of each kind, out of the hash of both."""
    numbers = {name.decode(): int(value) for name, value in ids.items()}
    return {
        kind.name: (numbers.get(kind.name, 0), numbers.get(f"{kind.name}:ceiling", 0)) for kind in leased()
    }


def _run_of(info: Any) -> str:
    if isinstance(info, dict):
        return str(info["run_id"])
    return run_id(info).decode()
