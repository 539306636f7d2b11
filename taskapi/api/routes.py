"""All endpoints, mounted at `/v1` and at the root from one tree."""

from __future__ import annotations

from flask import Blueprint, Flask

from taskapi.api import (
    admin,
    aliases,
    auth,
    docs,
    files,
    groups,
    health,
    public,
    quarantine,
    tasks,
    user_tasks,
    users,
)

NOUNS = (auth, users, groups, user_tasks, tasks, files, admin, quarantine, health, public, docs, aliases)


def register(app: Flask) -> None:
    """Mounts the tree twice."""
    app.register_blueprint(_tree("api"))
    app.register_blueprint(_tree("v1"), url_prefix="/v1")


def _tree(name: str) -> Blueprint:
    tree = Blueprint(name, __name__)
    for noun in NOUNS:
        tree.register_blueprint(noun.bp)
    return tree
