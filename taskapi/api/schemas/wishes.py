"""What the owner may ask of the machinery."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from taskapi.api.schemas.query import Choice, Flag, Query, WholeParameter
from taskapi.api.schemas.said import meaning, such_as
from taskapi.services import operating
from taskapi.services.operating import Wish

WAIT_SECONDS = 20
LONGEST_WAIT = 60


@such_as(wait=0)
class Waiting(Query):
    """How many seconds the answer waits for the job."""

    has_wanted = True

    wait = WholeParameter(
        0,
        LONGEST_WAIT,
        load_default=WAIT_SECONDS,
        metadata=meaning(f"Seconds to wait for the job: 0 to {LONGEST_WAIT}, by default {WAIT_SECONDS}."),
    )


class UndoQuery(Waiting):
    """How to restore: without a second copy in memory, if need be."""

    offline = Flag(
        load_default=False,
        metadata=meaning("true: without a second copy in memory; nobody is answered meanwhile."),
    )


class RestoreQuery(UndoQuery):
    """The same, or only tell what would change."""

    dry_run = Flag(
        load_default=False, metadata=meaning("true: change nothing, and tell what a restore would change.")
    )


@such_as(confirm=3, up_to=4294967301)
class SyncQuery(RestoreQuery):
    """What to do; all but `wait` only for a restore. `confirm` and `up_to` are as a dry run has told them."""

    action = Choice(
        {name: name for name in ("force", "restore", "backup")},
        required=True,
        metadata=meaning("force: carry all to PostgreSQL; restore: fill Redis from it; backup: make one."),
    )
    confirm = WholeParameter(
        0,
        metadata=meaning("How many changes that PostgreSQL lacks may be lost, as the dry run counted them."),
    )
    up_to = WholeParameter(
        0, metadata=meaning("Up to which version they may be lost, as the dry run told it.")
    )

    def wanted(self, values: dict[str, Any]) -> tuple[Wish, float]:
        """The wish, and how long to wait."""
        wait = values.pop("wait")
        action = values.pop("action")
        options = {name: value for name, value in values.items() if value is not False}
        if action == "restore":
            _require_both(options)
            return operating.rebuild(**options), wait
        if options:
            sentence = f"Only action=restore takes {', '.join(sorted(options))}."
            raise ValidationError({name: [sentence] for name in options})
        return (operating.FORCE if action == "force" else operating.BACKUP), wait


def _require_both(options: dict[str, Any]) -> None:
    pair = ("confirm", "up_to")
    missing = [name for name in pair if name not in options]
    if len(missing) == 1:
        told = "Give confirm and up_to together, as ?action=restore&dry_run=true tells them."
        raise ValidationError({missing[0]: [told]})
