"""Who the servers run as: PostgreSQL refuses root, so root hands its servers to `nobody`."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from taskapi.embedded.refusals import StartRefused


@dataclass(frozen=True)
class Account:
    """A user of this machine without rights of its own."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """`nobody` when this is root, else None: an ordinary user runs the servers as itself."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StartRefused(
            "PostgreSQL does not run as root and there is no user 'nobody': start as an ordinary user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may walk down to this path. No folder is ever opened up to make it so."""
    return account is None or all(_lets_through(folder, account) for folder in path.resolve().parents)


def _lets_through(folder: Path, account: Account) -> bool:
    if not folder.is_dir():
        return True
    status = folder.stat()
    bit = (
        stat.S_IXUSR
        if status.st_uid == account.uid
        else stat.S_IXGRP
        if status.st_gid == account.gid
        else stat.S_IXOTH
    )
    return bool(status.st_mode & bit)
