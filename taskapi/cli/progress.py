"""A bar for long work, where somebody looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bar

from taskapi.domain.progress import Progress


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """A bar on the terminal's error output from 0 to 1; nothing where that is no terminal."""
    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share: bar.update(task, completed=share)
