"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import cache

import orjson
from flask import Response

from taskapi.api import seen
from taskapi.api.checkups import UNHEALTHY, Checkups
from taskapi.api.contracts import any_query, example, or_else, public, refuses, returns, uncounted
from taskapi.api.schemas.health import ILL, TIME, DatabaseOut, HealthOut, ProbeOut
from taskapi.api.serving import Noun
from taskapi.api.wiring import extension, store
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.store.reading import Question, ask
from taskapi.version import VERSION

bp = Noun("health", __name__)
PATIENCE_SECONDS = 0.8
_NOT_SERVED = "Requests are not served now."
_or_ill = or_else(503, _NOT_SERVED, ILL)
_or_unready = or_else(503, _NOT_SERVED, ILL | {"status": "unready"})


@bp.get("/health")
@public
@uncounted
@any_query
@_or_ill
@returns(ProbeOut, bare=True)
def read_health(_: Claim) -> Response:
    """Whether requests are served now: 200 healthy, or within a second 503 unhealthy."""
    return _told("healthy", "unhealthy")


@bp.get("/health/live")
@public
@uncounted
@any_query
@example(answer={"status": "alive", "timestamp": TIME})
@returns(ProbeOut, bare=True)
def read_live(_: Claim) -> Response:
    """Whether this process answers at all."""
    return Response(_body("alive"), content_type="application/json")


@bp.get("/health/ready")
@public
@uncounted
@any_query
@_or_unready
@example(answer={"status": "ready", "timestamp": TIME})
@returns(ProbeOut, bare=True)
def read_ready(_: Claim) -> Response:
    """Whether this process should be sent requests."""
    return _told("ready", "unready")


@bp.get("/health/detailed")
@public
@uncounted
@any_query
@returns(HealthOut, bare=True)
@_or_ill
def read_health_of_parts(_: Claim) -> Response:
    """How Redis, PostgreSQL, broker and workers are: 200 while requests are served, else 503."""
    report = _checkups().report()
    told = {"version": VERSION, "checks": report["checks"], "timestamp": report["timestamp"]}
    if report["status"] == UNHEALTHY:
        return _ill(UNHEALTHY, "The data store does not serve.", **told)
    return Response(orjson.dumps({"status": report["status"], **told}), content_type="application/json")


@bp.get("/api/health/db")
@public
@uncounted
@any_query
@returns(DatabaseOut, bare=True)
@refuses(unavailable="PostgreSQL does not answer. Requests are served on while Redis does.")
def read_health_of_database(_: Claim) -> Response:
    """Whether PostgreSQL answers."""
    report = _checkups().report()
    if report["checks"]["database"]["status"] == UNHEALTHY:
        raise Unavailable("PostgreSQL does not answer.")
    told = {**report["checks"]["database"], "database": "connected", "timestamp": report["timestamp"]}
    return Response(orjson.dumps(told), content_type="application/json")


def _checkups() -> Checkups:
    found: Checkups = extension("taskapi.checkups")
    return found


def _told(well: str, ill: str) -> Response:
    fault = _fault()
    if fault is None:
        return Response(_body(well), content_type="application/json")
    return _ill(ill, fault)


def _ill(status: str, fault: str, **beside: object) -> Response:
    told = {"success": False, "code": "unavailable", "detail": fault, "request_id": seen.request_id()}
    body = _body(status, **told, **beside)
    return Response(body, 503, {"Retry-After": "1"}, content_type="application/json")


def _body(status: str, **beside: object) -> bytes:
    return orjson.dumps({"status": status, "timestamp": timestamp()} | beside)


def _fault() -> str | None:
    """Why a read would not be served, or None. A server that hangs is not waited for."""
    try:
        _prober(os.getpid()).submit(ask, store(), Claim(0), Question()).result(PATIENCE_SECONDS)
    except TooLate:
        return "The data store does not answer."
    except Unavailable as refusal:
        return str(refusal)
    return None


@cache
def _prober(_: int) -> ThreadPoolExecutor:
    """That of this process: a fork inherits the threads of its parent by name only."""
    return ThreadPoolExecutor(2, thread_name_prefix="health")
