"""A worker that loses the broker while it works on something."""

from contextlib import suppress

from kombu import Connection, Consumer, Queue
from kombu.message import Message
from redis import Redis

from taskapi.embedded.servers import Servers
from worker.returning import outlive_the_broker


def consumed(broker: Connection, channel: object, queue: str, into: list[Message]) -> None:
    consumer = Consumer(
        channel, [Queue(queue)], callbacks=[lambda _, message: into.append(message)], accept=["json"]
    )
    consumer.consume()


def test_a_line_that_is_lost_with_unfinished_messages_closes(servers: Servers, redis_broker: Redis):
    outlive_the_broker()
    unfinished: list[Message] = []
    broker = Connection(servers.urls["broker"])
    with broker.SimpleQueue("work") as queue:
        queue.put({"job": 1})
    consumed(broker, broker.default_channel, "work", unfinished)
    consumed(broker, broker.channel(), "other work", unfinished)
    broker.drain_events(timeout=5)
    with suppress(TimeoutError):  # both channels wait for more
        broker.drain_events(timeout=0.1)
    assert len(unfinished) == 1

    servers.kill("broker")
    broker.collect(socket_timeout=1)
    broker.close()
    unfinished[0].ack()


def test_what_was_not_taken_before_the_line_was_lost_is_not_told(servers: Servers, redis_broker: Redis):
    outlive_the_broker()
    unfinished: list[Message] = []
    broker = Connection(servers.urls["broker"])
    with broker.SimpleQueue("work") as queue:
        queue.put({"job": 1})
    consumed(broker, broker.default_channel, "work", unfinished)
    broker.drain_events(timeout=5)
    broker.close()
    unfinished[0].reject(requeue=True)
    assert redis_broker.llen("work") == 1


def test_unfinished_messages_go_back_to_a_broker_that_is_there(servers: Servers, redis_broker: Redis):
    outlive_the_broker()
    unfinished: list[Message] = []
    broker = Connection(servers.urls["broker"])
    with broker.SimpleQueue("work") as queue:
        queue.put({"job": 1})
    consumed(broker, broker.default_channel, "work", unfinished)
    broker.drain_events(timeout=5)
    assert redis_broker.llen("work") == 0
    broker.close()
    assert redis_broker.llen("work") == 1
