"""A Redis whose settings a test may change, and the folders of the product."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskapi.embedded.servers import Servers
from taskapi.store import client
from taskapi.store.client import Store
from taskapi.sync import ground
from tests.embedded.conftest import wait_for


@pytest.fixture
def configured(store: Store) -> Iterator[Any]:
    """Sets settings of the running Redis, and sets them back."""
    was: dict[str, str] = {}

    def configure(**settings: object) -> None:
        for name, value in settings.items():
            name = name.replace("_", "-")
            was.setdefault(name, store.redis.config_get(name)[name])
            store.redis.config_set(name, value)

    yield configure
    for name, value in was.items():
        store.redis.config_set(name, value)
    wait_for(lambda: not store.redis.info("persistence")["aof_rewrite_in_progress"], 10)


@pytest.fixture
def folders(servers: Servers) -> dict[str, Path]:
    """Those of the product on these servers."""
    return {"home": servers.home.path, "backups": servers.home.path / "not" / "made" / "yet"}


@pytest.fixture
def strict(servers: Servers, store: Store) -> Iterator[Store]:
    """The store as production has it."""
    strict = client.connect(servers.urls["redis"], safe_only=True)
    yield strict
    strict.redis.close()


def named(found: ground.Ground) -> set[str]:
    return {flaw.what for flaw in found.flaws}
