"""What each write leaves behind for PostgreSQL: a dirty mark and a line of the journal."""

import orjson

from taskapi.domain.records import Credential
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from tests.store.conftest import SYSTEM, Maker


def test_each_write_is_dirty_and_in_the_journal_under_its_version(store: Store, make: Maker):
    user = make.user()
    task = make.task(title="one")
    changed = make.changed(task, title="two")
    assert store.redis.zscore(keys.DIRTY, "task:1") == changed.version
    assert store.redis.zscore(keys.DIRTY, "user:1") == user.version
    entries = store.redis.xrange(keys.JOURNAL)
    assert [name.decode() for name, _ in entries] == [
        f"{version}-0" for version in range(user.version, changed.version + 1)
    ]
    last = entries[-1][1]
    assert (last[b"kind"], last[b"id"], last[b"action"]) == (b"task", b"1", b"changed")
    assert orjson.loads(last[b"fields"]) == {"title": ["one", "two"]}


def test_a_password_hash_never_reaches_the_journal(store: Store, make: Maker):
    make.user()
    made = Credential(password_hash="$secret", updated_at="t")
    was = save(store, SYSTEM, [Change(None, made, "created", "1")]).first.record
    save(store, SYSTEM, [Change(was, was.changed(password_hash="$other"), "changed")])
    journal = str(store.redis.xrange(keys.JOURNAL))
    assert "secret" not in journal
    assert "other" not in journal
    assert "password_hash" in journal


def test_the_first_mark_of_a_dirty_record_stays(store: Store, make: Maker):
    make.user()
    task = make.task()
    first = store.redis.zscore(keys.DIRTY_SINCE, "task:1")
    make.changed(task, title="x")
    assert store.redis.zscore(keys.DIRTY_SINCE, "task:1") == first
