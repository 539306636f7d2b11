"""What an operator and the supervisor run.

`flask sync | close | compare | scrub | quarantine | doctor | demo`
"""

from flask import Flask

from taskapi.cli.checking import compare, doctor, scrub
from taskapi.cli.demo import demo
from taskapi.cli.quarantine import quarantine
from taskapi.cli.syncing import close, sync


def register(app: Flask) -> None:
    """Adds the commands to the app."""
    for command in (sync, close, compare, scrub, quarantine, doctor, demo):
        app.cli.add_command(command)
