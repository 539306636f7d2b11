"""Probes, documents, lines of the log, and the call to a server elsewhere."""

from __future__ import annotations

import re

from tests.replay.cases import Call, Case, refused

JOKE = {"setup": "Why?", "punchline": "Because."}

ELSEWHERE = (
    Case(
        "a server elsewhere is asked for a joke, for everybody",
        (
            Call("GET /v1/tasks/external-joke", 200, by="", told={"data": {"joke": JOKE}}),
            Call("GET /v1/tasks/external-joke", 200, told={"data": {"joke": JOKE}}),
        ),
    ),
    Case(
        "when that server is away it is said so, as of everything else that goes wrong",
        (Call("GET /v1/tasks/external-joke", 502, by="", told=refused("upstream_failed")),),
        environ={"EXTERNAL_JOKE_URL": "http://127.0.0.1:9/"},
    ),
)

OPERATING = (
    Case(
        "probes and balancers need no credentials",
        (
            Call("GET /health", 200, by="", told={"status": "healthy", "timestamp": re.compile(r"\S+Z")}),
            Call("HEAD /health", 200, by=""),
            Call("GET /v1/health", 200, by=""),
        ),
    ),
    Case(
        "each store is asked how it is",
        (
            Call(
                "GET /health/detailed",
                200,
                by="",
                told={
                    "status": str,
                    "version": str,
                    "checks": {
                        "database": {"status": "healthy", "latency_ms": float},
                        "redis": {"status": "healthy", "latency_ms": float},
                    },
                },
            ),
        ),
    ),
    Case(
        "the API describes itself, for people in two ways and for programs",
        (
            Call("GET /docs", 200, by="", headed={"Content-Type": "text/html.*"}),
            Call("GET /redoc", 200, by="", headed={"Content-Type": "text/html.*"}),
            Call("GET /openapi.json", 200, by="", told={"openapi": re.compile(r"3\.1\.\d"), "paths": dict}),
        ),
    ),
    Case(
        "every answer has the id of its request: the caller's, or a new one",
        (
            Call(
                "GET /health",
                200,
                by="",
                headers={"X-Request-ID": "moth-70"},
                headed={"X-Request-ID": "moth-70"},
            ),
            Call("GET /v1/tasks/", 200, headed={"X-Request-ID": "[0-9a-f]{32}"}),
            Call("GET /nowhere", 404, headers={"X-Request-ID": "moth-71"}, told={"request_id": "moth-71"}),
        ),
    ),
    Case(
        "lines are JSON, with the time, the level and the id of the request",
        (Call("POST /v1/tasks/", 201, sent={"title": "x"}, headers={"X-Request-ID": "moth-72"}),),
        served=True,
        logged=(
            {
                "request_id": "moth-72",
                "level": "info",
                "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\S+Z"),
                "method": "POST",
                "status": 201,
                "user": int,
            },
        ),
    ),
    Case(
        "whatever goes wrong is told in one form",
        (
            Call("GET /nowhere", 404, told=refused("not_found")),
            Call("DELETE /health", 405, by="", headed={"Allow": ".*GET.*"}),
            Call("POST /v1/tasks/", 415, form={"title": "x"}, told=refused("unsupported_media_type")),
            Call(
                "POST /v1/tasks/",
                400,
                headers={"Content-Type": "application/json"},
                told=refused("malformed"),
            ),
        ),
    ),
)
