"""What the probes tell."""

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as

_WELL = ["healthy", "unhealthy"]
_PART = {"status": "healthy", "latency_ms": 0.8}


_SILENT = "The data store does not answer."
_RARE = {"rare": True, "description": "Only where requests are not served."}
ILL = {
    "status": "unhealthy",
    "success": False,
    "code": "unavailable",
    "detail": _SILENT,
    "request_id": "0f8fad5bd9cb469fa16570867728950e",
}
TIME = "2030-01-30T09:15:00.000Z"


class Ill(Schema):
    """What a probe tells beside, where requests are not served."""

    success = fields.Boolean(metadata=_RARE)
    code = fields.String(metadata={"enum": ["unavailable"], **_RARE})
    detail = fields.String(metadata=_RARE)
    request_id = fields.String(metadata=_RARE)


class ProbeOut(Ill):
    """How this process is."""

    status = fields.String(metadata={"enum": ["healthy", "ready", "alive", "unhealthy", "unready"]})
    timestamp = fields.DateTime()


class CheckOut(Schema):
    """One part of the system."""

    status = fields.String(metadata={"enum": _WELL})
    latency_ms = fields.Float(
        allow_none=True, metadata={"minimum": 0, "description": "How long it took; null when it is away."}
    )


class WorkersOut(Schema):
    """Who carries to PostgreSQL, and who reminds them."""

    status = fields.String(metadata={"enum": _WELL})
    workers = fields.Integer(allow_none=True, metadata={"minimum": 0})
    beat = fields.Boolean(allow_none=True)


class ChecksOut(Schema):
    """All parts."""

    redis = fields.Nested(CheckOut)
    database = fields.Nested(CheckOut)
    broker = fields.Nested(CheckOut)
    workers = fields.Nested(WorkersOut)


@such_as(
    version="0.1.0",
    checks={
        **dict.fromkeys(("redis", "database", "broker"), _PART),
        "workers": {"status": "healthy", "workers": 2, "beat": True},
    },
)
class HealthOut(Ill):
    """How the system is: degraded while requests are served, though something else is away."""

    status = fields.String(metadata={"enum": ["healthy", "degraded", "unhealthy"]})
    version = fields.String()
    checks = fields.Nested(ChecksOut)
    timestamp = fields.DateTime()


@such_as(database="connected", latency_ms=0.8)
class DatabaseOut(Schema):
    """PostgreSQL answers."""

    status = fields.String(metadata={"enum": ["healthy"]})
    database = fields.String(metadata={"enum": ["connected"]})
    latency_ms = fields.Float(metadata={"minimum": 0})
    timestamp = fields.DateTime()
