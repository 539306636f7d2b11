"""Conditions, orders and scopes of tasks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskapi.domain.filters import SORTABLE, Order, Page, Scope, TaskFilter
from taskapi.domain.records import Task

tasks = st.builds(
    Task,
    id=st.integers(1, 10**6),
    title=st.text(max_size=3),
    status=st.booleans(),
    priority=st.integers(1, 3),
    deadline=st.sampled_from([None, "2026-01-01", "2026-06-01"]),
    tags=st.sampled_from([(), ("a",), ("a", "b")]),
    user_id=st.integers(1, 3),
    group_id=st.sampled_from([None, 1, 2]),
    estimate_hours=st.sampled_from([None, 0.5, 2]),
    created_at=st.sampled_from(["2026-01-01T00:00:00.000Z", "2026-03-01T12:00:00.000Z"]),
    updated_at=st.just("2026-03-01T12:00:00.000Z"),
)


@given(st.lists(tasks, unique_by=lambda task: task.id), st.sampled_from(SORTABLE), st.booleans())
def test_an_order_puts_empty_values_last_and_breaks_ties_by_id(found, field, descending):
    order = Order(field, descending)
    arranged = order.arranged(found)
    values = [order.value(task) for task in arranged]
    filled = [value for value in values if value is not None]
    assert values[len(filled) :] == [None] * (len(values) - len(filled))
    assert filled == sorted(filled, reverse=descending)
    ties = itertools.pairwise(arranged)
    assert all(one.id < other.id for one, other in ties if order.value(one) == order.value(other))


@given(st.lists(tasks, unique_by=lambda task: task.id), st.sampled_from(SORTABLE), st.booleans(), st.data())
def test_what_comes_after_a_task_is_the_rest_of_the_list(found, field, descending, data):
    order = Order(field, descending)
    arranged = order.arranged(found)
    cut = data.draw(st.integers(0, max(0, len(arranged) - 1)))
    if arranged:
        last = arranged[cut]
        after = [task for task in arranged if order.is_after(task, order.value(last), last.id)]
        assert after == arranged[cut + 1 :]


def test_every_field_that_can_be_sorted_by_exists():
    task = Task(title="t", user_id=1, created_at="", updated_at="")
    assert all(hasattr(task, field) for field in SORTABLE)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (TaskFilter(), True),
        (TaskFilter(status=False), True),
        (TaskFilter(status=True), False),
        (TaskFilter(priorities=(1, 2)), True),
        (TaskFilter(priorities=(3,)), False),
        (TaskFilter(tags=("a", "b")), True),
        (TaskFilter(tags=("a", "c")), False),
        (TaskFilter(overdue_on="2026-05-02"), True),
        (TaskFilter(overdue_on="2026-05-01"), False),
        (TaskFilter(not_overdue_on="2026-05-02"), False),
        (TaskFilter(not_overdue_on="2026-05-01"), True),
        (TaskFilter(deadline_from="2026-05-01", deadline_to="2026-05-01"), True),
        (TaskFilter(deadline_from="2026-05-02"), False),
        (TaskFilter(deadline_to="2026-04-30"), False),
        (TaskFilter(created_from="2026-01-02", created_to="2026-01-02"), True),
        (TaskFilter(created_from="2026-01-03"), False),
        (TaskFilter(created_to="2026-01-01"), False),
        (TaskFilter(words=("infor", "t")), True),
        (TaskFilter(words=("infor", "nowhere")), False),
        (TaskFilter(words=("t",), status=True), False),
    ],
)
def test_conditions_are_inclusive_and_all_must_hold(wanted, matches):
    task = Task(title="t", user_id=1, priority=2, tags=("a", "b"), deadline="2026-05-01",
                information="Some Information",
                created_at="2026-01-02T23:59:59.999Z", updated_at="")  # fmt: skip
    assert wanted.matches(task) is matches


def test_a_task_without_deadline_matches_no_condition_on_it():
    task = Task(title="t", user_id=1, created_at="2026-01-02T00:00:00.000Z", updated_at="")
    for wanted in (TaskFilter(overdue_on="2030-01-01"), TaskFilter(deadline_from="2000-01-01")):
        assert not wanted.matches(task)
    done = task.changed(deadline="2020-01-01", status=True)
    assert not TaskFilter(overdue_on="2030-01-01").matches(done)
    assert TaskFilter(not_overdue_on="2030-01-01").matches(done)


def test_a_scope_within_a_group_is_only_what_the_scope_had_of_it():
    assert Scope(everything=True).within_group(4) == Scope(groups=(4,))
    assert Scope(groups=(1, 4), user=2).within_group(4) == Scope(groups=(4,))
    assert Scope(groups=(1,), user=2).within_group(4) == Scope(pairs=((2, 4),))
    assert Scope(pairs=((2, 4), (2, 5))).within_group(4) == Scope(pairs=((2, 4),))
    assert Scope(user=2).within_group(4) == Scope(pairs=((2, 4),))


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        (Scope(everything=True), True),
        (Scope(), False),
        (Scope(groups=(3, 4)), True),
        (Scope(user=2), True),
        (Scope(pairs=((2, 4),)), True),
        (Scope(groups=(2,), user=4, pairs=((2, 3), (4, 2))), False),
    ],
)
def test_a_scope_covers_what_any_part_of_it_covers(scope, covers):
    task = Task(title="t", user_id=2, group_id=4, created_at="", updated_at="")
    assert scope.covers(task) is covers


def test_no_group_is_in_no_scope_of_groups():
    task = Task(title="t", user_id=2, created_at="", updated_at="")
    assert not Scope(groups=(1,), pairs=((2, 1),)).covers(task)


def test_a_page_by_cursor_has_no_offset():
    assert Page(50, 3).offset == 100
    assert Page(50, 3, "x").offset == 0
