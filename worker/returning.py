"""What a worker gives back when it loses the broker: nothing, where there is nobody left to give it to."""

from typing import Any

from kombu.transport.redis import Channel, QoS


class _Returning(QoS):
    """Unfinished messages go back to the broker when a line is closed, unless the line is gone already.

    Kombu opens another line for them then, by an address that it has thrown away, and the worker ends by it.
    What is not given back the broker hands out again when its visibility time-out is over.
    """

    def restore_unacked(self, client: Any = None) -> None:
        """Gives back what this channel has not finished."""
        if self.channel.connection.client is None:
            self._delivered.clear()
        else:
            super().restore_unacked(client)  # type: ignore[no-untyped-call]


def outlive_the_broker() -> None:
    """Lets every worker of this program survive that the broker goes while it works."""
    Channel.QoS = _Returning
