"""What there is against what must be there."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.chaos.findings import DOUBLED, LOST, RISEN, WRONG, Findings
from tests.chaos.model import LIVE, PURGED, TASK, TRASH, USER, Known, Name, World
from tests.chaos.stores import Entry, Record, Seen

NOT_IN_ROWS = ("created_at",)
"""Text in the API, a time in PostgreSQL; `flask compare` sees to it."""


def judge(worlds: Sequence[World], seen: Seen, findings: Findings) -> None:
    """Tells everything that differs."""
    known = {(each.kind, each.id): each for world in worlds for each in world.everything}
    for each in known.values():
        _judge_shown(each, seen, findings)
        _judge_row(each, seen, findings)
    _judge_strangers(known, seen, findings)
    _judge_ids(worlds, findings)
    _judge_journal(worlds, known, seen.journal, findings)
    _judge_stats([each for each in known.values() if each.state == LIVE], seen.stats, findings)
    for loss in seen.status["losses"]:
        findings.add(LOST, f"the product itself reports a loss: {loss}")


def _judge_shown(known: Known, seen: Seen, findings: Findings) -> None:
    name = (known.kind, known.id)
    if known.state != LIVE and name in seen.shown:
        findings.add(RISEN, f"{known.name} is in the list, should be in the state {known.state}")
    if known.state == PURGED and name in seen.trash:
        findings.add(RISEN, f"{known.name} is in the trash, was purged")
    if known.state == LIVE:
        _judge_record("the API", known, seen.shown.get(name), findings)
    elif known.state == TRASH and known.kind == TASK:
        _judge_record("the trash", known, seen.trash.get(name), findings)


def _judge_row(known: Known, seen: Seen, findings: Findings) -> None:
    state, row = seen.rows.get((known.kind, known.id), (LIVE, None))
    if row is not None and state != known.state:
        word = RISEN if state == LIVE else LOST
        findings.add(word, f"{known.name} is {state} in PostgreSQL, should be {known.state}")
    elif known.state != PURGED:
        _judge_record("PostgreSQL", known, row, findings, NOT_IN_ROWS)


def _judge_record(
    where: str, known: Known, record: Record | None, findings: Findings, passed_by: Iterable[str] = ()
) -> None:
    """It is there, at the version that was acknowledged last or above, with every field as it was written."""
    if record is None:
        findings.add(LOST, f"{known.name} is not in {where}")
        return
    version = record["version"]
    if version < known.version:
        findings.add(LOST, f"{known.name} has version {version} in {where}, was {known.version}")
    elif known.is_exact and version != known.version:
        findings.add(DOUBLED, f"{known.name} has version {version} in {where}, should be {known.version}")
    wrong = {
        name: (record.get(name), value)
        for name, value in known.fields.items()
        if name not in passed_by and record.get(name) != value
    }
    if wrong:
        findings.add(LOST, f"{known.name} at version {version} in {where} (is, should be): {wrong}")


def _judge_strangers(known: dict[Name, Known], seen: Seen, findings: Findings) -> None:
    """What nobody has made was made twice."""
    everywhere = {**seen.rows, **seen.shown, **seen.trash}
    for kind, number in sorted(everywhere.keys() - known.keys()):
        findings.add(DOUBLED, f"{kind} {number} is there, and no acknowledged write has made it")


def _judge_ids(worlds: Sequence[World], findings: Findings) -> None:
    given = Counter(name for world in worlds for name in world.given)
    for (kind, number), times in given.items():
        if times > 1:
            findings.add(DOUBLED, f"{kind} {number} was given {times} times")


def _judge_journal(
    worlds: Sequence[World], known: dict[Name, Known], journal: list[Entry], findings: Findings
) -> None:
    """Each acknowledged version has its entry, and each record as many entries as it had changes."""
    by_version = {entry.version: (entry.kind, entry.record_id) for entry in journal}
    for version, name in ((version, name) for world in worlds for version, name in world.versions.items()):
        if by_version.get(version) != name:
            findings.add(LOST, f"version {version} of {name} has the journal entry {by_version.get(version)}")
    of_record: dict[Name, list[Entry]] = defaultdict(list)
    for entry in journal:
        of_record[entry.kind, entry.record_id].append(entry)
    for name, each in known.items():
        _judge_entries(each, of_record.get(name, []), findings)
    _judge_operations(journal, findings)


def _judge_entries(known: Known, entries: list[Entry], findings: Findings) -> None:
    if len(entries) != known.entries:
        word = DOUBLED if len(entries) > known.entries else LOST
        actions = [entry.action for entry in entries[-5:]]
        findings.add(word, f"{known.name}: {len(entries)} entries, should be {known.entries}; last {actions}")
    if (born := sum(entry.action == "created" for entry in entries)) != 1:
        findings.add(DOUBLED if born else LOST, f"{known.name} was created {born} times")
    if entries and known.is_exact and entries[-1].version != known.version:
        findings.add(LOST, f"{known.name} ends at version {entries[-1].version}, was {known.version}")


def _judge_operations(journal: list[Entry], findings: Findings) -> None:
    """One write changes one record once."""
    each = Counter((entry.operation, entry.kind, entry.record_id) for entry in journal)
    for (operation, kind, number), times in each.items():
        if times > 1:
            findings.add(DOUBLED, f"{operation} has changed {kind} {number} {times} times")


def _judge_stats(live: list[Known], stats: Record, findings: Findings) -> None:
    for name, expected in expected_stats(live).items():
        if stats[name] != expected:
            findings.add(WRONG, f"statistics: {name} is {stats[name]}, should be {expected}")


def expected_stats(live: list[Known]) -> dict[str, Any]:
    """What the owner's statistics say of these records."""
    tasks = [each.fields for each in live if each.kind == TASK]
    users = {each.id: each.fields["full_name"] for each in live if each.kind == USER}
    done = sum(task["status"] for task in tasks)
    of_user = Counter(task["user_id"] for task in tasks)
    of_group = Counter(task["group_id"] for task in tasks if task["group_id"] is not None)
    priorities = Counter(task["priority"] for task in tasks)
    return {
        "total_tasks": len(tasks),
        "completed_tasks": done,
        "pending_tasks": len(tasks) - done,
        "priority_counts": {str(each): priorities[each] for each in (1, 2, 3)},
        "tag_counts": dict(Counter(tag for task in tasks for tag in task["tags"])),
        "user_task_counts": {name: of_user[number] for number, name in users.items()},
        "group_task_counts": {str(number): of_group[number] for number in sorted(of_group)},
        "total_users": len(users),
    }
