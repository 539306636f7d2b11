"""docs/GUARANTEES.md names tests that exist."""

import ast
import re

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "GUARANTEES.md").read_text()
NAMED = re.findall(r"^- `(tests/[^`]+)`$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_is_named_exists(named: str) -> None:
    file, _, name = named.partition("::")
    found = ast.walk(ast.parse((ROOT / file).read_text()))
    assert not name or name in {each.name for each in found if isinstance(each, ast.FunctionDef)}


def test_every_guarantee_names_a_test() -> None:
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert len(sections) == 17
    assert all("- `tests/" in section for section in sections)
