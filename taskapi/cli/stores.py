"""What the commands work on, and how their faults are told."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask import current_app

from taskapi.db.engine import Engine
from taskapi.domain.errors import Invalid, Refused
from taskapi.extensions import db
from taskapi.store.client import Store
from taskapi.sync.errors import Foreign


def the_store() -> Store:
    found: Store = current_app.extensions["taskapi.store"]
    return found


@contextmanager
def unchanged_if_interrupted() -> Iterator[None]:
    """Says to whoever presses Ctrl-C in the block what became of it: nothing, unless the interrupt tells."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        notes: list[str] = getattr(interrupt, "__notes__", [])
        click.echo(" ".join(["Interrupted.", *(notes or ["Nothing was changed."])]), err=True)
        sys.exit(130)


def with_stores(work: Callable[[Store, Engine], None]) -> None:
    """Does the work; a refusal, or a store that is away or foreign, is one sentence and exit code 1."""
    try:
        work(the_store(), db.engine)
    except Invalid as refusal:
        click.echo(
            " ".join(message for messages in refusal.errors.values() for message in messages), err=True
        )
        sys.exit(1)
    except (Refused, Foreign) as fault:
        click.echo(str(fault), err=True)
        sys.exit(1)
