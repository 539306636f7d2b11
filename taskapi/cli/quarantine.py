"""`flask quarantine [retry | discard]`: what PostgreSQL refuses."""

import sys
from functools import partial
from typing import Any

import click
import orjson
from flask.cli import with_appcontext

from taskapi.cli.stores import with_stores
from taskapi.db import queries
from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim, Tally
from taskapi.domain.filters import Page
from taskapi.domain.records import OWNER_ID
from taskapi.domain.rights import Right
from taskapi.services import quarantine as service
from taskapi.store import keys
from taskapi.store import quarantine as kept
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS
from taskapi.sync.flush import drain

SECONDS = 60.0
PER_PAGE = 200


@click.group(invoke_without_command=True)
@with_appcontext
@click.pass_context
def quarantine(context: click.Context) -> None:
    """List the records that PostgreSQL refuses, each with its reason; `retry` or `discard` one of them."""
    if context.invoked_subcommand is None:
        with_stores(lambda store, _: _list(store))


@quarantine.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("id", type=click.IntRange(1))
@with_appcontext
def retry(kind: str, id: int) -> None:  # noqa: A002 - as people call it
    """Have PostgreSQL asked again for the record KIND ID; exit code 1 if it refuses it again."""

    def work(store: Store, engine: Engine) -> None:
        service.retry_refused(store, _claim(), kind, id)
        drain(store, engine, SECONDS)
        name = keys.record(kind, id)
        for refusal in kept.some(store, [name]):
            click.echo(f"PostgreSQL refuses {name} again: {refusal.reason}", err=True)
            sys.exit(1)
        click.echo(f"PostgreSQL has {name} now.")

    with_stores(work)


@quarantine.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("id", type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def discard(kind: str, id: int, yes: bool) -> None:  # noqa: A002 - as people call it
    """Give the refused change of KIND ID up: the record becomes what PostgreSQL has, or is purged."""

    def work(store: Store, engine: Engine) -> None:
        for refusal in [] if yes else kept.some(store, [keys.record(kind, id)]):
            click.echo(f"PostgreSQL refuses {refusal.name}: {refusal.reason}")
            click.confirm(
                "This change of it goes; only a backup that was made since has it. Go on?", abort=True
            )
        read = partial(queries.record, engine)
        shown = service.discard_refused(store, _claim(), read, kind, id)
        drain(store, engine, SECONDS)
        click.echo(_discarded(keys.record(kind, id), orjson.loads(shown.body)))

    with_stores(work)


def _claim() -> Claim:
    """Whoever can run commands here is the owner."""
    return Claim(OWNER_ID, Right.ADMINISTER, request_id="command", tally=Tally(counted=True))


def _list(store: Store) -> None:
    cursor: str | None = ""
    count = 0
    while cursor is not None:
        page = service.list_refused(store, _claim(), Page(per_page=PER_PAGE, cursor=cursor or None))
        for item in page.items:
            click.echo(_line(orjson.loads(item)))
            count += 1
        cursor = page.next_cursor
    if not count:
        click.echo("Nothing is in quarantine.")


def _line(refusal: dict[str, Any]) -> str:
    name = keys.record(refusal["kind"], refusal["id"])
    return f"{name}  version {refusal['version']}  {refusal['at']}  {refusal['reason']}"


def _discarded(name: str, done: dict[str, Any]) -> str:
    if done["purged"]:
        return f"{name} is purged: PostgreSQL had nothing of it."
    return f"{name} is what PostgreSQL has of it, in version {done['version']}."
