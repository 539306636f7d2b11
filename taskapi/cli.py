"""`flask sync | close | compare | scrub | doctor | demo`: what an operator and the supervisor run."""

import sys
from collections.abc import Callable

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress

from taskapi.config import Settings
from taskapi.db.engine import Engine
from taskapi.demo import making
from taskapi.demo.cast import GROUPS, PASSWORD, PEOPLE
from taskapi.diagnosis import checkup
from taskapi.domain.errors import Invalid, Refused, Unavailable
from taskapi.extensions import db
from taskapi.services.owner import ensure_owner
from taskapi.store import scrub as scrubbing
from taskapi.store.client import Store
from taskapi.sync import closing
from taskapi.sync.admission import admit
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import Comparison
from taskapi.sync.compare import compare as compare_stores
from taskapi.sync.errors import Foreign
from taskapi.sync.flush import Flushed
from taskapi.sync.judging import Finding

SYNC_SECONDS = 60.0
MOST_NAMES = 20


def register(app: Flask) -> None:
    """Adds the commands to the app."""
    for command in (sync, close, compare, scrub, doctor, demo):
        app.cli.add_command(command)


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

    _with_stores(work)


@click.command()
@with_appcontext
def close() -> None:
    """Carry everything and note a clean stop; every write is refused until the next `flask sync`."""

    def work(store: Store, engine: Engine) -> None:
        flushed = closing.close(store, engine)
        click.echo("Redis was not open: nothing to close." if flushed is None else f"Closed. {told(flushed)}")

    _with_stores(work)


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

    _with_stores(work)


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

    _with_stores(work)


@click.command()
@with_appcontext
def demo() -> None:
    """Make 3 groups, 12 users and 300 tasks in the product that is running; what is there already stays."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.production:
        click.echo("The demo's passwords are known to everybody: it is not made in production.", err=True)
        sys.exit(1)
    try:
        made = _made(_store())
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


@click.command()
@with_appcontext
def doctor() -> None:
    """Check everything that this installation needs, and say what to do; exit code 1 if one is wrong."""
    broker = current_app.extensions["taskapi.jobs"]
    lines = checkup(current_app.config["SETTINGS"], _store(), broker, db.engine)
    for line in lines:
        click.echo(str(line))
    if not all(line.is_well for line in lines):
        sys.exit(1)


def told(flushed: Flushed) -> str:
    """A flush in a sentence."""
    rows = ", ".join(
        f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in flushed.rows.items() if count
    )
    refused = f" {flushed.refused} refused by PostgreSQL and set apart." if flushed.refused else ""
    left = f"{flushed.left} still to carry." if flushed.left else "Nothing is left."
    return f"Carried to PostgreSQL: {rows or 'nothing new'}. {left}{refused}"


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


def _store() -> Store:
    found: Store = current_app.extensions["taskapi.store"]
    return found


def _with_stores(work: Callable[[Store, Engine], None]) -> None:
    """Does the work; a store that is away or foreign is one sentence and exit code 1."""
    try:
        work(_store(), db.engine)
    except (Unavailable, Foreign) as fault:
        click.echo(str(fault), err=True)
        sys.exit(1)
    except Invalid as refusal:
        click.echo(
            " ".join(message for messages in refusal.errors.values() for message in messages), err=True
        )
        sys.exit(1)
