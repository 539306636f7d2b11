"""Bodies that know other names for their fields."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError

READ_ONLY = frozenset(
    {"id", "version", "created_at", "updated_at", "completed_at", "deleted_at", "deleted_with"}
)
"""What every record tells of itself, and nobody can set."""
_READ_ONLY = "Is read-only: leave it out."


class Body(Schema):
    """A JSON object in which every field is known. `aliases` are read on input and never answered."""

    aliases: ClassVar[dict[str, str]] = {}

    def values(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The checked values under their own names; raises ValidationError in the names that were sent."""
        named = self.renamed(sent)
        try:
            loaded: dict[str, Any] = self.load(named)
        except ValidationError as refusal:
            told = refusal.normalized_messages()
            told |= {name: [_READ_ONLY] for name in told if name in READ_ONLY and name not in self.fields}
            raise ValidationError(self._as_sent(told, sent)) from None
        return self.finished(loaded)

    def renamed(self, sent: dict[str, Any]) -> dict[str, Any]:
        """What was sent, under the fields' own names."""
        if not any(alias in sent for alias in self.aliases):
            return sent
        named = {name: value for name, value in sent.items() if name not in self.aliases}
        for alias, name in self.aliases.items():
            if alias in sent:
                if name in named and (type(named[name]), named[name]) != (type(sent[alias]), sent[alias]):
                    raise ValidationError({alias: [f"Means the same as {name}, which has another value."]})
                named[name] = sent[alias]
        return named

    def finished(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values with what follows from them."""
        return values

    def _as_sent(self, messages: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        called = {name: alias for alias, name in self.aliases.items() if alias in sent and name not in sent}
        return {called.get(name, name): below for name, below in messages.items()}
