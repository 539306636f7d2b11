"""`flask trash`: users and groups that may be brought back."""

from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from taskapi.cli.stores import with_stores
from taskapi.db.engine import Engine
from taskapi.domain.clock import ago
from taskapi.domain.records import Group, User
from taskapi.store import contents
from taskapi.store import trash as lying
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, KINDS, USER

PAGE = 1000


@click.command()
@with_appcontext
def trash() -> None:
    """List the users and groups in the trash, the first deleted first; GET /tasks/trash lists the tasks."""

    def work(store: Store, _: Engine) -> None:
        found = list(_found(store))
        for record in found:
            click.echo(_line(record))
        if not found:
            click.echo("No user and no group is in the trash.")

    with_stores(work)


def _found(store: Store) -> Iterator[User | Group]:
    offset = 0
    while names := lying.names(store, ago(-1), offset, PAGE):
        offset += len(names)
        for name in names:
            kind, _, number = name.partition(":")
            if kind in (USER.name, GROUP.name):
                yield from filter(None, contents.present(store, KINDS[kind], [int(number)]))


def _line(record: User | Group) -> str:
    kind, name = ("user", record.full_name) if isinstance(record, User) else ("group", record.name)
    return f"{record.deleted_at}  {kind} {record.id}  {name}  back by POST /{kind}s/{record.id}/restore"
