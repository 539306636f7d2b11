"""Every key of the data Redis, spelled once.

meta                     hash   state (ready | restoring | closed), run, incarnation, epoch, version, settled,
                                carried, commits; restorer, wiper: tokens of a restore that is not finished;
                                full: what Redis is running out of, while it is
ids                      hash   <kind>: last id given, <kind>:ceiling: highest id leased
<kind>:<id>              string a live record, the JSON that the API sends
trash:<kind>:<id>        string a record in the trash
purged:<kind>:<id>       string the tombstone of a purged record, until PostgreSQL has it
unique:<kind>:<field>    hash   folded value: id
tasks:<scope>:<suffix>   zset   ids of tasks; scope: all | g<group> | u<user>:g<group, 0 for none>;
                                suffix: <status>:<priority> | #<tag> | due (score: day) | trash
users, groups, members:<group>   zset  ids
files:<task>             zset   ids of the files of a task, live or in the trash
trashed                  zset   <kind>:<id> by the time of deletion in ms
counts:<scope>           hash   <status>:<priority> and #<tag>: how many tasks
spread:<scope>           hash   group or user id: how many tasks; trash-spread: the same of the trash
dirty, dirty:since       zset   <kind>:<id> by version, and by the time of the first mark in ms
quarantine               hash   <kind>:<id>: JSON {version, reason, at}
journal                  stream <version>-0: every change
leaving                  hash   <parent>: JSON account of the sweep of its tasks; see domain/cascades.py
session:<user>:<id>      hash   one login; sessions:<user>: zset of their ids by expiry in ms
op:<hash>                string the answer of a write, by its operation id
op:<hash>:session        string the session that a write has begun: its id and its refresh id
kept:<user>              zset   those of them that hold a whole answer, by time in ms
limits                   hash   <user>:<calls>:<period in ms>: when the bucket is full again, in µs
stamps                   hash   all | u<user> | g<group>: version of the last change to a task in there;
                                every: counts what repairs have put anew
recovered                hash   epoch: the highest version that either store still had when it was opened
losses                   hash   <store> <version before>: last version lost or "?", when found, 1 if healed
sync                     hash   what the flush, the comparison and each clean-up did last
ground                   hash   the last check of the ground: report (JSON), samples (JSON) of the last hour

The database beside (its number is one higher) is where a restore builds: the same keys, and in meta the state
staging, or replaced for what the restore has put aside.
"""

from collections.abc import Sequence
from enum import StrEnum

META = "meta"
IDS = "ids"
DIRTY = "dirty"
DIRTY_SINCE = "dirty:since"
QUARANTINE = "quarantine"
JOURNAL = "journal"
TRASHED = "trashed"
LEAVING = "leaving"
RECOVERED = "recovered"
LOSSES = "losses"
SYNC = "sync"
LIMITS = "limits"
GROUND = "ground"
USERS = "users"
GROUPS = "groups"

LIVE, TRASH, PURGED = "", "trash:", "purged:"


class Fate(StrEnum):
    """What a restore does with a key: what follows from PostgreSQL is built anew, the rest is taken along."""

    RECORD = "record"
    DERIVED = "derived"
    WAITING = "waiting"  # for PostgreSQL, which has all of it when a restore builds
    JOURNAL = "journal"
    SWEEP = "sweep"
    SESSION = "session"
    TAKEN = "taken"
    LEFT = "left"


FAMILIES: dict[str, Fate] = {
    **dict.fromkeys(("user", "credential", "group", "task", "file", "trash", "purged"), Fate.RECORD),
    **dict.fromkeys(("unique", "tasks", "files", "users", "groups", "members", "trashed"), Fate.DERIVED),
    **dict.fromkeys(("counts", "spread", "trash-spread"), Fate.DERIVED),
    **dict.fromkeys(("dirty", "quarantine"), Fate.WAITING),
    "journal": Fate.JOURNAL,
    "leaving": Fate.SWEEP,
    **dict.fromkeys(("session", "sessions"), Fate.SESSION),
    **dict.fromkeys(("ids", "op", "kept", "sync", "ground", "recovered", "losses"), Fate.TAKEN),
    **dict.fromkeys(("meta", "limits", "stamps"), Fate.LEFT),
}
"""Every family of keys of the data Redis, by what stands before the first colon."""


def fate_of(key: str) -> Fate | None:
    """What a restore does with that key; None if no family has it."""
    return FAMILIES.get(key.partition(":")[0])


def record(kind: str, record_id: int) -> str:
    """The live record."""
    return f"{kind}:{record_id}"


def trashed(kind: str, record_id: int) -> str:
    """The record in the trash."""
    return f"{TRASH}{kind}:{record_id}"


def unique(kind: str, field: str) -> str:
    """Who holds a value of a unique field."""
    return f"unique:{kind}:{field}"


def pair(user_id: int, group_id: int | None) -> str:
    """The tasks of one user in one group, or in none."""
    return f"u{user_id}:g{group_id or 0}"


def tasks(scope: str, suffix: str) -> str:
    """One list of tasks."""
    return f"tasks:{scope}:{suffix}"


def members(group_id: int) -> str:
    """The users of a group."""
    return f"members:{group_id}"


def files(task_id: int) -> str:
    """The files of a task."""
    return f"files:{task_id}"


def counts(scope: str) -> str:
    """The counters of a scope: `all`, `u3`, `g1` or a pair."""
    return f"counts:{scope}"


def spread(scope: str, *, trash: bool = False) -> str:
    """Over which groups (of `u3`), users (of `g1`), or `users` and `groups` at large, tasks are spread."""
    return f"{'trash-' if trash else ''}spread:{scope}"


def session(user_id: int | str, session_id: str) -> str:
    """One login."""
    return f"session:{user_id}:{session_id}"


def sessions(user_id: int | str) -> str:
    """The logins of a user."""
    return f"sessions:{user_id}"


def operation(digest: str) -> str:
    """The answer of a write."""
    return f"op:{digest}"


def kept(user_id: int | str) -> str:
    """The whole answers that are kept for a caller."""
    return f"kept:{user_id}"


def begun(operation_key: str) -> str:
    """The session that a write has begun."""
    return f"{operation_key}:session"


JOBS = "jobs"
RUNG = "taskapi:rung"
"""Both on the broker Redis: the jobs by time, and that a bell has rung just now."""


def job(job_id: str) -> str:
    """One job, on the broker Redis."""
    return f"job:{job_id}"


def begun_job(job_id: str) -> str:
    """That a worker has begun it, on the broker Redis."""
    return f"begun:{job_id}"


def turn(name: str) -> str:
    """That somebody does what has that name, on the broker Redis."""
    return f"turn:{name}"


def loading(key: str) -> str:
    """That somebody loads what is remembered under that key, on the broker Redis."""
    return f"loading:{key}"


def tasks_on(day: str, scopes: Sequence[str], stamp: str) -> str:
    """The ids of the tasks of a day in some scopes, on the broker Redis."""
    return f"task:{day}:{'+'.join(scopes)}:{stamp}"


def joke(server: str) -> str:
    """What another server has said, on the broker Redis."""
    return f"joke:{server}"
