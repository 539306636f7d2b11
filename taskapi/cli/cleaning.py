"""`flask cleanup`: what the clean-up jobs do, by hand."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi import cleaning
from taskapi.cleaning import Counts, Ground
from taskapi.cli.progress import shown
from taskapi.cli.stores import with_stores
from taskapi.db.engine import Engine
from taskapi.domain.errors import Refused
from taskapi.store.client import Store


@click.command()
@click.argument("name", required=False, type=click.Choice(sorted(cleaning.JOBS)))
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@with_appcontext
def cleanup(name: str | None, dry_run: bool) -> None:
    """Remove what nobody needs any more: all of it, or what that one clean-up job removes."""

    def work(store: Store, engine: Engine) -> None:
        ground = Ground(current_app.config["SETTINGS"], store, engine, current_app.extensions["taskapi.jobs"])
        done = [_is_done(ground, each, dry_run) for each in ([name] if name else cleaning.JOBS)]
        if not all(done):
            sys.exit(1)

    with_stores(work)


def _is_done(ground: Ground, name: str, dry_run: bool) -> bool:
    """Does one job, and tells what came of it; one that is refused does not hold up the others."""
    try:
        with shown(f"Cleaning up: {name}") as progress:
            counts = cleaning.clean(ground, name, dry_run=dry_run, progress=progress)
    except Refused as refusal:
        click.echo(f"{name}: {refusal}", err=True)
        return False
    click.echo(told(name, counts, dry_run=dry_run))
    return True


def told(name: str, counts: Counts, *, dry_run: bool) -> str:
    """What came of a job, in a line."""
    removed = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing"
    return f"{name}: {removed} {'would be removed' if dry_run else 'removed'}."
