"""`flask sync | close`: the stores are opened and brought together, or closed."""

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi.cli.stores import with_stores
from taskapi.cli.telling import counted
from taskapi.db.engine import Engine
from taskapi.services.owner import ensure_owner
from taskapi.store import dirty
from taskapi.store.client import Store
from taskapi.sync import closing
from taskapi.sync.admission import admit
from taskapi.sync.catching_up import catch_up
from taskapi.sync.flush import Flushed
from taskapi.sync.judging import Finding

SYNC_SECONDS = 60.0


@click.command()
@with_appcontext
def sync() -> None:
    """Make Redis ready, give user 1 the owner's e-mail and password, and carry everything to PostgreSQL."""
    settings = current_app.config["SETTINGS"]

    def work(store: Store, engine: Engine) -> None:
        click.echo(admit(store, engine).sentence)
        ensure_owner(store, settings.owner_email, settings.owner_password)
        again, flushed = catch_up(store, engine, SYNC_SECONDS)
        if again.finding is not Finding.READY:
            click.echo(again.sentence)
        click.echo(told(flushed))
        if apart := len(dirty.backlog(store).quarantined):
            click.echo(
                f"PostgreSQL refuses {counted(apart, 'record')}, set apart and served on:"
                " `flask quarantine` tells why."
            )

    with_stores(work)


@click.command()
@with_appcontext
def close() -> None:
    """Carry everything and note a clean stop; every write is refused until the next `flask sync`."""

    def work(store: Store, engine: Engine) -> None:
        flushed = closing.close(store, engine)
        click.echo("Redis was not open: nothing to close." if flushed is None else f"Closed. {told(flushed)}")

    with_stores(work)


def told(flushed: Flushed) -> str:
    """A flush in a sentence."""
    rows = ", ".join(counted(count, kind) for kind, count in flushed.rows.items() if count)
    refused = f" {flushed.refused} refused by PostgreSQL and set apart." if flushed.refused else ""
    left = f"{flushed.left} still to carry." if flushed.left else "Nothing is left."
    return f"Carried to PostgreSQL: {rows or 'nothing new'}. {left}{refused}"
