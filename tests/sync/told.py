"""What a store tells of its losses."""

from taskapi.store import syncs
from taskapi.store.client import Store


def ranges(store: Store) -> list[tuple[str, int, int | None]]:
    return [(loss.store, loss.above, loss.up_to) for loss in syncs.losses_of(store)]


def criticals(logs: list[dict]) -> list[str]:
    return [line["event"] for line in logs if line["log_level"] == "critical"]
