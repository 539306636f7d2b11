"""`flask demo`: something to look at."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress

from taskapi.cli.stores import the_store
from taskapi.config import Settings
from taskapi.demo import making
from taskapi.demo.cast import GROUPS, PASSWORD, PEOPLE
from taskapi.domain.errors import Refused, Unavailable
from taskapi.store.client import Store


@click.command()
@with_appcontext
def demo() -> None:
    """Make 3 groups, 12 users and 300 tasks in the product that is running; what is there already stays."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.production:
        click.echo("The demo's passwords are known to everybody: it is not made in production.", err=True)
        sys.exit(1)
    try:
        made = _made(the_store())
    except Unavailable as fault:
        click.echo(f"{fault} The demo needs the product running: `make run`.", err=True)
        sys.exit(1)
    except Refused as refusal:
        click.echo(f"{refusal} A part of the demo may lie in the trash: restore or purge it.", err=True)
        sys.exit(1)
    click.echo(_introduction(made, f"http://{settings.server_host}:{settings.server_port}"))


def _made(store: Store) -> making.Made:
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Making the demo", total=making.STEPS)
        return making.make(store, lambda: progress.advance(task))


def _introduction(made: making.Made, address: str) -> str:
    """What there is, and how to sign in as some of the people."""
    counted = f"{made.groups} groups, {made.users} users and {made.tasks} tasks"
    first = f"Made {counted}." if made.is_anything else "The demo is there already."
    leads = [
        f"  {person.username:14}{person.full_name}, leads {person.leads}" for person in PEOPLE if person.leads
    ]
    plain = PEOPLE[3]
    return "\n".join(
        [
            first,
            f"Sign in with the password {PASSWORD} as one of {len(PEOPLE)} people in {len(GROUPS)} groups:",
            *leads,
            f"  {plain.username:14}{plain.full_name}, works in {' and '.join(plain.groups)}",
            f"For example: curl -u {plain.username}:{PASSWORD} {address}/v1/tasks/stats",
        ]
    )
