"""Asking for a list whose scope depends on who calls, in one round trip all the same."""

from __future__ import annotations

from collections.abc import Callable

from taskapi.domain.callers import Caller, Claim
from taskapi.domain.errors import Moved
from taskapi.store.client import Store
from taskapi.store.reading import Question, Seen, ask


def ask_as(store: Store, claim: Claim, question: Callable[[Caller], Question]) -> Seen:
    """Asks what this caller may ask, judged by how they were last seen; again if they have changed since.

    The answer's own caller is the one to decide on. `question` refuses nothing.
    """
    user = store.familiar.get(claim.user_id)
    for _ in range(3):
        asked = Question() if user is None else question(Caller(user, claim))
        seen = ask(store, claim, asked)
        present = seen.caller.user
        if present == user:
            return seen
        user = present
        store.remember(present)
    raise Moved("The caller has changed.")
