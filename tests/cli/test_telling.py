"""What the commands print for people, and how far they are."""

import pytest

from taskapi.cli import progress
from taskapi.cli.telling import counted, listed


def test_one_is_one_and_others_are_several() -> None:
    assert [counted(1, "task"), counted(2, "task"), counted(0, "refused"), counted(1, "refused")] == [
        "1 task",
        "2 tasks",
        "0 refused",
        "1 refused",
    ]


def test_a_report_is_told_without_the_marks_of_a_program() -> None:
    report = {
        "action": "restore",
        "unsynced": {"count": 2, "up_to": 9, "records": [{"record": "task:5", "version": 8}, "task:6"]},
        "room": {"used": 5, "suffices": True},
        "deleted": [],
        "archive": None,
        "offline": False,
        "duration_ms": 18523.3,
    }
    assert listed(report).splitlines() == [
        "action: restore",
        "unsynced: count 2, up to 9, records record task:5 version 8; task:6",
        "room: used 5, suffices yes",
        "deleted: none",
        "archive: none",
        "offline: no",
        "duration: 18.5 s",
    ]


def test_long_work_without_a_terminal_tells_each_tenth_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0)
    with progress.shown("Restoring") as tell:
        for share in (0.01, 0.1, 0.15, 0.19, 0.35, 1.0):
            tell(share)
    told = capsys.readouterr()
    assert told.err.splitlines() == ["Restoring: 10 %", "Restoring: 30 %", "Restoring: 100 %"]
    assert told.out == ""


def test_what_is_done_at_once_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown("Restoring") as tell:
        tell(1.0)
    assert capsys.readouterr().err == ""
