"""The lines of an archive: records, journal entries and refused records, in one form from both stores."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, fields
from functools import cache
from typing import Any, get_type_hints

import orjson

from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Record
from taskapi.store import codec
from taskapi.store.dirty import Entry, Mark
from taskapi.store.harvest import Found
from taskapi.store.kinds import KINDS, Kind

JOURNAL, APART = "change", "refused"
SECTIONS = (*RECORDS, JOURNAL, APART)
"""What an archive has, in order: every kind, the journal, and what PostgreSQL has refused."""

UNREADABLE = "unreadable"
NOT_READABLE = "What Redis has is no such record."
_ENTRY_FIELDS = tuple(field.name for field in fields(Entry))

NOTHING = f"{0:064x}"
"""The digest of a section without lines, and of a kind that an older release did not have."""

Line = tuple[str, bytes]
"""A section and a JSON object without line breaks."""


class Tally:
    """How many texts there are, and a digest of them all in which their order does not matter."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, text: bytes) -> None:
        """Counts one more."""
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(text).digest())) % 2**256

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of all, modulo 2^256, in 64 hexadecimal digits."""
        return f"{self._sum:064x}"


class Tallies:
    """A tally of each section."""

    def __init__(self) -> None:
        self._sections = {name: Tally() for name in SECTIONS}

    def add(self, line: Line) -> None:
        """Counts a line."""
        self._sections[line[0]].add(line[1])

    @property
    def counts(self) -> dict[str, int]:
        """How many lines each section has."""
        return {name: tally.count for name, tally in self._sections.items()}

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each section."""
        return {name: tally.digest for name, tally in self._sections.items()}


def of_record(kind: Kind, record: Record) -> Line:
    """The line of a record."""
    whole = {name: float(getattr(record, name)) for name in _whole_numbers(kind, record)}
    record = record.changed(**whole) if whole else record
    return kind.name, codec.blob(codec.middle(kind, record), record.id, record.version)


def of_found(found: Found) -> Line:
    """The line of what Redis has of a record; one that nobody can read is set apart, byte for byte."""
    if found.record is not None:
        return of_record(found.kind, found.record)
    known = (found.kind.name, found.id, _version_in(found.blob), found.blob)
    return of_refused(Refused(*known, NOT_READABLE, timestamp()))


def of_entry(entry: Entry) -> Line:
    """The line of a journal entry; one that went to PostgreSQL wrapped up is unwrapped."""
    values = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    return JOURNAL, orjson.dumps(_in_form(_unwrapped(values)), option=orjson.OPT_SORT_KEYS)


def of_refused(refused: Refused) -> Line:
    """The line of a refused record, its bytes in base64."""
    values = asdict(refused) | {"record": base64.b64encode(refused.record).decode()}
    return APART, orjson.dumps(values)


def marks(kind: str, texts: Iterable[bytes]) -> list[Mark]:
    """Records out of their lines, in today's form."""
    current = [(of_record(KINDS[kind], codec.decode(KINDS[kind], text))[1]) for text in texts]
    return [Mark(kind, codec.id_of(text), codec.version_of(text), text) for text in current]


def entry(text: bytes) -> Entry:
    """A journal entry out of its line."""
    values = orjson.loads(text)
    if not isinstance(values["fields"], str):
        values["fields"] = orjson.dumps(values["fields"]).decode()
    return Entry(**values)


def refused(text: bytes) -> Refused:
    """A refused record out of its line."""
    values = orjson.loads(text)
    return Refused(**(values | {"record": base64.b64decode(values["record"], validate=True)}))


@cache
def _floats(kind: Kind) -> frozenset[str]:
    hints = get_type_hints(kind.record)
    return frozenset(field.name for field in fields(kind.record) if hints[field.name] == float | None)


def _whole_numbers(kind: Kind, record: Record) -> list[str]:
    """Fields whose column would give 2.0 where Redis has 2."""
    return [name for name in _floats(kind) if type(getattr(record, name)) is int]


def _version_in(stored: bytes) -> int:
    try:
        return codec.version_of(stored)
    except ValueError:
        return 0


def _unwrapped(values: dict[str, Any]) -> dict[str, Any]:
    if values["action"] != UNREADABLE:
        return values
    within: dict[str, Any] = orjson.loads(orjson.loads(values["fields"])[UNREADABLE][1])
    return within


def _in_form(values: dict[str, Any]) -> dict[str, Any]:
    """With the fields as an object, as PostgreSQL keeps no order of its keys; as text if it is none."""
    try:
        return values | {"fields": orjson.loads(values["fields"])}
    except orjson.JSONDecodeError:
        return values
