"""The sabotages: each takes one promise out of the product, and names the tests that must notice."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """One passage of the product and what it is replaced by; `tests` are those that must fail then."""

    name: str
    file: str
    passage: str
    instead: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> None:
        """Changes the file below `root`; raises LookupError unless the passage is there exactly once."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.passage) != 1:
            raise LookupError(f"{self.name}: the passage is not once in {self.file}")
        path.write_text(text.replace(self.passage, self.instead))


SAVE, SETTLE = "taskapi/store/lua/save.lua", "taskapi/store/lua/settle.lua"

MUTANTS = (
    Mutant(
        "acknowledge without comparing versions",
        SETTLE,
        "    if mark == version then",
        "    if mark >= 0 then",
        ("tests/sync/test_flush.py",),
    ),
    Mutant(
        "no look at the operation id",
        SAVE,
        "if done then return {'again', done} end",
        "",
        ("tests/store/test_saving.py",),
    ),
    Mutant(
        "no version guard on what is changed",
        SAVE,
        "    if version_of(blob) ~= change.version then return {'moved', key} end",
        "",
        ("tests/store/test_saving.py",),
    ),
    Mutant(
        "no version guard on rows",
        "taskapi/db/rows.py",
        "DO UPDATE SET {updates} WHERE held.version < excluded.version",
        "DO UPDATE SET {updates}",
        ("tests/db/test_rows.py",),
    ),
    Mutant(
        "no epoch fence in PostgreSQL",
        "taskapi/sync/fence.py",
        "if found is not None and found.epoch > known.epoch:",
        "if False:",
        ("tests/sync/test_refusals.py",),
    ),
    Mutant(
        "no epoch fence in Redis",
        SETTLE,
        "if meta[1] ~= ARGV[1] or",
        "if",
        ("tests/sync/test_refusals.py",),
    ),
    Mutant(
        "no guards",
        SAVE,
        "if not blob or (row[2] ~= '' and version_of(blob) ~= row[2]) then return {'guard', row[1]} end",
        "",
        ("tests/store/test_saving.py",),
    ),
    Mutant(
        "no jump of the ids",
        "taskapi/sync/judging.py",
        "kind: (self._held(kind), self._held(kind) + size)",
        "kind: (max(self.redis.ids[kind][0], self.highest_ids[kind]), self._held(kind) + size)",
        ("tests/sync/test_ids.py", "tests/sync/test_admission.py"),
    ),
    Mutant(
        "trim journal that is not committed",
        SETTLE,
        "string.format('%.0f', window + waiting)",
        "window",
        ("tests/sync/test_window.py",),
    ),
    Mutant(
        "no proof asked of pages that call by cookie",
        "taskapi/api/cookies.py",
        "if not hmac.compare_digest(given.encode(), due.encode()):",
        "if False:",
        ("tests/api/test_csrf.py",),
    ),
    Mutant(
        "one proof for all sessions",
        "taskapi/api/cookies.py",
        'f"csrf {session}".encode()',
        'b"csrf"',
        ("tests/api/test_csrf.py",),
    ),
    Mutant(
        "cookies for pages of any origin",
        "taskapi/api/cookies.py",
        "    elif are_wanted() and not _is_allowed_page():",
        "    elif False:",
        ("tests/api/test_csrf.py",),
    ),
    Mutant(
        "a token that is remembered passes for any kind",
        "taskapi/api/tokens.py",
        "if found is None or found.kind != kind:",
        "if found is None:",
        ("tests/api/test_cookie_callers.py",),
    ),
    Mutant(
        "what went with a parent is purged before it",
        "taskapi/services/emptying.py",
        "if task.deleted_with not in waiting]",
        "]",
        ("tests/services/trash",),
    ),
)
