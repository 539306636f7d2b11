"""`python3 run.py`: the same as `make run`, once the environment exists."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHON = ROOT / ".venv" / "bin" / "python"


def main() -> int:
    """Goes on inside the environment, and there runs everything until it is stopped."""
    if Path(sys.prefix) != PYTHON.parents[1]:
        if not (ROOT / ".venv" / ".runtime").exists():
            print("taskapi: the environment is missing: run `make run`, which makes it.")
            return 1
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "run.py"), *sys.argv[1:]])
    from taskapi.embedded.launch import main as launch

    return launch()


if __name__ == "__main__":
    sys.exit(main())
