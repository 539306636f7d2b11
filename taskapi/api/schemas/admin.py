"""The owner's view of the machinery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from taskapi.api.schemas.query import Choice, Query, WholeParameter

WAIT_SECONDS = 20
LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class SyncWanted:
    """What shall be done, and how many seconds the caller waits for it."""

    action: str
    wait: float


class SyncQuery(Query):
    """What to do."""

    has_wanted = True

    action = Choice({"force": "force"}, required=True)
    wait = WholeParameter(0, LONGEST_WAIT)

    def wanted(self, values: dict[str, Any]) -> SyncWanted:
        """The wish."""
        return SyncWanted(values["action"], values.get("wait", WAIT_SECONDS))


class Synced(Schema):
    """What a sync has done, or the job that does it."""

    action = fields.String()
    job_id = fields.String()
    state = fields.String()
    synced = fields.Dict(keys=fields.String(), values=fields.Integer())
    pending_changes = fields.Boolean()
    duration_ms = fields.Float(allow_none=True)


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
    losses = fields.List(fields.Dict())
    sync_count = fields.Integer()
    rows_synced = fields.Integer()
    headroom = fields.Dict()


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
