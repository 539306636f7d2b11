"""The owner's view of the machinery."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as


@such_as(
    action="force",
    job_id="5b1c9f0e6d7a4c38",
    state="done",
    synced={"users": 1, "tasks": 3},
    pending_changes=False,
    duration_ms=41.7,
)
class Synced(Schema):
    """What was done, or the job that does it."""

    action = fields.String()
    job_id = fields.String()
    state = fields.String()
    synced = fields.Dict(keys=fields.String(), values=fields.Integer())
    pending_changes = fields.Boolean()
    duration_ms = fields.Float(allow_none=True)
    report = fields.Dict(metadata={"rare": True, "description": "Of a job that is over."})


@such_as(above=4294967290, up_to=4294967301)
class LossOut(Schema):
    """What a store came back without, after version `above`; `healed` if the other store had all of it."""

    store = fields.String(metadata={"enum": ["redis", "postgresql", "journal"]})
    above = fields.Integer()
    up_to = fields.Integer(allow_none=True, metadata={"description": "null: nobody knows yet."})
    healed = fields.Boolean()
    at = fields.DateTime()
    seen = fields.Boolean(
        allow_none=True,
        metadata={"description": "Whether somebody said to know of it; null while PostgreSQL is away."},
    )


@such_as(removed=12)
class CleanupOut(Schema):
    """When a clean-up job was done last, and how much it removed then."""

    at = fields.DateTime()
    removed = fields.Integer()


@such_as(action="restored", target="20300130T091500Z-5b1c", archive="20300130T101500Z-77ae")
class LastRestoreOut(Schema):
    """The last restore; `archive` is the backup of what was there before, null if nothing was replaced."""

    at = fields.DateTime()
    action = fields.String(metadata={"enum": ["rebuilt", "restored", "undone"]})
    target = fields.String(metadata={"description": "The backup, or postgresql."})
    archive = fields.String(allow_none=True)


@such_as(
    id="20300130T091500Z-5b1c",
    bytes=20481,
    flaw=None,
    counts={"user": 4, "group": 1, "task": 12},
    incarnation="0f8fad5bd9cb469f",
    epoch=1,
    version=4294967301,
    entries=17,
    ids={"user": 5, "group": 2, "task": 13},
    history_above=0,
)
class BackupOut(Schema):
    """One backup."""

    id = fields.String()
    created_at = fields.DateTime()
    reason = fields.String(metadata={"enum": ["asked", "daily", "before-restore"]})
    source = fields.String(metadata={"enum": ["postgresql", "redis"]})
    bytes = fields.Integer()
    is_good = fields.Boolean(
        metadata={"description": "Whether it was restored into a scratch schema, equal."}
    )
    verified_at = fields.DateTime(allow_none=True)
    flaw = fields.String(allow_none=True, metadata={"description": "What was found to be wrong with it."})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    incarnation = fields.String()
    epoch = fields.Integer()
    version = fields.Integer()
    entries = fields.Integer(metadata={"description": "Changes in its journal."})
    ids = fields.Dict(keys=fields.String(), values=fields.Integer())
    history_above = fields.Integer(
        metadata={"description": "Up to this version its journal may lack changes; 0: it has all."}
    )


@such_as(
    state="ready",
    interval="15m0s",
    time_since_last_sync="4m10s",
    dirty_types=["task"],
    lag=0.4,
    dirty={"task": 3},
    quarantine=0,
    workers=["celery@worker-1"],
    epoch=1,
    sync_count=12,
    rows_synced=340,
    last_compare={"at": "2030-01-30T03:00:00.000Z", "equal": True},
    headroom={},
    cleanup={"trash": {"at": "2030-01-30T03:00:00.000Z", "removed": 12}},
    ground={},
)
class StatusOut(Schema):
    """The state of both stores and of what carries between them."""

    state = fields.String(
        metadata={
            "enum": ["ready", "restoring", "closed", "unverified"],
            "description": "Of Redis: restoring, it is read and not written; closed or unverified, neither.",
        }
    )
    running = fields.Boolean(metadata={"description": "Whether a worker and the beat were seen lately."})
    interval = fields.String()
    last_sync = fields.DateTime(allow_none=True)
    time_since_last_sync = fields.String(allow_none=True)
    healthy = fields.Boolean()
    dirty_types = fields.List(fields.String())
    pending_changes = fields.Boolean()
    redis_status = fields.String(metadata={"enum": ["connected", "error"]})
    postgres_status = fields.String(metadata={"enum": ["connected", "error"]})
    lag = fields.Float(metadata={"description": "Seconds since the oldest change that PostgreSQL lacks."})
    dirty = fields.Dict(keys=fields.String(), values=fields.Integer())
    quarantine = fields.Integer()
    workers = fields.List(fields.String())
    epoch = fields.Integer()
    losses = fields.List(fields.Nested(LossOut))
    sync_count = fields.Integer()
    rows_synced = fields.Integer()
    last_restore = fields.Nested(
        LastRestoreOut,
        allow_none=True,
        metadata={"description": "Whoever asked for it; null before the first, or while PostgreSQL is away."},
    )
    last_compare = fields.Dict(
        allow_none=True,
        metadata={"description": "{at, equal, sound, exact, repaired, left} of the last audit."},
    )
    cleanup = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(CleanupOut),
        metadata={"description": "Each clean-up job that was ever done, by name."},
    )
    headroom = fields.Dict(metadata={"description": "What is left of memory, ids and disks, and how long."})
    ground = fields.Dict(metadata={"description": "What the last check of the stores found."})


@such_as(redis={"user": 4, "task": 12}, postgresql={"user": 4, "task": 12}, sync={"task": True})
class StatsOut(Schema):
    """How many records each store has."""

    redis = fields.Dict(keys=fields.String(), values=fields.Integer())
    postgresql = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    sync = fields.Dict(keys=fields.String(), values=fields.Boolean())


@such_as(
    id="5b1c9f0e6d7a4c38", action="force", state="running", progress=0.5, request_id="5f0c2d7e", report={}
)
class JobOut(Schema):
    """A job in the background."""

    id = fields.String()
    action = fields.String()
    state = fields.String(metadata={"enum": ["queued", "running", "done", "failed"]})
    progress = fields.Float(metadata={"minimum": 0, "maximum": 1})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    request_id = fields.String(
        allow_none=True, metadata={"description": "Of the request that asked for it; null if none did."}
    )
    report = fields.Dict()
