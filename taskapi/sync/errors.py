"""Why a flush or an admission stops; nothing is ever cleared when one does."""

from taskapi.domain.errors import Conflict, Unavailable


class EpochMoved(Unavailable):
    """PostgreSQL was admitted to a newer epoch: this Redis, or what was read of it, is overtaken."""


class PostgresWentBack(Unavailable):
    """PostgreSQL has less than was once committed to it: an older state of it came back."""

    def __init__(self, highest: int, settled: int, commits_lost: int = 0) -> None:
        found = f"its highest version is {highest}, though {settled} was committed"
        lost = f"commits are missing ({commits_lost})"
        super().__init__(f"PostgreSQL went back: {lost if commits_lost else found}.")
        self.highest = highest
        self.settled = settled


class JournalRefused(Unavailable):
    """PostgreSQL takes no journal entry, not even as plain text: its table `change` is not ours any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"PostgreSQL refuses the journal, so nothing is carried: {reason}")


class Overtaken(Unavailable):
    """What was being read has moved on too fast, or to another epoch, to be of one moment."""


class Foreign(Exception):
    """Redis and PostgreSQL do not belong together; `str()` says what was found and what to do."""


class Broken(Conflict):
    """A backup is not what was written, or did not come back from a database as it went in."""
