"""What a line looks like, and that nothing it tells can forge another."""

import json

import pytest

from taskapi.logs.lines import as_json, as_text, readable

FORGED = "x\n12:00:00 info    signed in  user=1\r\x1b[2J\x9b31m\u2028\u202e\x7f"
EVENT = {
    "timestamp": "12:00:00",
    "level": "info",
    "event": "request",
    "service": "api",
    "logger": "taskapi.request",
}


def test_json_begins_with_when_what_and_who_and_leaves_out_what_is_not_known() -> None:
    line = as_json({"status": 200, "user": None, **EVENT})
    assert list(json.loads(line)) == ["timestamp", "level", "event", "service", "logger", "status"]


def test_text_is_one_short_line() -> None:
    line = as_text({**EVENT, "path": "/a b", "status": 200, "user": None})
    assert line == b"12:00:00 info    request  path='/a b' status=200"


def test_text_tells_each_part_of_a_whole() -> None:
    told = {"server_port": 1, "deep": {"x": "a b"}}
    line = as_text(EVENT | {"settings": told})
    assert line.endswith(b"request  settings.server_port=1 settings.deep.x='a b'")


def test_text_names_the_library_that_speaks() -> None:
    assert as_text(EVENT | {"logger": "urllib3.pool"}).endswith(b"request  logger=urllib3.pool")


@pytest.mark.parametrize("where", ["event", "path", "logger", "name\n"])
@pytest.mark.parametrize("form", [as_json, as_text])
def test_what_is_told_can_neither_begin_a_line_nor_command_a_terminal(form: object, where: str) -> None:
    line = form({**EVENT, where: FORGED}).decode()  # type: ignore[operator]
    assert line.isprintable()


@pytest.mark.parametrize("form", [as_json, as_text])
def test_the_trace_of_a_fault_forges_no_line_either(form: object) -> None:
    written = form({**EVENT, "exception": f"Traceback\nValueError: {FORGED}"}).decode()  # type: ignore[operator]
    begun = [line for line in written.split("\n") if line.startswith("12:00:00")]
    assert all(line.isprintable() for line in written.split("\n"))
    assert len(begun) == (1 if form is as_text else 0)


@pytest.mark.parametrize("odd", ["\ud800", 2**70, float("nan"), b"\xff", {1: object()}, {"a", "b"}])
def test_what_json_has_no_word_for_is_told_all_the_same(odd: object) -> None:
    assert json.loads(as_json({**EVENT, "odd": odd}))["event"] == "request"
    assert as_text({**EVENT, "odd": odd}).startswith(b"12:00:00 info")


def test_a_line_in_json_is_shown_as_text_and_others_without_orders_to_the_terminal() -> None:
    line = as_json({**EVENT, "timestamp": "2030-01-31T12:00:00.000000Z", "status": 200, "text": FORGED})
    assert readable(line.decode()).startswith("12:00:00 info    request  ")
    assert readable("LOG:  \x1b[2Jhello") == "LOG:  \\x1b[2Jhello"
    for other in ('{"a": 1}', "{no json", "plain", '{"timestamp": 1, "level": 2}'):
        assert readable(other) == other
    assert readable('{"timestamp": 1, "level": 2, "event": 3}')
