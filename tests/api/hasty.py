"""A worker of gunicorn with little patience, for the tests of it."""

from __future__ import annotations

from taskapi.api import gthread, patience

patience.PATIENCE_SECONDS = 1.0
gthread.LINGER_SECONDS = 1.0
Worker = gthread.Worker
