"""The owner's view of the machinery."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.query import Choice, Flag, Query, WholeParameter
from taskapi.services import operating
from taskapi.services.operating import Wish

WAIT_SECONDS = 20
LONGEST_WAIT = 60


class Waiting(Query):
    """How many seconds the answer waits for the job."""

    has_wanted = True

    wait = WholeParameter(0, LONGEST_WAIT, load_default=WAIT_SECONDS)


class UndoQuery(Waiting):
    """How to restore: without a second copy in memory, if need be."""

    offline = Flag(load_default=False)


class RestoreQuery(UndoQuery):
    """The same, or only tell what would change."""

    dry_run = Flag(load_default=False)


class SyncQuery(RestoreQuery):
    """What to do; all but `wait` only for a restore. `confirm` and `up_to` are as a dry run has told them."""

    action = Choice({name: name for name in ("force", "restore", "backup")}, required=True)
    confirm = WholeParameter(0)
    up_to = WholeParameter(0)

    def wanted(self, values: dict[str, Any]) -> tuple[Wish, float]:
        """The wish, and how long to wait."""
        wait = values.pop("wait")
        action = values.pop("action")
        options = {name: value for name, value in values.items() if value is not False}
        if action == "restore":
            _require_both(options)
            return operating.rebuild(**options), wait
        if options:
            sentence = f"Only action=restore takes {', '.join(sorted(options))}."
            raise ValidationError({name: [sentence] for name in options})
        return (operating.FORCE if action == "force" else operating.BACKUP), wait


def _require_both(options: dict[str, Any]) -> None:
    pair = ("confirm", "up_to")
    missing = [name for name in pair if name not in options]
    if len(missing) == 1:
        told = "Give confirm and up_to together, as ?action=restore&dry_run=true tells them."
        raise ValidationError({missing[0]: [told]})


class Synced(Schema):
    """What was done, or the job that does it."""

    action = fields.String()
    job_id = fields.String()
    state = fields.String()
    synced = fields.Dict(keys=fields.String(), values=fields.Integer())
    pending_changes = fields.Boolean()
    duration_ms = fields.Float(allow_none=True)
    report = fields.Dict()


class LossOut(Schema):
    """What a store came back without, after version `above`; `healed` if the other store had all of it."""

    store = fields.String(metadata={"enum": ["redis", "postgresql", "journal"]})
    above = fields.Integer()
    up_to = fields.Integer(allow_none=True, metadata={"description": "null: nobody knows yet."})
    healed = fields.Boolean()
    at = fields.DateTime()


class CleanupOut(Schema):
    """When a clean-up job was done last, and how much it removed then."""

    at = fields.DateTime()
    removed = fields.Integer()


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


class StatusOut(Schema):
    """The state of both stores and of what carries between them."""

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


class StatsOut(Schema):
    """How many records each store has."""

    redis = fields.Dict(keys=fields.String(), values=fields.Integer())
    postgresql = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    sync = fields.Dict(keys=fields.String(), values=fields.Boolean())


class JobOut(Schema):
    """A job in the background."""

    id = fields.String()
    action = fields.String()
    state = fields.String(metadata={"enum": ["queued", "running", "done", "failed"]})
    progress = fields.Float(metadata={"minimum": 0, "maximum": 1})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    report = fields.Dict()
