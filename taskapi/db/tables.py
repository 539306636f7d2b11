"""The tables as Flask-SQLAlchemy models, one per kind: for migrations, the shell and reports."""

from taskapi.db.schema import CHANGE, LEASE, LOSS, META, MIRRORS, REFUSED, TASK_LOG, TASK_LOG_DAY
from taskapi.extensions import db


class User(db.Model):  # type: ignore[name-defined,misc]
    """The mirror of the users."""

    __table__ = MIRRORS["user"]


class Credential(db.Model):  # type: ignore[name-defined,misc]
    """The mirror of the password hashes."""

    __table__ = MIRRORS["credential"]


class Group(db.Model):  # type: ignore[name-defined,misc]
    """The mirror of the groups."""

    __table__ = MIRRORS["group"]


class Task(db.Model):  # type: ignore[name-defined,misc]
    """The mirror of the tasks."""

    __table__ = MIRRORS["task"]


class File(db.Model):  # type: ignore[name-defined,misc]
    """The mirror of the files: what is said of them, not their bytes."""

    __table__ = MIRRORS["file"]


class Meta(db.Model):  # type: ignore[name-defined,misc]
    """Which installation this is; one row."""

    __table__ = META


class Lease(db.Model):  # type: ignore[name-defined,misc]
    """Up to which id each kind may count in Redis."""

    __table__ = LEASE


class Change(db.Model):  # type: ignore[name-defined,misc]
    """The journal."""

    __table__ = CHANGE


class Loss(db.Model):  # type: ignore[name-defined,misc]
    """What was ever found lost."""

    __table__ = LOSS


class Refused(db.Model):  # type: ignore[name-defined,misc]
    """Records that no mirror takes as they are, byte for byte."""

    __table__ = REFUSED


class TaskLog(db.Model):  # type: ignore[name-defined,misc]
    """What was made, due or done on each day."""

    __table__ = TASK_LOG


class TaskLogDay(db.Model):  # type: ignore[name-defined,misc]
    """The days of which that is written."""

    __table__ = TASK_LOG_DAY
