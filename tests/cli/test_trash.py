"""`flask trash`: who and what may be brought back."""

from taskapi.domain.clock import ago
from taskapi.store.client import Store
from tests.cli.conftest import Run
from tests.store.conftest import Maker


def test_users_and_groups_in_the_trash_are_listed_with_the_way_back(run: Run, store: Store) -> None:
    make = Maker(store)
    assert run("trash").output == "No user and no group is in the trash.\n"
    ada, team, task = make.user(full_name="Ada"), make.group(name="Team"), make.task()
    make.user(full_name="Bob")
    early, late = ago(2), ago(1)
    make.changed(team, deleted_at=early)
    make.changed(ada, deleted_at=late)
    make.changed(task, deleted_at=late)

    assert run("trash").output.splitlines() == [
        f"{early}  group {team.id}  Team  back by POST /groups/{team.id}/restore",
        f"{late}  user {ada.id}  Ada  back by POST /users/{ada.id}/restore",
    ]
