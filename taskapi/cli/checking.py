"""`flask compare | scrub | doctor`: proofs and checks."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi.cli.stores import the_store, with_stores
from taskapi.db.engine import Engine
from taskapi.diagnosis import checkup
from taskapi.extensions import db
from taskapi.store import scrub as scrubbing
from taskapi.store.client import Store
from taskapi.sync.compare import Comparison
from taskapi.sync.compare import compare as compare_stores

MOST_NAMES = 20


@click.command()
@with_appcontext
def compare() -> None:
    """Compare both stores, record by record; exit code 1 if they differ or are unsound."""

    def work(store: Store, engine: Engine) -> None:
        found = compare_stores(store, engine)
        for line in differences(found):
            click.echo(line)
        if not (found.is_equal and found.is_sound):
            sys.exit(1)

    with_stores(work)


@click.command()
@with_appcontext
def scrub() -> None:
    """Recompute every index and counter of Redis from its records; exit code 1 if one is wrong."""

    def work(store: Store, _: Engine) -> None:
        found, is_certain = scrubbing.proof(store)
        for line in found:
            click.echo(line)
        if not is_certain:
            click.echo(
                "Records were written all the while: these may be those. Stop the writers to be certain."
            )
        if found:
            sys.exit(1)
        click.echo("Every index and counter is what the records say.")

    with_stores(work)


@click.command()
@with_appcontext
def doctor() -> None:
    """Check everything that this installation needs, and say what to do; exit code 1 if one is wrong."""
    broker = current_app.extensions["taskapi.jobs"]
    lines = checkup(current_app.config["SETTINGS"], the_store(), broker, db.engine)
    for line in lines:
        click.echo(str(line))
    if not all(line.is_well for line in lines):
        sys.exit(1)


def differences(found: Comparison) -> list[str]:
    """A comparison, line by line."""
    same = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in found.same.items())
    groups = {
        "only in Redis": found.only_redis,
        "only in PostgreSQL": found.only_postgres,
        "different": found.differing,
        "on their way or in quarantine": found.waiting,
        "journal entries missing or different": [str(version) for version in found.journal],
        "without a parent": found.soundness.orphans,
        "unique values held twice": found.soundness.clashes,
    }
    listed = [f"{len(names)} {what}: {_shortened(names)}" for what, names in groups.items() if names]
    return [f"Equal: {same}, {found.entries} journal entries.", *listed]


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
