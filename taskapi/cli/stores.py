"""What the commands work on, and how their faults are told."""

import sys
from collections.abc import Callable

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
