"""The backups as the owner's endpoints see them, which may not know the sync themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from taskapi.outside.bucket import HASTY_SECONDS
from taskapi.outside.shelf import open_shelf
from taskapi.sync import keeping


@dataclass(frozen=True, slots=True)
class Archives:
    """What lies at that address. Nothing is opened before the first question."""

    url: str

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """All of them, newest first; raises Unavailable."""
        return [asdict(each) for each in keeping.backups(open_shelf(self.url, seconds=HASTY_SECONDS))]

    def found(self, backup_id: str) -> Mapping[str, Any]:
        """That one; raises NotFound, Unavailable."""
        return asdict(keeping.find(open_shelf(self.url, seconds=HASTY_SECONDS), backup_id))
