"""What must hold when changes are discarded: what stays has its parents, and no two share a unique value."""

from collections.abc import Collection

from taskapi.db import merging, rows
from taskapi.db.engine import Connection
from taskapi.domain.errors import Conflict
from taskapi.store import codec, keys
from taskapi.store.kinds import GROUP, KINDS, TASK, USER, Kind


def require_sound(unwanted: Collection[str], connection: Connection, last: int) -> int:
    """Returns `last` if PostgreSQL, without what is `unwanted` (`kind:id`), is sound; raises Conflict."""
    for kind in KINDS.values():
        if kind.unique and any(name.startswith(f"{kind.name}:") for name in unwanted):
            _require_unique(connection, kind)
    users, groups, tasks = (_ids(kind, unwanted) for kind in (USER, GROUP, TASK))
    lonely = merging.without_parent(connection, users, groups, tasks)
    if lonely:
        raise Conflict(
            f"{lonely[0]} would be left without {lonely[1]}: discard both, with a higher up_to, or neither."
        )
    return last


def _require_unique(connection: Connection, kind: Kind) -> None:
    holders: dict[tuple[str, str], int] = {}
    for row in rows.stream(connection, kind.name):
        record = kind.record(**row)
        for held in codec.uniques(kind, record).items():
            holder = holders.setdefault(held, record.id)
            if holder != record.id:
                one, other = (keys.record(kind.name, number) for number in sorted((holder, record.id)))
                raise Conflict(
                    f"{one} and {other} would have one {held[0]}: discard both changes, or neither."
                )


def _ids(kind: Kind, names: Collection[str]) -> list[int]:
    return [int(name.partition(":")[2]) for name in names if name.startswith(f"{kind.name}:")]
