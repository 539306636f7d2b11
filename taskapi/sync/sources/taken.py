"""What a source gives: the state that it is of, and the lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from taskapi.sync.lines import Line

POSTGRESQL, REDIS = "postgresql", "redis"


@dataclass(frozen=True, slots=True)
class Taken:
    """All there is at `version`. `ids` says up to which of each kind any may have been given.

    `total` is about how many lines there are. Of the journal there may be none up to `history_above`.
    """

    source: str
    incarnation: str
    epoch: int
    version: int
    ids: dict[str, int]
    total: int
    lines: Iterator[Line]
    history_above: int = 0
