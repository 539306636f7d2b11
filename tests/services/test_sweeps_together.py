"""Several sweeps under way at once: each comes to its end."""

import pytest

from taskapi.domain.filters import TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import cascades, groups, sweeping, task_lists, users
from taskapi.store import leaving, scrub
from tests.services.conftest import ANN, OWNER, claim


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    """Two tasks are many here."""
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)


def test_a_group_and_its_user_who_come_back_together_do_not_wait_for_each_other(store, house):
    for group_id in (1, 1, 2, 2):
        house.task(ANN, group_id)
    groups.delete_group(store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    sweeping.sweep(store, 60)
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), ANN)
    sweeping.sweep(store, 60)

    groups.restore_group(store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    users.restore_user(store, claim(OWNER, Right.DELETE_USER), ANN)
    assert len(leaving.accounts(store)) == 2
    sweeping.sweep(store, 60)

    assert leaving.accounts(store) == {}
    assert task_lists.list_tasks(store, claim(OWNER, Right.FIND_TASKS), TaskSearch()).total == 2
    assert scrub.differences(store) == []
