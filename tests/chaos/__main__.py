"""`make chaos`: strikes the product while it is written to, and proves that nothing acknowledged is lost."""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.chaos.house import NotStarted
from tests.chaos.plan import Plan
from tests.chaos.story import Story
from tests.chaos.telling import told


def main() -> int:
    """0 if all is as it must be; 1 with an account of what is not; 130 if it was interrupted."""
    given = _given()
    plan = _plan(given)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="taskapi-chaos-"))
    folder.chmod(0o711)  # root's servers run as nobody, who must be able to pass
    print(f"chaos: {plan.seconds:.0f} s with SEED={plan.seed}, logs in {folder}/logs", flush=True)
    code = _run(Story(plan, folder))
    if code == 1 or given.keep:
        print(f"chaos: kept for a look: {folder}")
    else:
        shutil.rmtree(folder)
    return code


def _run(story: Story) -> int:
    try:
        with story.told():
            story.run()
            story.judge()
    except KeyboardInterrupt:
        print("chaos: interrupted")
        return 130
    except NotStarted as failure:
        print(f"chaos: the product did not start: {failure}")
        return 1
    print(told(story))
    if story.findings.told:
        print(story.house.last_words())
    return 1 if story.findings.told else 0


def _plan(given: argparse.Namespace) -> Plan:
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    rest = {"write_pause": given.write_pause, "fault_pause": given.fault_pause, "only": given.only}
    return Plan(given.seconds, seed, given.writers, **rest)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=None, help="the dice; by chance if not given")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument(
        "--write-pause", type=float, default=0.03, help="mean seconds between a writer's writes"
    )
    parser.add_argument("--fault-pause", type=float, default=2.0, help="mean seconds between faults")
    parser.add_argument(
        "--only", default="", help="only faults whose name has this, such as 'redis' or 'freeze'"
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with its logs")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
