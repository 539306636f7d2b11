"""How far a search looks: with PostgreSQL or without, and within its time."""

import pytest

from taskapi.db.engine import Engine
from taskapi.services import finding
from taskapi.services.finding import Index
from taskapi.store import state
from taskapi.store.lines import Lines
from taskapi.sync.flush import drain
from tests.services.conftest import BOB, House
from tests.services.search.conftest import Finder


def test_without_postgresql_the_scope_is_scanned_and_cut_when_the_time_is_over(
    house: House, away: Index, monkeypatch: pytest.MonkeyPatch
):
    for number in range(3):
        house.task(BOB, 1, title=f"word {number}")
    finder = Finder(house.store, away)
    assert finder.answer("word").beside["complete"] is True
    monkeypatch.setattr(finding, "WORK_SECONDS", 0)

    answer = finder.answer("word")

    assert (answer.total, answer.items, answer.beside["complete"]) == (0, (), False)


def test_a_scan_that_is_cut_answers_with_what_it_saw(
    house: House, away: Index, monkeypatch: pytest.MonkeyPatch
):
    for number in range(7):
        house.task(BOB, 1, title=f"word {number}")
    monkeypatch.setattr("taskapi.store.finders.SLICE", 3)
    turns = iter([True, True, False])

    class Twice(finding.Work):
        def may_go_on(self) -> bool:
            self.was_cut = not next(turns)
            return not self.was_cut

    monkeypatch.setattr(finding, "Work", Twice)
    answer = Finder(house.store, away).answer("word")

    assert (len(answer.items), answer.total, answer.beside["complete"]) == (6, 6, False)


def test_while_a_restore_goes_on_postgresql_is_not_asked(house: House, engine: Engine):
    house.task(BOB, 1, title="word")
    drain(house.store, engine, 5)

    def unasked(*_: object) -> list[int]:
        raise AssertionError

    assert state.freeze(house.store, "restore")
    answer = Finder(house.store, unasked).answer("word")
    assert (answer.total, answer.beside["complete"]) == (1, True)


def test_too_many_waiting_records_are_scanned_too(
    house: House, index: Index, monkeypatch: pytest.MonkeyPatch
):
    house.task(BOB, 1, title="word")
    monkeypatch.setattr(finding, "MOST_WAITING", 1)

    def unasked(*_: object) -> list[int]:
        raise AssertionError

    finder = Finder(house.store, unasked)
    assert finder.ids("word") == [1]
    assert Finder(house.store, None).ids("word") == [1]


def test_more_hits_than_are_looked_at_are_told(
    house: House, engine: Engine, finder: Finder, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(4):
        house.task(BOB, 1, title="word")
    drain(house.store, engine, 5)
    monkeypatch.setattr(finding, "SLICE", 2)
    monkeypatch.setattr(finding, "MOST_HITS", 4)
    assert (finder.ids("word"), finder.listed("word").beside) == ([1, 2, 3, 4], {"complete": True})
    monkeypatch.setattr(finding, "MOST_HITS", 3)
    assert (finder.ids("word"), finder.listed("word").beside) == ([1, 2, 3], {"complete": False})
    monkeypatch.setattr(finding, "WORK_SECONDS", 0)
    assert (finder.ids("word"), finder.listed("word").beside) == ([], {"complete": False})


def test_a_search_over_tasks_takes_three_questions(
    house: House, engine: Engine, finder: Finder, monkeypatch: pytest.MonkeyPatch
):
    house.task(BOB, 1, title="word")
    finder.ids("word")
    asked_for = []
    once = Lines.exchange

    def counted(lines, *command, **options):
        asked_for.append(command)
        return once(lines, *command, **options)

    monkeypatch.setattr(Lines, "exchange", counted)
    assert finder.ids("word") == [1]
    assert len(asked_for) == 3
