"""Before an API or a worker begins: in production none does on a Redis that may lose what it acknowledged."""

import structlog

from taskapi.config import Settings
from taskapi.domain.errors import Unavailable
from taskapi.store import safety
from taskapi.store.client import connect

log = structlog.get_logger("taskapi.starting")


def require_safe_redis(settings: Settings, url: str) -> None:
    """Raises SystemExit with what to set, where only a safe Redis will do; in development warns.

    One that is away cannot be asked: then the start goes on, and nothing is served until it was admitted.
    """
    store = connect(url)
    try:
        risks = [flaw for flaw in safety.flaws(store) if flaw.is_risk]
    except Unavailable:
        return
    finally:
        store.redis.close()
    if not risks:
        return
    if settings.safe_redis_only:
        raise SystemExit(f"taskapi: {safety.sentence(risks)}")
    log.warning("an unsafe Redis", reason=safety.sentence(risks), durability=settings.durability)
