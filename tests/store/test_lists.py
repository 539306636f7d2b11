"""Lists, pages and counters against a plain Python model of the same records."""

import random

import pytest

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Invalid
from taskapi.domain.filters import Order, Page, Scope, TaskFilter, TaskQuery
from taskapi.domain.records import Task
from taskapi.store import codec, finders, scrub
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.reading import Listing, Question, ask
from tests.store.conftest import Maker

NOBODY = Claim(0)
SCOPES = [
    Scope(everything=True), Scope(user=1), Scope(user=2), Scope(groups=(1,)), Scope(groups=(1, 2), user=3),
    Scope(pairs=((1, 2), (3, 1))), Scope(pairs=()), Scope(user=9),
]  # fmt: skip
FILTERS = [
    TaskFilter(), TaskFilter(status=True), TaskFilter(priorities=(1, 3)),
    TaskFilter(status=False, priorities=(2,)),
]  # fmt: skip


def in_scope(scope: Scope, task: Task) -> bool:
    pair = (task.user_id, task.group_id)
    return (
        scope.everything or task.group_id in scope.groups or task.user_id == scope.user or pair in scope.pairs
    )


@pytest.fixture
def tasks(make: Maker) -> list[Task]:
    """120 tasks of three users in two groups or none, some changed, some trashed, some purged."""
    chance = random.Random(7)
    make.group(name="one"), make.group(name="two")
    for _ in range(3):
        make.user(group_ids=(1, 2))
    return [task for task in (_task(make, chance) for _ in range(120)) if task is not None]


def _task(make: Maker, chance: random.Random) -> Task | None:
    task = make.task(
        user_id=chance.randint(1, 3), group_id=chance.choice((None, 1, 2)), priority=chance.randint(1, 3),
        status=chance.random() < 0.4, tags=tuple(chance.sample("abc", chance.randint(0, 2))),
        deadline=chance.choice((None, "2026-01-01", "2026-02-01", "2026-03-01")),
        title=chance.choice("xyzXYZ"),
    )  # fmt: skip
    fate = chance.random()
    if fate < 0.3:
        return make.changed(
            task, priority=chance.randint(1, 3), status=not task.status, user_id=chance.randint(1, 3)
        )
    if fate < 0.4:
        make.changed(task, deleted_at="2026-01-01T00:00:00.000Z")
        return None
    if fate < 0.5:
        make.purged(task)
        return None
    return task


def listing(store: Store, arguments: list) -> Listing:
    return ask(store, NOBODY, Question(listing=arguments)).listing


def walked(store: Store, query: TaskQuery, by_cursor: bool) -> list[Task]:
    """All pages of a query, one after the other."""
    found: list[Task] = []
    page = query.page
    while True:
        query = TaskQuery(query.scope, query.filter, query.order, page)
        brought = [codec.decode(TASK, blob) for blob in listing(store, finders.task_page(query)).blobs]
        found += brought[: page.per_page]
        if len(brought) <= page.per_page:
            return found
        cursor = finders.cursor_after(query.order, found[-1].id) if by_cursor else None
        page = Page(page.per_page, 1 if by_cursor else page.page + 1, cursor)


@pytest.mark.parametrize("by_cursor", [True, False])
@pytest.mark.parametrize("descending", [True, False])
def test_the_pages_of_every_scope_and_filter_are_those_of_the_model(store, tasks, descending, by_cursor):
    for scope in SCOPES:
        for wanted in FILTERS:
            for per_page in (1, 7, 200):
                query = TaskQuery(scope, wanted, Order("id", descending), Page(per_page))
                expected = [task for task in tasks if in_scope(scope, task) and wanted.matches(task)]
                assert walked(store, query, by_cursor) == sorted(
                    expected, key=lambda t: t.id, reverse=descending
                )


def test_the_total_counts_all_pages(store, tasks):
    query = TaskQuery(Scope(groups=(1, 2), user=3), TaskFilter(status=False), page=Page(2))
    expected = [task for task in tasks if in_scope(query.scope, task) and not task.status]
    assert listing(store, finders.task_page(query)).total == len(expected)


def test_overdue_tasks_are_those_that_are_not_done_and_due_before_the_day(store, tasks):
    for scope in SCOPES:
        query = TaskQuery(scope, TaskFilter(overdue_on="2026-02-01"), page=Page(3))
        expected = [t for t in tasks if in_scope(scope, t) and not t.status and t.deadline == "2026-01-01"]
        assert walked(store, query, by_cursor=False) == expected
        assert walked(store, query, by_cursor=True) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        TaskFilter(tags=("a",)),
        TaskFilter(tags=("a", "b"), status=False),
        TaskFilter(overdue_on="2026-02-15", priorities=(1,)),
        TaskFilter(deadline_from="2026-01-15", deadline_to="2026-02-15"),
        TaskFilter(created_from="2000-01-01", created_to="2999-01-01"),
    ],
)
def test_what_has_no_list_of_its_own_is_found_by_looking_through_the_scope(store, tasks, wanted):
    for scope in SCOPES:
        found = [task for _, task in finders.scanned(lambda args: listing(store, args), scope, wanted)]
        assert found == [task for task in tasks if in_scope(scope, task) and wanted.matches(task)]


def test_a_page_far_past_the_end_is_empty(store, tasks):
    query = TaskQuery(Scope(everything=True), page=Page(50, 10_000))
    assert listing(store, finders.task_page(query)).blobs == ()


def test_the_trash_lists_only_what_was_deleted(store, tasks, make):
    trashed = make.changed(tasks[0], deleted_at="2026-01-01T00:00:00.000Z")
    found = listing(store, finders.trash_page(Scope(user=trashed.user_id), Page(200))).blobs
    assert trashed in [codec.decode(TASK, blob) for blob in found]
    assert all(codec.decode(TASK, blob).deleted_at for blob in found)


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzFd", "é", "WyJpZCIsZmFsc2UsbnVsbCwieCJd"])
def test_a_cursor_that_is_not_ours_is_refused_by_name(cursor):
    with pytest.raises(Invalid) as refused:
        finders.cursor_parts(Page(cursor=cursor), Order())
    assert "cursor" in refused.value.errors


def test_a_cursor_of_another_order_is_refused():
    cursor = finders.cursor_after(Order("title"), 5, "x")
    with pytest.raises(Invalid, match="not valid"):
        finders.cursor_parts(Page(cursor=cursor), Order())


def test_indexes_and_counters_follow_from_the_records(store, tasks, make):
    assert scrub.differences(store) == []
    for task in tasks[:40]:
        make.changed(
            task, user_id=task.user_id % 3 + 1, tags=("z",), priority=task.priority % 3 + 1, deadline=None
        )
    assert scrub.differences(store) == []


def test_a_wrong_counter_and_a_missing_entry_are_found(store, tasks):
    store.redis.hincrby("counts:all", "0:1", 1)
    store.redis.zrem("users", 2)
    wrong = scrub.differences(store)
    assert len(wrong) == 2
    assert "counts:all" in " ".join(wrong)


def test_users_of_several_groups_are_listed_once(store, tasks):
    found = listing(store, finders.user_page((1, 2), Page(2)))
    assert ([codec.id_of(blob) for blob in found.blobs], found.total) == ([1, 2, 3], 3)
    assert listing(store, finders.user_page((), Page(2))).total == 0
