"""Making the demo: what is missing of it, in the name of the owner and of its people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from taskapi.demo.cast import GROUPS, PASSWORD, PEOPLE, Person
from taskapi.demo.work import TASKS_EACH, tasks_of
from taskapi.domain.callers import Claim, Tally
from taskapi.domain.filters import Page, TaskFilter, TaskSearch
from taskapi.domain.records import OWNER_ID
from taskapi.domain.rights import Right
from taskapi.services import groups, task_lists, tasks, users
from taskapi.services.results import Shown
from taskapi.store import codec, keys
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, USER, Kind
from taskapi.store.reading import Question, ask

STEPS = len(GROUPS) + len(PEOPLE) * (1 + TASKS_EACH)

Step = Callable[[], None]


@dataclass(slots=True)
class Made:
    """How much was not there before."""

    groups: int = 0
    users: int = 0
    tasks: int = 0

    @property
    def is_anything(self) -> bool:
        """Whether something was missing."""
        return any(asdict(self).values())


def make(store: Store, step: Step) -> Made:
    """Makes what is missing of the demo, and calls `step` once for each of its `STEPS` records.

    Raises Taken if a record of the demo lies in the trash.
    """
    made = Made()
    group_ids = {name: _group(store, name, made, step) for name in GROUPS}
    for person in PEOPLE:
        user_id = _user(store, person, group_ids, made, step)
        _tasks(store, person, user_id, group_ids, made, step)
    return made


def _group(store: Store, name: str, made: Made, step: Step) -> int:
    found = _holder(store, GROUP, "name", name)
    if found is None:
        found = groups.create_group(store, _claim(OWNER_ID, Right.MANAGE_GROUPS), {"name": name}).id
        made.groups += 1
    step()
    return found


def _user(store: Store, person: Person, group_ids: dict[str, int], made: Made, step: Step) -> int:
    found = _holder(store, USER, "username", person.username)
    if found is None:
        found = _new_user(store, person, group_ids).id
        made.users += 1
        if person.leads:
            named = {"admin_id": found}
            groups.change_group(store, _claim(OWNER_ID, Right.MANAGE_GROUPS), group_ids[person.leads], named)
    step()
    return found


def _new_user(store: Store, person: Person, group_ids: dict[str, int]) -> Shown:
    fields = {
        "full_name": person.full_name,
        "username": person.username,
        "email": f"{person.username}@example.org",
        "password": PASSWORD,
        "role": person.role,
        "group_ids": tuple(sorted(group_ids[name] for name in person.groups)),
        "work_times": dict(person.work_times),
    }
    return users.create_user(store, _claim(OWNER_ID, Right.CREATE_USER), fields)


def _tasks(
    store: Store, person: Person, user_id: int, group_ids: dict[str, int], made: Made, step: Step
) -> None:
    """The person's tasks; an earlier run that was interrupted has left the first of them."""
    search = TaskSearch(TaskFilter(), page=Page(per_page=1))
    present = task_lists.list_tasks_of(store, _claim(user_id, Right.READ_TASKS_OF), user_id, search).total
    for number, fields in enumerate(tasks_of(person)):
        if number >= present:
            placed = {name: value for name, value in fields.items() if name != "group"}
            placed["group_id"] = group_ids[fields["group"]]
            tasks.create_task(store, _claim(user_id, Right.WORK_ON_TASKS), placed)
            made.tasks += 1
        step()


def _holder(store: Store, kind: Kind, field: str, value: str) -> int | None:
    """The id of the live record that has that unique value."""
    wanted = (keys.unique(kind.name, field), codec.fold(value))
    question = Question(holder=wanted, holder_prefixes=[keys.record(kind.name, 0)[:-1]])
    held = ask(store, Claim(0), question).held
    return codec.id_of(held[0]) if held and held[0] else None


def _claim(user_id: int, right: Right) -> Claim:
    """In that user's name, beside the limits that callers from outside have."""
    return Claim(user_id, right, request_id="demo", tally=Tally(counted=True))
