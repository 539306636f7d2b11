"""Stamps: by which what is remembered of a scope is told from what it is now.

`save.lua` stamps each scope that sees a task, before or after, with the version of the change; a repair
stamps them all. What is filled anew from PostgreSQL begins in an epoch of its own.
"""

from __future__ import annotations

import hashlib

from taskapi.domain.filters import Scope
from taskapi.store.client import Store, run
from taskapi.store.errors import refusal

EVERY = "every"
MOST_SCOPES = 1000


def stamp(store: Store, scope: Scope) -> str | None:
    """A text that is another one after every change of a task in that scope; it never comes again.

    Whatever is loaded after it was asked for may be remembered under it. None if nothing may be: while tasks
    of a parent that is leaving are hidden and not yet changed, and of a scope with very many parts.
    Raises Unavailable.
    """
    fields = [EVERY, *parts(scope)]
    if len(fields) > MOST_SCOPES:
        return None
    reply = run(store, "stamps", *fields, patient=False)
    if reply[0] != b"ok":
        raise refusal(reply)
    _, epoch, leaving, found = reply
    if leaving:
        return None
    digest = hashlib.sha256(b" ".join(one or b"0" for one in found)).hexdigest()
    return f"{epoch.decode()}-{digest[:32]}"


def parts(scope: Scope) -> list[str]:
    """The scopes with stamps of their own that it is made of, in order; together they name it."""
    if scope.everything:
        return ["all"]
    users = {*(user_id for user_id, _ in scope.pairs), *([] if scope.user is None else [scope.user])}
    return [
        *(f"g{group_id}" for group_id in sorted(scope.groups)),
        *(f"u{user_id}" for user_id in sorted(users)),
    ]
