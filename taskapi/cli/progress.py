"""How far long work is: a bar where somebody looks at it, else lines."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress as Bar

from taskapi.domain.progress import Progress

QUIET_SECONDS = 2.0
"""What is done sooner needs no lines."""


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """A bar on the terminal's error output from 0 to 1; where that is no terminal, a line for each tenth."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title)
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _lines(title: str) -> Progress:
    begun, told = time.monotonic(), 0

    def tell(share: float) -> None:
        nonlocal told
        tenths = int(share * 10 + 1e-9)
        if tenths > told and time.monotonic() - begun >= QUIET_SECONDS:
            told = tenths
            click.echo(f"{title}: {tenths * 10} %", err=True)

    return tell
