"""`flask compare | scrub | doctor`: proofs and checks."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi.cli.progress import shown
from taskapi.cli.stores import the_store, with_stores
from taskapi.cli.telling import counted
from taskapi.db.engine import Engine
from taskapi.diagnosis import checkup
from taskapi.domain.errors import Unavailable
from taskapi.extensions import db
from taskapi.store import scrub as scrubbing
from taskapi.store.client import Store
from taskapi.store.scrub import Scrubbed
from taskapi.sync import auditing
from taskapi.sync.compare import Comparison
from taskapi.sync.compare import compare as compare_stores

MOST_NAMES = 20


@click.command()
@click.option("--repair", is_flag=True, help="Put right what differs, by version.")
@with_appcontext
def compare(repair: bool) -> None:
    """Compare both stores, record by record; exit code 1 if they differ or are unsound."""
    with_stores(_audit if repair else _compare)


def _compare(store: Store, engine: Engine) -> None:
    with shown("Comparing") as progress:
        found = compare_stores(store, engine, progress=progress)
    for line in [*differences(found), *digests(found)]:
        click.echo(line)
    if not (found.is_equal and found.is_sound):
        sys.exit(1)


def _audit(store: Store, engine: Engine) -> None:
    with auditing.turn(store, engine) as is_mine:
        if not is_mine:
            raise Unavailable("The stores are being compared already: try again when that is done.")
        with shown("Comparing") as progress:
            report = auditing.audit(store, engine, progress=progress)
    for line in audited(report):
        click.echo(line)
    if not (report["equal"] and report["sound"] and report["exact"]):
        sys.exit(1)


@click.command()
@click.option("--repair", is_flag=True, help="Put right what is wrong.")
@with_appcontext
def scrub(repair: bool) -> None:
    """Recompute every index and counter of Redis from its records; exit code 1 if one is wrong."""

    def work(store: Store, _: Engine) -> None:
        with shown("Scrubbing") as progress:
            found = scrubbing.scrub(store, repair=repair, progress=progress)
        for line in scrubbed(found):
            click.echo(line)
        if not found.is_exact:
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


def audited(report: Mapping[str, Any]) -> list[str]:
    """A comparison with repair, line by line."""
    asked = {"equal": "Both stores are equal", "sound": "all parents and unique values are sound"}
    asked |= {"exact": "every index and counter is exact"}
    state = "; ".join(f"{what}: {'yes' if report[name] else 'NO'}" for name, what in asked.items())
    repaired = [f"Put right: {told}" for told in report["repaired"]]
    left = [f"Left: {told}" for told in report["left"]]
    return [*repaired, *left, f"{state}. {report['repaired_count']} put right, {report['left_count']} left."]


def digests(found: Comparison) -> list[str]:
    """The digests of each kind: one where both stores have the same, else both."""
    return [
        f"Digest of {kind}s: {both['redis']}"
        + ("" if both["redis"] == both["postgresql"] else f" in Redis, {both['postgresql']} in PostgreSQL")
        for kind, both in found.digests.items()
    ]


def scrubbed(found: Scrubbed) -> list[str]:
    """A scrub, line by line."""
    return [
        *found.left,
        *(f"Put right: {told}" for told in found.repaired),
        *found.unproved,
        *found.unreadable,
    ]


def differences(found: Comparison) -> list[str]:
    """A comparison, line by line."""
    same = ", ".join(counted(count, kind) for kind, count in found.same.items())
    groups: Mapping[str, Sequence[str]] = {
        "only in Redis": found.only_redis,
        "only in PostgreSQL": found.only_postgres,
        "different": found.differing,
        "without a record that can be read in Redis": found.unreadable,
        "on their way or in quarantine": found.waiting,
        "journal entries missing or different": [str(version) for version in found.journal],
        "without a parent": found.soundness.orphans,
        "unique values held twice": found.soundness.clashes,
    }
    listed = [f"{len(names)} {what}: {_shortened(names)}" for what, names in groups.items() if names]
    return [f"Equal: {same}, {found.entries} journal entries.", *listed]


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
