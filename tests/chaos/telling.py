"""What is printed of a run."""

from collections.abc import Iterator, Mapping

from tests.chaos.findings import WORDS
from tests.chaos.pulse import Fault, percentile
from tests.chaos.story import Story

MOST_TOLD = 40


def told(story: Story) -> str:
    """The whole account."""
    return "\n".join([*_numbers(story), *_faults(story), *_verdict(story)])


def _numbers(story: Story) -> Iterator[str]:
    tally, seconds = story.tally, story.seconds.get("chaos", 0.0)
    yield f"seed {story.plan.seed}, {seconds:.0f} s of chaos; {_listed(story.seconds, '{:.1f} s')}"
    writes = tally.writes
    total = writes["ok"] + writes["refused"]
    yield f"writes: {total} ({total / max(seconds, 1.0):.0f}/s): {_listed(writes)}; {tally.replays} replayed"
    yield f"attempts by status: {_listed(dict(sorted(tally.attempts.items())))}"
    yield f"errands: {_listed(dict(sorted(story.crew.errands.ended.items())))}"
    yield f"ended by themselves: {_listed(story.house.deaths)}"


def _faults(story: Story) -> Iterator[str]:
    faults = story.pulse.faults
    yield f"faults: {len(faults)}; seconds in which no write was acknowledged after each:"
    yield f"  {'':32}{'times':>6}{'p50':>8}{'p99':>8}{'max':>8}"
    for name, some in story.pulse.by_name().items():
        yield _line(name, some)
    yield _line("all", faults)


def _line(name: str, faults: list[Fault]) -> str:
    away = [fault.away for fault in faults if fault.away is not None]
    missing = sum(not fault.is_over for fault in faults)
    figures = "".join(f"{percentile(away, share):8.2f}" for share in (0.5, 0.99, 1.0))
    return f"  {name:32}{len(faults):6}{figures}{f'  {missing} not got over' if missing else ''}"


def _verdict(story: Story) -> Iterator[str]:
    for word, sentence in story.findings.told[:MOST_TOLD]:
        yield f"{word.upper()}: {sentence}"
    if len(story.findings.told) > MOST_TOLD:
        yield f"... and {len(story.findings.told) - MOST_TOLD} more"
    counts = story.findings.counts
    yield ", ".join(f"{word} {counts[word]}" for word in WORDS)


def _listed(counts: Mapping[str, float], form: str = "{}") -> str:
    return ", ".join(f"{name} {form.format(number)}" for name, number in counts.items()) or "none"
