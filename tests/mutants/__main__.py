"""`make mutants`: sabotages a copy of the product in one way at a time; the tests must notice each."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.changes import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".taskapi", "__pycache__", ".*_cache", "htmlcov")
NOTICED, FAULTLESS = 1, 0


def main() -> int:
    """Runs all, or those whose names contain the first argument; 1 if one goes unnoticed."""
    wanted = [mutant for mutant in MUTANTS if not sys.argv[1:] or sys.argv[1] in mutant.name]
    unnoticed = [mutant.name for mutant in wanted if not _is_noticed(mutant)]
    print(f"{len(wanted) - len(unnoticed)} of {len(wanted)} noticed.")
    return 1 if unnoticed else 0


def _is_noticed(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="taskapi-mutant-") as folder:
        copy = Path(folder) / "product"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        mutant.apply(copy)
        began = time.monotonic()
        done = _tests(copy, mutant.tests)
    noticed = done.returncode == NOTICED
    verdict = "noticed  " if noticed else "UNNOTICED"
    print(
        f"{verdict} {time.monotonic() - began:5.1f} s  {mutant.name}: {_first_failure(done.stdout)}",
        flush=True,
    )
    return noticed


def _tests(copy: Path, names: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *names]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def _first_failure(output: str) -> str:
    failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0] if failed else output.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
