"""What was ever found lost, kept where a Redis that is lost again cannot take it along."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

_SENT = "store text, above bigint, up_to bigint, healed boolean, at timestamptz"
_PUT = text(
    "INSERT INTO loss AS held (store, above, up_to, healed, at)"  # noqa: S608 - our own names
    f" SELECT store, above, up_to, healed, at FROM json_to_recordset(CAST(:losses AS json)) AS sent({_SENT})"
    " WHERE NOT EXISTS (SELECT FROM loss WHERE loss.store = sent.store AND loss.above = sent.above"
    " AND loss.up_to IS NOT DISTINCT FROM sent.up_to AND loss.healed = sent.healed) ORDER BY store, above"
    " ON CONFLICT (store, above) DO UPDATE SET up_to = excluded.up_to, healed = excluded.healed, seen = false"
)
_SEE = text(
    "UPDATE loss SET seen = true"  # noqa: S608 - our own names
    f" FROM json_to_recordset(CAST(:losses AS json)) AS sent({_SENT})"
    " WHERE loss.store = sent.store AND loss.above = sent.above AND loss.healed = sent.healed"
    " AND loss.up_to IS NOT DISTINCT FROM sent.up_to"
)
_MOMENT = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"') AS at"""
_ALL = text(
    f"SELECT store, above, up_to, healed, seen, {_MOMENT} FROM loss"  # noqa: S608 - our own names
    " ORDER BY loss.at DESC, above DESC LIMIT :most"
)


def put(connection: Connection, losses: Sequence[Any]) -> None:
    """Keeps losses (dataclasses with the columns as fields); one that is known already as it is now."""
    if losses:
        connection.execute(_PUT, {"losses": orjson.dumps(list(losses)).decode()})


def see(connection: Connection, losses: Sequence[Any]) -> None:
    """Marks those as seen that are kept exactly so; one that turns out to be wider is news again."""
    connection.execute(_SEE, {"losses": orjson.dumps(list(losses)).decode()})


def newest(connection: Connection, most: int) -> list[dict[str, Any]]:
    """The last ones that were found."""
    return [dict(row) for row in connection.execute(_ALL, {"most": most}).mappings()]
