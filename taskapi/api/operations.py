"""The name of a write: from the caller's `Idempotency-Key`, or made up."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

from flask import request

from taskapi.api.errors import Malformed
from taskapi.domain.callers import Operation

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def canonical_path() -> str:
    """The path without `/v1` and without a slash at its end: both mounts are one endpoint."""
    path = request.path.rstrip("/")
    return path.removeprefix("/v1") if path == "/v1" or path.startswith("/v1/") else path


def operation(secret: bytes, key: str, sent: dict[str, Any] | None, *, known: bool) -> Operation | None:
    """The operation that the caller calls `key`; `sent` is its body. Raises Malformed for no key.

    Callers who are not `known` cannot be told apart: the same key with another body is another operation.

    The fingerprint is keyed with a secret: a body may hold a password, and the fingerprint is kept for a day.
    """
    if request.method in SAFE:
        return None
    if not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    said = json.dumps([request.query_string.decode("latin-1"), sent], sort_keys=True, ensure_ascii=True)
    fingerprint = hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()
    named = f"{request.method}\n{canonical_path()}\n{key}\n{'' if known else fingerprint}"
    return Operation(hashlib.sha256(named.encode()).hexdigest()[:32], fingerprint)
