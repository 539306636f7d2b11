"""Users as a caller may see them."""

from __future__ import annotations

from taskapi.domain import access
from taskapi.domain.callers import Caller
from taskapi.services.results import Shown, computed, whole
from taskapi.store import codec
from taskapi.store.codec import Stored


def shown_user(caller: Caller, stored: Stored) -> Shown:
    """The stored text if the caller may see all of it, else what is left of it."""
    user = stored.record
    shown = codec.as_sent(stored.blob)
    narrowed = access.narrowed_user(caller, user, shown)
    return whole(stored) if narrowed == shown else computed(narrowed, user.id)
