"""What a worker says of its messages to a broker that it has lost: nothing, for there is nobody to hear."""

from typing import Any

from kombu.transport.redis import Channel, QoS


class _Returning(QoS):
    """Messages are finished with, or given back, over the line that brought them, as long as there is one.

    Without one, Kombu opens another by an address that it has thrown away, and the worker ends by that. The
    broker hands out again what it has heard nothing of, when its visibility time-out is over.
    """

    def restore_unacked(self, client: Any = None) -> None:
        """Gives back what this channel has not finished."""
        if self._is_lost():
            self._delivered.clear()
        else:
            super().restore_unacked(client)  # type: ignore[no-untyped-call]

    def ack(self, delivery_tag: str) -> None:
        """Says that a message is finished with."""
        if not self._is_lost():
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Says that a message was not taken."""
        if not self._is_lost():
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    def _is_lost(self) -> bool:
        line = self.channel.connection
        return line is None or line.client is None


def outlive_the_broker() -> None:
    """Lets every worker of this program survive that the broker goes while it works."""
    Channel.QoS = _Returning
