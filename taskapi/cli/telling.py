"""What the commands print for people: counted words, and reports as lines."""

from collections.abc import Mapping
from typing import Any

from taskapi.sync.backup import Backup

Report = Mapping[str, Any]
_UNCHANGED = {"refused"}


def counted(count: int, name: str) -> str:
    """`1 task`, `2 tasks`, `3 refused`."""
    return f"{count} {name}{'' if count == 1 or name in _UNCHANGED else 's'}"


def told(made: Backup) -> str:
    """A backup in a line."""
    counts = ", ".join(counted(count, name) for name, count in made.counts.items())
    good = "good" if made.is_good else f"BROKEN: {made.flaw}" if made.flaw else "not verified"
    history = f"; no history up to version {made.history_above}" if made.history_above else ""
    return f"{made.id}  {good}  {made.bytes:,} bytes  {made.reason}, from {made.source}: {counts}{history}"


def listed(report: Report) -> str:
    """A report, a line for each of its parts."""
    return "\n".join(_line(name, value) for name, value in report.items())


def _line(name: str, value: Any) -> str:
    if name == "duration_ms":
        return f"duration: {value / 1000:.1f} s"
    return f"{_words(name)}: {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(name)} {_short(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(map(_item, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _item(value: Any) -> str:
    """One of several: a mapping without its commas, which would read as those of the whole."""
    if isinstance(value, Mapping):
        return " ".join(f"{_words(name)} {_short(each)}" for name, each in value.items())
    return _short(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
