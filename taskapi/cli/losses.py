"""`flask losses`: what was ever found lost."""

import click
from flask.cli import with_appcontext

from taskapi.cli.stores import with_stores
from taskapi.db.engine import Engine
from taskapi.store.client import Store
from taskapi.store.syncs import Loss
from taskapi.sync import losses as known


@click.command()
@click.option("--seen", is_flag=True, help="Say that you know of all of these: the doctor is content again.")
@with_appcontext
def losses(seen: bool) -> None:
    """List what was ever found lost, the oldest finding first; it stays on record for good."""

    def work(store: Store, engine: Engine) -> None:
        found = known.every(store, engine)
        if seen:
            known.see(store, engine, found)
            found = known.every(store, engine)
        for loss in found:
            click.echo(_line(loss))
        if not found:
            click.echo("Nothing was ever found lost.")

    with_stores(work)


def _line(loss: Loss) -> str:
    state = "healed" if loss.healed else "seen" if loss.seen else "OPEN"
    return f"{loss.at}  {state:<6}  {loss.sentence}"
