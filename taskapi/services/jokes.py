"""The one thing that is asked of another server."""

from __future__ import annotations

import hashlib

from taskapi.domain.deadlines import anew
from taskapi.outside.upstream import MOST_SECONDS, Upstream
from taskapi.services.results import Shown
from taskapi.store import keys
from taskapi.store.cache import Cache, remembered

KEPT_SECONDS = 60
REMEMBERING_SECONDS = 0.3


def read_joke(cache: Cache, upstream: Upstream) -> Shown:
    """What the other server says, for a minute the same: of many who ask at once one asks it.

    Raises UpstreamSlow and UpstreamFailed, which are not remembered.
    """
    key = keys.joke(hashlib.sha256(upstream.url.encode()).hexdigest()[:16])
    with anew(MOST_SECONDS + REMEMBERING_SECONDS):
        joke = remembered(cache, key, KEPT_SECONDS, upstream.json, patience=MOST_SECONDS)
    return Shown(b'{"joke":%b}' % joke)
