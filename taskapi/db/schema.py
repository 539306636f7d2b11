"""The tables, derived from the kinds: a mirror per kind, and those that carry the sync.

A mirror has a primary key and plain indexes only. Redis has already decided what exists and what
is unique; a constraint here could only refuse what was acknowledged.
"""

from dataclasses import fields
from typing import Any, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID
from sqlalchemy.types import TypeEngine

from taskapi.domain.records import Credential, File, Group, Record, Task, User

RECORDS: dict[str, type[Record]] = {
    "user": User,
    "credential": Credential,
    "group": Group,
    "task": Task,
    "file": File,
}
"""Every kind, in the order in which all writers lock their rows."""

metadata = MetaData()

_TYPES: dict[Any, TypeEngine[Any]] = {
    int: BigInteger(),
    str: Text(),
    bool: Boolean(),
    float: Double(),
    tuple[int, ...]: ARRAY(BigInteger()),
    tuple[str, ...]: ARRAY(Text()),
    dict[str, float]: JSON(),  # not JSONB, which would put the days of the week in another order
}
_DATES = ("deadline",)


def column_types(record: type[Record]) -> dict[str, TypeEngine[Any]]:
    """The type of each field of a kind, in the order of its dataclass."""
    hints = get_type_hints(record)
    return {field.name: _column_type(field.name, hints[field.name]) for field in fields(record)}


def _column_type(name: str, hint: Any) -> TypeEngine[Any]:
    if name.endswith("_at"):
        return DateTime(timezone=True)
    if name in _DATES:
        return Date()
    return _TYPES[hint if hint in _TYPES else next(part for part in hint.__args__ if part in _TYPES)]


def _mirror(kind: str, record: type[Record]) -> Table:
    needed = {"id": True, "version": True}
    columns = [
        Column(name, type_, primary_key=name == "id", autoincrement=False, nullable=name not in needed)
        for name, type_ in column_types(record).items()
    ]
    table = Table(f"{kind}s", metadata, *columns, Column("purged", Boolean()))
    Index(f"ix_{table.name}_version", table.c.version)
    return table


def _with_words(mirror: Table) -> Table:
    """By which a live record is found; not part of it, and empty in the trash."""
    mirror.append_column(Column("words", TSVECTOR()))
    Index(f"ix_{mirror.name}_words", mirror.c.words, postgresql_using="gin")
    return mirror


def _with_days(mirror: Table) -> None:
    """By which the tasks of a day are found."""
    Index(f"ix_{mirror.name}_created_at", mirror.c.created_at)
    for name in ("deadline", "completed_at"):
        Index(f"ix_{mirror.name}_{name}", mirror.c[name], postgresql_where=text(f"{name} IS NOT NULL"))


MIRRORS: dict[str, Table] = {kind: _mirror(kind, record) for kind, record in RECORDS.items()}
_with_words(MIRRORS["task"])
_with_days(MIRRORS["task"])

META = Table(
    "meta",
    metadata,
    Column("id", SmallInteger(), primary_key=True, autoincrement=False),
    Column("incarnation", UUID(as_uuid=False), nullable=False),
    Column("epoch", Integer(), nullable=False),
    Column("closed", JSONB()),
    Column("commits", BigInteger(), nullable=False, server_default="0"),
)

LEASE = Table(
    "lease",
    metadata,
    Column("kind", Text(), primary_key=True),
    Column("ceiling", BigInteger(), nullable=False),
)

CHANGE = Table(
    "change",
    metadata,
    Column("version", BigInteger(), primary_key=True, autoincrement=False),
    Column("kind", Text(), nullable=False),
    Column("record_id", BigInteger(), nullable=False),
    Column("action", Text(), nullable=False),
    Column("actor", BigInteger(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("request_id", Text(), nullable=False),
    Column("operation", Text(), nullable=False),
    Column("fields", JSONB(), nullable=False),
)
Index("ix_change_kind_record_id_version", CHANGE.c.kind, CHANGE.c.record_id, CHANGE.c.version)

Index("ix_change_at_named", CHANGE.c.at, CHANGE.c.version, postgresql_where=text("operation LIKE 'op:% %'"))
"""By which the writes of the last day that their clients named are found."""

LOSS = Table(
    "loss",
    metadata,
    Column("store", Text(), primary_key=True),
    Column("above", BigInteger(), primary_key=True, autoincrement=False),
    Column("up_to", BigInteger()),
    Column("healed", Boolean(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("seen", Boolean(), nullable=False, server_default=false()),
)

REFUSED = Table(
    "refused",
    metadata,
    Column("kind", Text(), primary_key=True),
    Column("record_id", BigInteger(), primary_key=True, autoincrement=False),
    Column("version", BigInteger(), nullable=False),
    Column("record", LargeBinary(), nullable=False),
    Column("reason", Text(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

TASK_LOG = Table(
    "task_log",
    metadata,
    Column("day", Date(), primary_key=True),
    Column("task_id", BigInteger(), primary_key=True, autoincrement=False),
    Column("event", Text(), primary_key=True),
    Column("user_id", BigInteger()),
    Column("group_id", BigInteger()),
    Column("title", Text()),
)

TASK_LOG_DAY = Table(
    "task_log_day",
    metadata,
    Column("day", Date(), primary_key=True),
    Column("entries", BigInteger(), nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False),
)
"""The days that are written in task_log, also those without an entry."""
