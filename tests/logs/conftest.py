"""The whole product, with a secret of its own in every setting that can hold one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from redis import Redis

from taskapi.config.secrecy import passwords_in
from taskapi.db.engine import connect as connect_postgres
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from taskapi.services.owner import ensure_owner
from taskapi.store.client import connect
from taskapi.sync.admission import admit
from tests.conftest import product_environment
from tests.logs.house import House, opened

_numbers = count(1)


def canary() -> str:
    """A secret that is like no other text."""
    return f"canary-{next(_numbers):03}-Tweet/ö'%"


SETTINGS = {
    "OWNER_PASSWORD": "canary-owner-Tweet/'%",
    "SECRET_KEY": canary() + "k" * 20,
    "JWT_SECRET_KEY": canary() + "j" * 20,
    "METRICS_TOKEN": canary(),
    "SMTP_URL": "smtp://me:canary-smtp-Tweet@mail.example.org",
    "EXTERNAL_JOKE_URL": "http://127.0.0.1:1/joke?key=canary-joke-Tweet",
    "BACKUP_URL": "s3://backups/taskapi?secret_access_key=canary-query-Tweet",
    "AWS_ACCESS_KEY_ID": "canary-access-Tweet",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-Tweet",
    "AWS_SESSION_TOKEN": "canary-session-Tweet",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "nowhere",
}
LIMITS = dict.fromkeys(("RATE_LIMIT_DEFAULT", "RATE_LIMIT_AUTH", "RATE_LIMIT_ANONYMOUS"), "")


@pytest.fixture(params=["json", "text"])
def house(
    request: pytest.FixtureRequest,
    servers: Servers,
    redis_data: Redis,
    redis_broker: Redis,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """The running product on an empty system: all that it ever tells in JSON, and the usual in text."""
    store, engine = connect(servers.urls["redis"]), connect_postgres(database_url)
    admit(store, engine)
    ensure_owner(store, "admin@gmail.com", SETTINGS["OWNER_PASSWORD"])
    engine.dispose()
    form = {"LOG_FORMAT": request.param, "LOG_LEVEL": "DEBUG" if request.param == "json" else "INFO"}
    environment = product_environment(servers) | SETTINGS | LIMITS | form
    with opened(environment, free_port(), tmp_path_factory.mktemp("house")) as house:
        yield house
    store.redis.close()


@pytest.fixture
def secrets(servers: Servers) -> list[str]:
    """Every secret that the product was given."""
    urls = [*servers.urls.values(), *(SETTINGS[name] for name in SETTINGS if "URL" in name)]
    plain = [value for name, value in SETTINGS.items() if "URL" not in name and name != "AWS_REGION"]
    return [*plain, *(password for url in urls for password in passwords_in(url)), "canary-joke-Tweet"]
