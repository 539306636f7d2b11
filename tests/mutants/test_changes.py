"""The sabotages of `make mutants` still fit the product."""

import shutil
from pathlib import Path

import pytest

from tests.mutants.changes import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_sabotage_changes_what_it_names(mutant: Mutant, tmp_path: Path) -> None:
    (tmp_path / mutant.file).parent.mkdir(parents=True)
    shutil.copy(ROOT / mutant.file, tmp_path / mutant.file)
    mutant.apply(tmp_path)
    assert (tmp_path / mutant.file).read_text() != (ROOT / mutant.file).read_text()
    assert all((ROOT / name).exists() for name in mutant.tests)


def test_a_passage_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("something else")
    with pytest.raises(LookupError, match=r"code\.py"):
        Mutant("gone", "code.py", "passage", "", ()).apply(tmp_path)
