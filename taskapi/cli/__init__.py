"""What an operator and the supervisor run.

`flask sync | close`, `flask backup | backups | verify | restore | undo`,
`flask compare | scrub | quarantine | losses | trash | cleanup | doctor`, `flask demo`
"""

from flask import Flask

from taskapi.cli.archives import backup, backups, restore, undo, verify
from taskapi.cli.checking import compare, doctor, scrub
from taskapi.cli.cleaning import cleanup
from taskapi.cli.demo import demo
from taskapi.cli.losses import losses
from taskapi.cli.quarantine import quarantine
from taskapi.cli.syncing import close, sync
from taskapi.cli.trash import trash

COMMANDS = (
    *(sync, close),
    *(backup, backups, verify, restore, undo),
    *(compare, scrub, quarantine, losses, trash, cleanup, doctor),
    demo,
)


def register(app: Flask) -> None:
    """Adds the commands to the app."""
    for command in COMMANDS:
        app.cli.add_command(command)
