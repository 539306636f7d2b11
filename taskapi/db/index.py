"""Tasks as PostgreSQL's indexes find them: an answer in good time, or none."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taskapi.db import queries
from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway, TookTooLong
from taskapi.domain.deadlines import within
from taskapi.domain.filters import Scope

ANSWER_SECONDS = 1.0
REST_SECONDS = 2.0

Question = Callable[[], list[int]]


@dataclass(slots=True)
class _Asked:
    """One question: `answer`, or `fault`, once it was answered."""

    answer: list[int] | None = None
    fault: PostgresAway | None = None


class TaskIndex:
    """Asks PostgreSQL, and never waits long for it.

    A server that is frozen, or behind a network that swallows everything, answers neither yes nor
    no: the question is left behind in a thread of its own. After that, and when it is away, nobody
    asks for `REST_SECONDS`; one question that takes too long says nothing about the next.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._rests_until = 0.0

    def by_words(self, words: Sequence[str], scope: Scope, limit: int) -> list[int]:
        """What `queries.search_tasks` finds; raises PostgresAway."""
        engine = self._engine()
        return self._answered(lambda: queries.search_tasks(engine, words, scope, limit))

    def by_day(self, day: str, scope: Scope, limit: int) -> list[int]:
        """What `queries.tasks_on_day` finds; raises PostgresAway."""
        engine = self._engine()
        return self._answered(lambda: queries.tasks_on_day(engine, day, scope, limit))

    def _answered(self, question: Question) -> list[int]:
        if time.monotonic() < self._rests_until:
            raise PostgresAway("PostgreSQL was away a moment ago.")
        asked = _waited(question)
        if asked.fault and not isinstance(asked.fault, TookTooLong):
            self._rests_until = time.monotonic() + REST_SECONDS
        if asked.fault:
            raise asked.fault
        if asked.answer is None:
            raise RuntimeError("The question has failed; its own thread has told why.")
        return asked.answer


def _waited(question: Question) -> _Asked:
    """The question as it stands after `ANSWER_SECONDS` at most."""
    asked = _Asked()
    thread = threading.Thread(target=_ask, args=(asked, question), daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return _Asked(fault=PostgresAway("PostgreSQL does not answer.")) if thread.is_alive() else asked


def _ask(asked: _Asked, question: Question) -> None:
    try:
        with within(ANSWER_SECONDS):
            asked.answer = question()
    except PostgresAway as away:
        asked.fault = away
