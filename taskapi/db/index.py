"""The words of tasks as a search asks for them: an answer in good time, or none."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taskapi.db import queries
from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.domain.filters import Scope

ANSWER_SECONDS = 2.0
REST_SECONDS = 2.0


@dataclass(slots=True)
class _Asked:
    """One question: `answer`, or `fault`, once it was answered."""

    answer: list[int] | None = None
    fault: PostgresAway | None = None


class WordIndex:
    """Asks PostgreSQL, and never waits long for it.

    A server that is frozen, or behind a network that swallows everything, answers neither yes nor
    no: the question is left behind in a thread of its own. After that, and after a refusal, nobody
    asks for `REST_SECONDS`.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._rests_until = 0.0

    def __call__(self, words: Sequence[str], scope: Scope, limit: int) -> list[int]:
        """What `queries.search_tasks` finds; raises PostgresAway."""
        if time.monotonic() < self._rests_until:
            raise PostgresAway("PostgreSQL was away a moment ago.")
        asked, engine = _Asked(), self._engine()
        thread = threading.Thread(target=_ask, args=(asked, engine, words, scope, limit), daemon=True)
        thread.start()
        thread.join(ANSWER_SECONDS)
        if thread.is_alive():
            asked.fault = PostgresAway("PostgreSQL does not answer.")
        if asked.fault:
            self._rests_until = time.monotonic() + REST_SECONDS
            raise asked.fault
        if asked.answer is None:
            raise RuntimeError("The question has failed; its own thread has told why.")
        return asked.answer


def _ask(asked: _Asked, engine: Engine, words: Sequence[str], scope: Scope, limit: int) -> None:
    try:
        asked.answer = queries.search_tasks(engine, words, scope, limit)
    except PostgresAway as away:
        asked.fault = away
