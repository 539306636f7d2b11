"""What several tests of services do: repeat, change passwords and groups, come in between."""

from dataclasses import replace

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.rights import Right
from taskapi.services import user_changes
from tests.services.conftest import OWNER, claim

CHANGE = Right.CHANGE_USER
BIG = {"title": "b", "group_id": 1, "information": "😀" * 5000}


def keyed(who: int, right: Right = Right.WORK_ON_TASKS, fingerprint: str = "f") -> Claim:
    return replace(claim(who, right), operation=Operation("k", fingerprint))


def meanwhile(monkeypatch, module, act) -> None:
    """Something happens between the reading of a service and its first save."""
    save_now, done = module.save, []

    def slow(*args, **kwargs):
        if not done:
            done.append(1)
            act()
        return save_now(*args, **kwargs)

    monkeypatch.setattr(module, "save", slow)


def groups(store, user_id: int, *group_ids: int) -> None:
    user_changes.change_user(store, claim(OWNER, CHANGE), user_id, {"group_ids": group_ids})


def password(store, user_id: int, text: str) -> None:
    user_changes.change_user(store, claim(OWNER, CHANGE), user_id, {"password": text})
