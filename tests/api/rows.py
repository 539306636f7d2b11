"""A row of the table of rights: an endpoint, and one status per caller and state of what is called for.

A row's statuses stand in the order of CALLERS. Seen from the record in question these are: nobody, whose it
is, a plain user of the same group, one of another group, the group's admin, another group's admin, and the
owner of the system. States: it exists; there is none; it lies in the trash. Of a user who does not exist or
lies in the trash, "self" are their credentials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CALLERS = ("anonymous", "self", "same_group", "other_group", "its_admin", "anothers_admin", "owner")
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Row:
    """One endpoint. A body of bytes is sent as a file. `undo` is what the owner calls after a success, so
    that the next caller finds the same.

    `per_item`: the statuses are those of the one item of a batch; nobody gets as far as that without
    credentials.
    """

    call: str
    states: dict[str, str]
    body: Any = None
    undo: str = ""
    undo_body: Any = None
    per_item: bool = False

    @property
    def cells(self) -> list[tuple[str, str, int]]:
        """(state, caller, status)."""
        return [
            (state, caller, int(status))
            for state, line in self.states.items()
            for caller, status in zip(CALLERS, line.split(), strict=True)
        ]


#               nobody self same other admin 2nd owner
EVERYBODY = "200 200 200 200 200 200 200"
SIGNED_IN = "401 200 200 200 200 200 200"
OWNER = "401 403 403 403 403 403 200"
OWNER_NONE = "401 403 403 403 403 403 404"
LEADERS = "401 403 403 403 200 200 200"
FLAT = "401 200 404 404 200 404 200"
NONE = "401 404 404 404 404 404 404"
FLAT_ALONE = "401 200 404 404 404 404 200"


def anybody(call: str, statuses: str, body: Any = None) -> Row:
    """An endpoint that is about no record in particular."""
    return Row(call, {"exists": statuses}, body)


def user(call: str, exists: str, missing: str, trashed: str = "", body: Any = None, **more: Any) -> Row:
    """An endpoint about a user, by default with a trashed one as with none."""
    return Row(call, {"user": exists, "no user": missing, "trashed user": trashed or missing}, body, **more)


def group(call: str, exists: str, missing: str, trashed: str = "", body: Any = None, **more: Any) -> Row:
    """An endpoint about a group."""
    return Row(
        call, {"group": exists, "no group": missing, "trashed group": trashed or missing}, body, **more
    )


def task(call: str, exists: str, trashed: str, alone: str, body: Any = None, **more: Any) -> Row:
    """An endpoint about a task; `alone` is one in no group."""
    states = {"task": exists, "no task": NONE, "trashed task": trashed, "task in no group": alone}
    return Row(call, states, body, **more)


def task_of_user(call: str, body: Any = None) -> Row:
    """An endpoint about a task whose user the path names: 403 is decided from that alone."""
    none = "401 404 403 403 404 403 404"
    states = {
        "task": "401 200 403 403 200 403 200",
        "no task": none,
        "trashed task": none,
        "task in no group": "401 200 403 403 404 403 200",
        "no user": "401 401 403 403 403 403 404",
        "trashed user": "401 401 403 403 403 403 404",
    }
    return Row(call, states, body)
