"""Things in the trash, and a calendar to turn on."""

from datetime import timedelta
from typing import Any

import pytest

from taskapi.domain import clock
from taskapi.domain import trash as rule
from taskapi.domain.rights import Right
from taskapi.services import cascades, emptying, sweeping, users
from taskapi.services.emptying import empty_trash
from taskapi.store import keys
from taskapi.store.client import Store
from tests.services.conftest import ANN, OWNER, claim

DELETE, MANAGE = Right.DELETE_USER, Right.MANAGE_GROUPS


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(emptying, "AT_ONCE", 2)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    for module in (emptying, sweeping):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0)


class Days:
    """A calendar to turn on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gone, real = timedelta(), clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + self.gone)

    def pass_by(self, days: float) -> None:
        self.gone += timedelta(days=days)


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(monkeypatch)


def emptied(store: Store, **options: Any) -> dict[str, int]:
    return dict(empty_trash(store, rule.term(30), **options))


def everywhere(store: Store, name: str) -> list[str]:
    return [prefix for prefix in ("", keys.TRASH, keys.PURGED) if store.redis.exists(prefix + name)]


def delete_ann(store: Store) -> None:
    users.delete_user(store, claim(OWNER, DELETE), ANN)
    sweeping.sweep(store, 60)


def restore_ann(store: Store) -> None:
    users.restore_user(store, claim(OWNER, DELETE), ANN)
