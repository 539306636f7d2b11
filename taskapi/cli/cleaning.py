"""`flask cleanup`: what the clean-up jobs do, by hand."""

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi import cleaning
from taskapi.cleaning import Counts, Ground
from taskapi.cli.progress import shown
from taskapi.cli.stores import with_stores
from taskapi.db.engine import Engine
from taskapi.store.client import Store


@click.command()
@click.argument("name", required=False, type=click.Choice(sorted(cleaning.JOBS)))
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@with_appcontext
def cleanup(name: str | None, dry_run: bool) -> None:
    """Remove what nobody needs any more: all of it, or what that one clean-up job removes."""

    def work(store: Store, engine: Engine) -> None:
        ground = Ground(current_app.config["SETTINGS"], store, engine, current_app.extensions["taskapi.jobs"])
        for each in [name] if name else cleaning.JOBS:
            with shown(f"Cleaning up: {each}") as progress:
                counts = cleaning.clean(ground, each, dry_run=dry_run, progress=progress)
            click.echo(told(each, counts, dry_run=dry_run))

    with_stores(work)


def told(name: str, counts: Counts, *, dry_run: bool) -> str:
    """What came of a job, in a line."""
    removed = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing"
    return f"{name}: {removed} {'would be removed' if dry_run else 'removed'}."
