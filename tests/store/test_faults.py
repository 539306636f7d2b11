"""What the server cannot do now, in the domain's words; what is our own mistake stays an error."""

import os
import signal
import threading
import time

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Moved, Unavailable
from taskapi.domain.filters import Scope, TaskFilter
from taskapi.embedded.servers import Servers
from taskapi.store import client, finders
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import USER
from taskapi.store.lines import PATIENT_SECONDS, QUICK_SECONDS
from taskapi.store.reading import Question, ask
from taskapi.store.records import remember
from tests.store.conftest import Maker

NOBODY = Claim(0)


def test_a_server_that_is_busy_is_away_for_a_while(store: Store, make: Maker, servers: Servers):
    make.user()
    ask(store, NOBODY, Question())
    store.redis.config_set("busy-reply-threshold", 1)
    other = Redis.from_url(servers.urls["redis"])
    endless = threading.Thread(target=_killed_script, args=(other,))
    endless.start()
    try:
        time.sleep(0.2)
        with pytest.raises(Unavailable):
            ask(store, NOBODY, Question())
    finally:
        store.redis.script_kill()
        endless.join()
        store.redis.config_set("busy-reply-threshold", 5000)
        other.close()
    assert ask(store, NOBODY, Question()).listing.total == 0


def _killed_script(server: Redis) -> None:
    with pytest.raises(ResponseError):
        server.eval("while true do end", 0)


def test_a_mistake_of_ours_is_not_taken_for_a_fault(store: Store):
    with pytest.raises(ResponseError), client.faults_named():
        store.redis.execute_command("NO", "SUCH")


def test_a_server_that_hangs_is_given_up_within_a_second(store: Store, servers: Servers):
    ask(store, NOBODY, Question())
    os.kill(servers.pids["redis"], signal.SIGSTOP)
    begun = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            ask(store, NOBODY, Question())
        taken = time.monotonic() - begun
    finally:
        os.kill(servers.pids["redis"], signal.SIGCONT)
    assert taken < 2 * PATIENT_SECONDS
    assert ask(store, NOBODY, Question()).listing.total == 0


def test_an_exchange_that_is_cut_short_leaves_no_answer_behind(store: Store, make: Maker, monkeypatch):
    make.user()
    ask(store, NOBODY, Question(["user:1"]))
    line = store.lines.own.connections[QUICK_SECONDS]
    monkeypatch.setattr(line, "read_response", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(store, NOBODY, Question(["user:1"]))
    monkeypatch.undo()
    assert ask(store, NOBODY, Question()).found == {"user:0": None}


def _interrupted(**_: object) -> None:
    raise KeyboardInterrupt


def test_how_users_were_seen_is_not_kept_without_end(store: Store, make: Maker, monkeypatch):
    monkeypatch.setattr(client, "MOST_FAMILIAR", 2)
    for _ in range(5):
        store.remember(make.user())
    assert len(store.familiar) <= 2


def test_a_scope_of_more_than_one_slice_is_looked_through(store: Store, make: Maker, monkeypatch):
    monkeypatch.setattr(finders, "SLICE", 2)
    make.user()
    made = [make.task(title=str(number)) for number in range(5)]
    found = finders.scanned(
        lambda args: ask(store, NOBODY, Question(listing=args)).listing, Scope(user=1), TaskFilter()
    )
    assert [task for _, task in found] == made


def test_an_answer_is_not_kept_for_who_has_lost_the_right(store: Store, make: Maker):
    user = make.user()
    make.changed(user, full_name="x")
    claim = Claim(0, operation=Operation("k", "f"))
    with pytest.raises(Moved):
        remember(store, claim, Stored(USER, store.redis.get("user:1")), [user])
