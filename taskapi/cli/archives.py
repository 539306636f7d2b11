"""`flask backup | backups | verify | restore | undo`: copies of everything, and the way back."""

from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from taskapi.cli import progress
from taskapi.cli.stores import unchanged_if_interrupted, with_stores
from taskapi.cli.telling import listed, told
from taskapi.config import Settings
from taskapi.db.engine import Engine
from taskapi.db.locks import backups_used
from taskapi.domain.errors import NotFound
from taskapi.domain.progress import Progress
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services.owner import owner_again
from taskapi.store.client import Store
from taskapi.sync import backup as archives
from taskapi.sync import going_back, keeping, restoring
from taskapi.sync.bringing import apart, bring, id_of
from taskapi.sync.keeping import ARCHIVE
from taskapi.sync.restoring import Discard

Report = dict[str, Any]
DRY = click.option("--dry-run", is_flag=True, help="Only tell what would change.")
OFFLINE = click.option("--offline", is_flag=True, help="Without a second copy in memory; nobody is answered.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@with_appcontext
def backup() -> None:
    """Back up everything; the backup is restored aside and compared before it counts as good."""

    def work(store: Store, engine: Engine) -> None:
        with progress.shown("Backing up") as seen:
            made = archives.back_up(store, engine, _shelf(), "asked", seen)
        click.echo(told(made))
        gone = archives.retain(engine, _shelf(), current_app.config["SETTINGS"].backup_keep)
        if gone:
            click.echo(f"Deleted, as there are newer ones (BACKUP_KEEP): {', '.join(gone)}")

    with_stores(work)


@click.command()
@with_appcontext
def backups() -> None:
    """List the backups, newest first."""

    def work(_: Store, __: Engine) -> None:
        found, strangers = archives.backups(_shelf()), keeping.strangers(_shelf())
        for each in found:
            click.echo(told(each))
        if strangers:
            named = ", ".join(strangers)
            click.echo(f"Not listed, as they have other names: {named}. `flask verify FILE` takes one in.")
        if not (found or strangers):
            click.echo("There is no backup yet: make one with `flask backup`.")

    with_stores(work)


@click.command()
@click.argument("name", required=False)
@with_appcontext
def verify(name: str | None) -> None:
    """Prove that a backup is good: the one of that NAME or file, or the newest."""

    def work(_: Store, engine: Engine) -> None:
        with progress.shown("Verifying") as seen:
            click.echo(told(archives.verify(engine, _shelf(), _chosen(name), seen)))

    with_stores(work)


@click.command()
@click.argument("name", required=False)
@DRY
@OFFLINE
@click.option("--confirm", type=int, help="Discard so many changes that PostgreSQL lacks; see --dry-run.")
@click.option("--up-to", type=int, help="Discard no later change than that version; see --dry-run.")
@YES
@with_appcontext
def restore(
    name: str | None, *, dry_run: bool, offline: bool, confirm: int | None, up_to: int | None, yes: bool
) -> None:
    """Go back to the backup of that NAME or file; without one, fill Redis anew from PostgreSQL.

    What is there before is archived first: `flask undo` brings it back. Filling anew keeps what PostgreSQL
    does not have yet, unless --confirm and --up-to, as --dry-run tells them, say that it goes.
    """
    discard = _discard(name, confirm, up_to)

    def work(store: Store, engine: Engine) -> None:
        if dry_run:
            click.echo(listed(_planned(store, engine, name)))
            return
        _require_there(name)
        if name or discard:
            _ask(f"Everything becomes as in {name}." if name else f"{confirm} changes go.", yes=yes)
        with unchanged_if_interrupted(), progress.shown("Restoring") as seen:
            report = _restored(store, engine, name, discard, seen, offline=offline)
        click.echo(listed(report | _owned(store)))

    with_stores(work)


@click.command()
@OFFLINE
@YES
@with_appcontext
def undo(*, offline: bool, yes: bool) -> None:
    """Take the last restore back: everything becomes as it was just before it."""

    def work(store: Store, engine: Engine) -> None:
        _ask("What was done since the last restore goes.", yes=yes)
        with unchanged_if_interrupted(), progress.shown("Undoing") as seen:
            report = going_back.undo(store, engine, _shelf(), seen, offline=offline)
        click.echo(listed(report | _owned(store)))

    with_stores(work)


def _discard(name: str | None, confirm: int | None, up_to: int | None) -> Discard | None:
    if (confirm is None) != (up_to is None):
        raise click.UsageError(
            "Give --confirm and --up-to together, as `flask restore --dry-run` tells them."
        )
    if confirm is None or up_to is None:
        return None
    if name:
        raise click.UsageError("--confirm and --up-to are for filling anew from PostgreSQL, without a NAME.")
    return Discard(confirm, up_to)


def _require_there(name: str | None) -> None:
    """Raises NotFound, or Broken for a file, before anything is asked."""
    if name is None:
        return
    if Path(name).is_file():
        id_of(Path(name))
    else:
        archives.find(_shelf(), _named(name))


def _named(name: str) -> str:
    """The id in the name of a backup, which may be that of its file on the shelf; raises NotFound."""
    if name == "":
        raise NotFound("Name a backup, or a file: `flask backups` lists them.")
    if Path(name).is_dir():
        raise NotFound(f"{name} is a folder: name a file in it.")
    if "/" in name:
        raise NotFound(f"There is no file {name}.")
    return name.removesuffix(ARCHIVE)


def _planned(store: Store, engine: Engine, name: str | None) -> Report:
    if name is None:
        return restoring.plan(store, engine)
    if Path(name).is_file():
        with apart(Path(name)) as (shelf, backup_id):
            return going_back.plan_backup(store, engine, shelf, backup_id)
    return going_back.plan_backup(store, engine, _shelf(), _chosen(name))


def _restored(
    store: Store, engine: Engine, name: str | None, discard: Discard | None, seen: Progress, *, offline: bool
) -> Report:
    if name is None:
        return restoring.rebuild(store, engine, _shelf(), seen, offline=offline, discard=discard)
    with backups_used(engine):  # from the moment that it is brought here
        return going_back.go_back(store, engine, _shelf(), _chosen(name), seen, offline=offline)


def _owned(store: Store) -> dict[str, str]:
    """The owner signs in as the settings say, whatever the backup says."""
    settings: Settings = current_app.config["SETTINGS"]
    return owner_again(store, settings.owner_email, settings.owner_password)


def _ask(what: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(f"{what} What is there now is archived before. Go on?", abort=True)


def _shelf() -> Shelf:
    return open_shelf(current_app.config["SETTINGS"].backup_url)


def _chosen(name: str | None) -> str:
    """The id of the backup of that name, of that file, which is brought to the others, or of the newest."""
    if name is None:
        found = archives.backups(_shelf())
        if not found:
            raise NotFound("There is no backup yet: make one with `flask backup`.")
        return found[0].id
    if Path(name).is_file():
        return bring(_shelf(), Path(name))
    return archives.find(_shelf(), _named(name)).id
