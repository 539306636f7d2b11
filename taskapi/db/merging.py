"""Going back in the mirrors: they get the content of another set of tables, each difference as a new version.

Set-based: what differs is first listed in a table of this transaction, then written in one statement a kind.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, TextClause, text

from taskapi.db.errors import RowsRefused, faults_named
from taskapi.db.schema import MIRRORS
from taskapi.domain.records import OWNER_ID

CHANGED, CREATED, REMOVED = "changed", "created", "removed"
Forced = Mapping[str, Sequence[int]]

_LIST = text(
    "CREATE TEMPORARY TABLE going (number bigint GENERATED ALWAYS AS IDENTITY, kind text, id bigint,"
    " what text, PRIMARY KEY (kind, id)) ON COMMIT DROP"
)
_COUNT = text("SELECT what, kind, count(*) FROM going GROUP BY what, kind")
_ONE = text("SELECT kind, id, what FROM going WHERE number = :number")
_FORGET = {
    False: text("DELETE FROM refused USING going WHERE refused.kind = going.kind AND record_id = id"),
    True: text("DELETE FROM refused"),
}
_OWNERS = f"kind IN ('user', 'credential') AND record_id = {OWNER_ID}"
_WRITTEN = (
    f"SELECT FROM change WHERE kind <> 'restore' AND NOT ({_OWNERS})",
    *(f"SELECT FROM {table.name} WHERE id <> {OWNER_ID}" for table in MIRRORS.values()),
    f"SELECT FROM refused WHERE NOT ({_OWNERS})",
    "SELECT FROM tasks",
    "SELECT FROM groups",
)
_SINCE = text(
    f"SELECT EXISTS (SELECT FROM change WHERE version > :since AND kind <> 'restore' AND NOT ({_OWNERS}))"  # noqa: S608
)
_LIVE = "purged IS NOT TRUE AND deleted_at IS NULL"
_LONELY = text(
    "WITH gone AS (SELECT 'user' AS kind, id FROM unnest(CAST(:users AS bigint[])) AS named(id)"  # noqa: S608 - our own names
    f" WHERE NOT EXISTS (SELECT FROM users WHERE users.id = named.id AND {_LIVE})"
    " UNION ALL SELECT 'group', id FROM unnest(CAST(:groups AS bigint[])) AS named(id)"
    f" WHERE NOT EXISTS (SELECT FROM groups WHERE groups.id = named.id AND {_LIVE})"
    " UNION ALL SELECT 'task', id FROM unnest(CAST(:tasks AS bigint[])) AS named(id)"
    " WHERE NOT EXISTS (SELECT FROM tasks WHERE tasks.id = named.id AND purged IS NOT TRUE))"
    " SELECT 'task:' || tasks.id, gone.kind || ':' || gone.id FROM tasks JOIN gone"
    f" ON gone.id = CASE gone.kind WHEN 'user' THEN user_id WHEN 'group' THEN group_id END WHERE {_LIVE}"
    " UNION ALL SELECT 'user:' || users.id, 'group:' || gone.id FROM users JOIN gone"
    f" ON gone.kind = 'group' AND gone.id = ANY(group_ids) WHERE {_LIVE}"
    " UNION ALL SELECT 'file:' || files.id, 'task:' || gone.id FROM files JOIN gone"
    f" ON gone.kind = 'task' AND gone.id = task_id WHERE {_LIVE} LIMIT 1"
)
_IS_STAYING = f"(CAST(:kind AS text) = 'credential' AND id = {OWNER_ID})"
"""The owner's own password stands in the settings, and never goes back."""


@dataclass(frozen=True, slots=True)
class Apart:
    """A record that was refused as it shall be, in which version, and why; `is_removed`: as a tombstone."""

    kind: str
    id: int
    version: int
    is_removed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """How many records of each kind were changed, created and removed, and the last version given.

    `apart` are those that PostgreSQL does not take: they are as they were.
    """

    changed: dict[str, int]
    created: dict[str, int]
    removed: dict[str, int]
    last: int
    apart: tuple[Apart, ...] = ()

    @property
    def told(self) -> dict[str, dict[str, int]]:
        """{changed | created | removed: {kinds: count}}."""
        found = {CHANGED: self.changed, CREATED: self.created, REMOVED: self.removed}
        return {what: {f"{kind}s": count for kind, count in kinds.items()} for what, kinds in found.items()}


def weigh(connection: Connection, schema: str | None, forced: Forced, base: int = 0) -> Merged:
    """Lists what must change for the mirrors to say what the tables of that schema say, and changes nothing.

    Without a schema it is only the `forced` records, which get a new version in any case: those that no
    table has become tombstones.
    """
    with faults_named():
        connection.execute(_LIST)
        for kind in MIRRORS:
            values = {"kind": kind, "forced": list(forced.get(kind, ()))}
            if schema:
                connection.execute(text(_differing(kind, schema)), values)
            connection.execute(text(_named(kind)), values)
        found: dict[str, Counter[str]] = {CHANGED: Counter(), CREATED: Counter(), REMOVED: Counter()}
        for what, kind, count in connection.execute(_COUNT):
            found[what][kind] = count
    last = base + sum(counter.total() for counter in found.values())
    return Merged(dict(found[CHANGED]), dict(found[CREATED]), dict(found[REMOVED]), last)


