"""The one place that wires everything: settings, store, extensions, routes. Nothing connects here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import click
from flask import Flask, Response, has_request_context
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, IntegerConverter

from taskapi import cli, logs
from taskapi.api import headers, problems, routes, seen, tokens
from taskapi.api.addresses import Addresses, policy_of
from taskapi.api.callers import Callers
from taskapi.api.checkups import Checkups
from taskapi.api.seen import Policy
from taskapi.api.wiring import EXTENSION, Wiring
from taskapi.archives import Archives
from taskapi.bell import Bell
from taskapi.config import Settings, load_settings
from taskapi.db.engine import engine_options, is_reachable, make_safe
from taskapi.db.index import TaskIndex
from taskapi.dispatch import sender, turn_taker
from taskapi.domain.callers import Claim
from taskapi.embedded.servers import running_urls
from taskapi.extensions import db, migrate
from taskapi.outside.bucket import SERVING_SECONDS
from taskapi.outside.shelf import open_shelf
from taskapi.outside.upstream import Upstream
from taskapi.store import cache, heartbeats, jobs
from taskapi.store.client import Limit, Store, connect
from taskapi.store.jobs import Jobs
from taskapi.store.reading import Question, ask
from taskapi.sync import status

LARGEST_BODY = 1024 * 1024
USUAL = {
    "redis": "redis://127.0.0.1:6380/0",
    "broker": "redis://127.0.0.1:6381/0",
    "postgres": "postgresql+psycopg2://127.0.0.1:5433/taskmaster",
}


class RecordId(IntegerConverter):
    """An id in a path: no sign, no leading zero, and short enough to be one."""

    regex = "[1-9][0-9]{0,15}"


class PathText(BaseConverter):
    """Any text at the end of a path, slashes and all."""

    regex = ".+?"
    part_isolating = False


class TaskApi(Flask):
    """Flask that answers with JSON and nothing else."""

    request_class = seen.NotedRequest

    def ensure_sync(self, func: Any) -> Any:
        """The function itself: no view here is a coroutine, and asking costs every request anew."""
        return func

    def make_default_options_response(self) -> Response:
        """What a path takes, without a body."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def create_app(settings: Settings | None = None) -> Flask:
    """The app; settings are read from the environment unless given."""
    settings = settings or load_settings()
    urls = addresses_of(settings)
    logs.configure(settings, _service(), seen.around)
    app = TaskApi("taskapi", static_folder=None)
    app.config.update(SETTINGS=settings, PROPAGATE_EXCEPTIONS=False, MAX_CONTENT_LENGTH=LARGEST_BODY)
    _route(app)
    _bind_database(app, urls["postgres"])
    tokens.register(app, settings)
    problems.register(app)
    _wire(app, settings, urls)
    headers.register(app, settings.cors_origins, settings.log_level)
    routes.register(app)
    cli.register(app)
    _behind_proxies(app, settings.trusted_proxies)
    return app


def _service() -> str:
    """As what this process logs: `flask sync` and the like are no API."""
    return "api" if click.get_current_context(silent=True) is None else "cli"


def addresses_of(settings: Settings) -> dict[str, str]:
    """Where `redis`, `broker` and `postgres` are: as set, or in development where `make run` has them."""
    given = {"redis": settings.redis_url, "broker": settings.broker_url, "postgres": settings.database_url}
    return USUAL | running_urls(settings.taskapi_home) | {name: url for name, url in given.items() if url}


def _route(app: Flask) -> None:
    """A slash at the end of a path is optional and never redirects; an id is a number that can be one."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters |= {"int": RecordId, "text": PathText}


def _bind_database(app: Flask, url: str) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options()
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        make_safe(db.engine)


def _wire(app: Flask, settings: Settings, urls: dict[str, str]) -> None:
    policy = policy_of("default", settings.rate_limit_default)
    store = store_of(urls["redis"], policy, safe_only=settings.safe_redis_only)
    counted = {"check": settings.rate_limit_check, "by_date": settings.rate_limit_by_date}
    addresses = Addresses(urls["broker"], settings.rate_limit_auth, settings.rate_limit_anonymous, counted)
    send_job = sender(urls["broker"], seen.current_request_id)
    secret = hashlib.sha256(b"idempotency" + settings.secret_key.encode()).digest()
    bell = Bell(store, send_job, may_ring=turn_taker(urls["broker"]))
    callers = Callers(settings, store, addresses)
    app.extensions["taskapi.store"] = store
    app.extensions["taskapi.uploads"] = open_shelf(
        settings.upload_url, seconds=SERVING_SECONDS, called="UPLOAD_URL"
    )
    app.extensions["taskapi.index"] = TaskIndex(lambda: db.engine)
    app.extensions["taskapi.cache"] = cache.connect(urls["broker"])
    app.extensions["taskapi.upstream"] = Upstream(settings.external_joke_url)
    broker = jobs.connect(urls["broker"])
    _bind_reports(app, settings, store, broker)
    _bind_checkups(app, store, broker)
    app.extensions[EXTENSION] = Wiring(settings, store, callers, addresses, bell, send_job, secret, policy)


def _bind_reports(app: Flask, settings: Settings, store: Store, broker: Jobs) -> None:
    """What the owner's endpoints ask of the sync, which they may not know themselves."""
    interval = settings.sync_interval
    app.extensions["taskapi.jobs"] = broker
    app.extensions["taskapi.archives"] = Archives(settings.backup_url)
    app.extensions["taskapi.status"] = lambda: status.read_status(store, db.engine, broker, interval)
    app.extensions["taskapi.stats"] = lambda: status.read_stats(store, db.engine, broker, interval)


def _bind_checkups(app: Flask, store: Store, broker: Jobs) -> None:
    """What the probes look at, in threads that know of no request."""
    with app.app_context():
        engine = db.engine
    app.extensions["taskapi.checkups"] = Checkups(
        redis=lambda: ask(store, Claim(0), Question()),
        database=lambda: is_reachable(engine),
        broker=lambda: heartbeats.alive(broker),
    )


def store_of(url: str, policy: Policy | None, *, safe_only: bool = False) -> Store:
    """The data store, with the limit that each caller has."""
    if policy is None:
        return connect(url, safe_only=safe_only)
    limits = (Limit(policy.calls, policy.seconds * 1000),)
    return connect(url, limits, _metered(policy), safe_only=safe_only)


def _metered(policy: Policy) -> Callable[[int, int], None]:
    def metered(left: int, full_in_ms: int) -> None:
        if has_request_context():
            seen.metered(policy, left, min(policy.seconds, math.ceil(full_in_ms / 1000)))

    return metered


def _behind_proxies(app: Flask, hops: int) -> None:
    """Believes the last `hops` addresses in X-Forwarded-For, and nothing else of that kind."""
    if hops:
        wrapped: Any = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)
        app.wsgi_app = wrapped  # type: ignore[method-assign]
