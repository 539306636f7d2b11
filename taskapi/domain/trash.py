"""How long a record lies in the trash before it is purged."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from taskapi.domain.clock import ago
from taskapi.domain.records import Record


@dataclass(frozen=True, slots=True)
class Return:
    """A restore of everything: it was at that time, and brought the versions above one, up to another."""

    above: int
    up_to: int
    at: str


@dataclass(frozen=True, slots=True)
class Term:
    """What was put into the trash `before` that time is due; what a restore has brought there since is not.

    Whoever goes back to an older state has the whole time again to take something out of its trash.
    """

    before: str
    returns: Sequence[Return] = field(default=())

    def is_over(self, record: Record) -> bool:
        """Whether the record has been in the trash for long enough."""
        return record.deleted_at is not None and self._since(record, record.deleted_at) < self.before

    def _since(self, record: Record, deleted_at: str) -> str:
        brought = (each.at for each in self.returns if each.above < record.version <= each.up_to)
        return max([deleted_at, *brought])


def term(days: int, returns: Sequence[Return] = ()) -> Term:
    """The term of what lies in the trash for so many days."""
    return Term(ago(days), returns)
