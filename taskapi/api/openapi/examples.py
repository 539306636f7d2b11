"""Example values: said by schemas and contracts, and put together here.

A schema says in `example` what cannot be guessed; what can (a time, a date, one of some values, another
schema) follows from the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from taskapi.api.contracts import Contract
from taskapi.api.schemas.aliased import Body

DAY = "2030-01-31"
TIME = "2030-01-30T09:15:00.000Z"
REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"


class NoExample(LookupError):
    """Nothing says what an example of this field looks like: say it with `such_as` at its schema."""


def of_body(contract: Contract) -> Any:
    """An example of what an endpoint takes, or None if it takes nothing."""
    said = contract.example.get("sent")
    if said is not None or contract.body is None:
        return said
    return _said(contract.body)


def of_answer(contract: Contract) -> Any:
    """An example of what it answers, or None if that is no record of ours."""
    said = contract.example.get("answer")
    if said is not None:
        return said
    if contract.returned is None:
        return None
    data: Any = of_record(contract.returned)
    if contract.bare:
        return data
    if not contract.plural:
        data |= {**_unlike_others(contract, data), **contract.example.get("data", {})}
    else:
        data = {contract.plural: [data], **_beside(contract), "count": 1, "total": 1, "next_cursor": None}
    return {"success": True, **getattr(contract.returned, "beside_example", {}), "data": data}


def differing(example: dict[str, Any], differs: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in which some is different; of its record alone what is named."""
    found = {**example, **differs}
    return found | {"data": example["data"] | differs["data"]} if "data" in differs else found


def _unlike_others(contract: Contract, data: dict[str, Any]) -> dict[str, Any]:
    """What a record has as it was sent, and of a new one null where nothing was sent."""
    body, returned = contract.body, contract.returned
    if body is None or returned is None:
        return {}
    may_be_null = [
        name for name, field in returned.fields.items() if field.allow_none and name in body.fields
    ]
    known = dict.fromkeys(may_be_null if contract.status == 201 else []) | of_body(contract)
    return {name: value for name, value in known.items() if name in data}


def of_record(schema: Schema) -> dict[str, Any]:
    """A record with all of its fields but those that are there only now and then."""
    return {
        name: of_field(schema, name, field)
        for name, field in schema.fields.items()
        if not field.metadata.get("rare")
    }


def of_field(schema: Schema, name: str, field: Any) -> Any:
    """An example of one field; raises NoExample."""
    said = _said(schema)
    if name in said:
        return said[name]
    if "example" in field.metadata:
        return field.metadata["example"]
    return _derived(field, f"{type(schema).__name__}.{name}")


def _derived(field: Any, where: str) -> Any:
    if isinstance(field, fields.Nested):
        return of_record(field.schema)
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return [of_record(field.inner.schema)]
    if field.metadata.get("enum"):
        return field.metadata["enum"][0]
    for kind, value in ((fields.DateTime, TIME), (fields.Date, DAY), (fields.Boolean, True)):
        if isinstance(field, kind):
            return value
    raise NoExample(where)


def _said(schema: Schema) -> dict[str, Any]:
    """What the schema and those from which it descends say; of a body the nearest alone."""
    if isinstance(schema, Body):
        return dict(getattr(schema, "example", {}))
    said: dict[str, Any] = {}
    for kind in reversed(type(schema).__mro__):
        said |= vars(kind).get("example", {})
    return said


def _beside(contract: Contract) -> dict[str, Any]:
    simple = {"boolean": True, "integer": 1, "string": "report"}
    return {name: simple[kind] for name, kind in contract.beside.items()} | dict(
        contract.example.get("beside", {})
    )