def merge(connection: Connection, schema: str | None, forced: Forced, base: int) -> Merged:
    """The same, and writes it: versions count up from `base`.

    Of what was refused nothing is kept that this decides; with a schema that is everything.
    """
    merged = weigh(connection, schema, forced, base)
    apart: list[Apart] = []
    for kind in MIRRORS:
        apart += _write(connection, text(_written(kind, schema)), kind, base, (1, merged.last - base))
    with faults_named():
        connection.execute(_FORGET[schema is not None])
    return replace(merged, apart=tuple(apart))


def _write(
    connection: Connection, statement: TextClause, kind: str, base: int, numbers: tuple[int, int]
) -> list[Apart]:
    """Writes those of the kind; what is refused is found by halving."""
    first, last = numbers
    values = {"kind": kind, "base": base, "first": first, "last": last}
    try:
        with faults_named(), connection.begin_nested():
            connection.execute(statement, values)
    except RowsRefused as refusal:
        if first == last:
            return [_apart(connection, base, first, str(refusal))]
    else:
        return []
    middle = (first + last) // 2
    halves = ((first, middle), (middle + 1, last))
    return [one for half in halves for one in _write(connection, statement, kind, base, half)]


def _apart(connection: Connection, base: int, number: int, reason: str) -> Apart:
    row = connection.execute(_ONE, {"number": number}).one()
    return Apart(row.kind, row.id, base + number, row.what == REMOVED, reason)


def is_fresh(connection: Connection) -> bool:
    """Whether nothing but the owner and their password was ever written."""
    with faults_named():
        return not any(connection.scalar(text(f"SELECT EXISTS ({each})")) for each in _WRITTEN)


def is_untouched(connection: Connection, since: int) -> bool:
    """Whether nothing but restores, and of the owner and their password, was written after that version."""
    with faults_named():
        return not connection.scalar(_SINCE, {"since": since})


def take_journal(connection: Connection, schema: str, *, instead: bool) -> None:
    """Adds what the journal in that schema has and this one has not; or has it `instead` of this one."""
    with faults_named():
        if instead:
            connection.execute(text("DELETE FROM change"))
        taken = f"INSERT INTO change SELECT * FROM {schema}.change ORDER BY version ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
        connection.execute(text(taken))


def _differing(kind: str, schema: str) -> str:
    table = MIRRORS[kind]
    held, wanted = (f"({side}.id IS NOT NULL AND {side}.purged IS NOT TRUE)" for side in ("held", "wanted"))
    compared = [_comparable(column.name, column.type) for column in _content(table)]
    differs = " IS DISTINCT FROM ".join(
        f"({', '.join(name.format(side) for name in compared)})" for side in ("held", "wanted")
    )
    return (
        "INSERT INTO going (kind, id, what) SELECT :kind, id,"  # noqa: S608 - our own names
        f" CASE WHEN NOT is_wanted THEN '{REMOVED}' WHEN is_held THEN '{CHANGED}' ELSE '{CREATED}' END"
        f" FROM (SELECT coalesce(held.id, wanted.id) AS id, {held} AS is_held, {wanted} AS is_wanted,"
        f" {differs} AS differs FROM {table.name} AS held FULL JOIN {schema}.{table.name} AS wanted"
        " ON held.id = wanted.id) AS both_sides"
        " WHERE (is_held <> is_wanted OR (is_held AND differs) OR id = ANY(:forced))"
        f" AND NOT {_IS_STAYING} ORDER BY id"
    )


def _named(kind: str) -> str:
    is_live = "held.id = named.id AND purged IS NOT TRUE"
    return (
        "INSERT INTO going (kind, id, what) SELECT :kind, id,"  # noqa: S608 - the same
        f" CASE WHEN EXISTS (SELECT FROM {MIRRORS[kind].name} AS held WHERE {is_live})"
        f" THEN '{CHANGED}' ELSE '{REMOVED}' END"
        f" FROM unnest(CAST(:forced AS bigint[])) AS named(id) WHERE NOT {_IS_STAYING} ORDER BY id"
        " ON CONFLICT (kind, id) DO NOTHING"
    )


def _written(kind: str, schema: str | None) -> str:
    table = MIRRORS[kind]
    names = [column.name for column in table.columns if column.name not in ("id", "version", "purged")]
    wanted = f"{schema}.{table.name}" if schema else table.name
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*names, "purged", "version"))
    return (
        f"INSERT INTO {table.name} AS held (id, {', '.join(names)}, purged, version)"  # noqa: S608 - our own names
        f" SELECT going.id, {', '.join(f'wanted.{name}' for name in names)},"
        f" CASE WHEN going.what = '{REMOVED}' THEN true END, :base + going.number"
        f" FROM going LEFT JOIN {wanted} AS wanted ON wanted.id = going.id AND going.what <> '{REMOVED}'"
        " WHERE going.kind = :kind AND going.number BETWEEN :first AND :last ORDER BY going.id"
        f" ON CONFLICT (id) DO UPDATE SET {updates}"
    )


def _content(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in ("id", "version", "purged", "words")]


def _comparable(name: str, type_: Any) -> str:
    return f"CAST({{}}.{name} AS jsonb)" if isinstance(type_, JSON) else f"{{}}.{name}"


def without_parent(
    connection: Connection, users: Sequence[int], groups: Sequence[int], tasks: Sequence[int]
) -> tuple[str, str] | None:
    """A live record and the one of these users, groups and tasks that it is left without, if there is any."""
    named = {"users": list(users), "groups": list(groups), "tasks": list(tasks)}
    with faults_named():
        found = connection.execute(_LONELY, named).first()
    return None if found is None else (found[0], found[1])
