"""The words of tasks as PostgreSQL keeps and finds them: cut in Python, never parsed here.

Words go in and are asked for as lists of ready lexemes, so that no text is ever read as a query.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from taskapi.db.errors import RowsRefused
from taskapi.domain.words import cut, of_task

VECTOR = "array_to_tsvector(string_to_array(lexemes, ' '))"
"""The column, out of the words of a row with a space between: no word has one."""

_FILLED_AT_ONCE = 5000
_UNFILLED = text(
    "SELECT id, title, information FROM tasks"
    " WHERE id > :after AND deleted_at IS NULL AND purged IS NOT TRUE ORDER BY id LIMIT :count"
)
_FILL = text(
    f"UPDATE tasks SET words = {VECTOR}"  # noqa: S608 - our own names
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:lexemes AS text[])) AS cut(number, lexemes) WHERE id = number"
)


def beside(names: str, typed: str) -> str:
    """The rows of `:blobs` with those columns, each with its words out of `:words`, in order."""
    return (
        f"ROWS FROM (json_to_recordset(CAST(:blobs AS json)) AS ({typed}),"
        f" json_array_elements_text(CAST(:words AS json))) AS sent({names}, lexemes)"
    )


def of_blobs(blobs: Sequence[bytes]) -> str:
    """The words of stored tasks as JSON for `beside`; null for one in the trash, or purged.

    Raises RowsRefused if one of them cannot be read.
    """
    try:
        return orjson.dumps([_of(orjson.loads(blob)) for blob in blobs]).decode()
    except orjson.JSONDecodeError as fault:
        raise RowsRefused(f"not JSON: {fault}") from fault


def fill(connection: Connection) -> None:
    """Writes the words of all live tasks anew."""
    after = 0
    while found := connection.execute(_UNFILLED, {"after": after, "count": _FILLED_AT_ONCE}).all():
        lexemes = [_lexemes(row.title, row.information) for row in found]
        connection.execute(_FILL, {"ids": [row.id for row in found], "lexemes": lexemes})
        after = found[-1].id


def query(words: Iterable[str]) -> str:
    """A tsquery for rows in which each of these begins a word."""
    return " & ".join(f"{_quoted(word)}:*" for word in words)


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _of(record: Any) -> str | None:
    if not isinstance(record, dict) or record.get("purged") or record.get("deleted_at") is not None:
        return None
    return _lexemes(record.get("title"), record.get("information"))


def _lexemes(title: Any, information: Any) -> str:
    """Of what is no text there are none; PostgreSQL judges the record."""
    texts = (value if isinstance(value, str) else "" for value in (title, information))
    return " ".join(cut(of_task(*texts)))
