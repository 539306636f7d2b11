"""Password hashes, and the memory of passwords that were just verified."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

REMEMBERED_SECONDS = 60
MOST_REMEMBERED = 10_000

# OWASP's parameters for argon2id (19 MiB, 2 passes, 1 lane): many sign-ins at once stay within memory.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_hex(16))


def hashed(password: str) -> str:
    """Its argon2id hash, with salt and parameters."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the hash is of that password. For no hash it takes as long, and is False."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None


def are_same(one: str, other: str) -> bool:
    """Whether both are one password, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(hashlib.sha256(one.encode()).digest(), hashlib.sha256(other.encode()).digest())


@dataclass(slots=True)
class VerifiedMemory:
    """Which names and passwords were verified in the last minute, as keyed digests.

    An entry gives the user's id and the version of the credential it was verified against; whoever
    uses it compares that version with the stored one, so a changed password ends it at once.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    entries: dict[bytes, tuple[int, int, float]] = field(default_factory=dict)

    def recall(self, name: str, password: str) -> tuple[int, int] | None:
        """(user id, credential version) of what was verified, if it still counts."""
        found = self.entries.get(self._digest(name, password))
        return None if found is None or found[2] < time.monotonic() else found[:2]

    def remember(self, name: str, password: str, user_id: int, credential_version: int) -> None:
        """Keeps it for a minute."""
        if len(self.entries) >= MOST_REMEMBERED:
            self.entries.clear()
        until = time.monotonic() + REMEMBERED_SECONDS
        self.entries[self._digest(name, password)] = (user_id, credential_version, until)

    def _digest(self, name: str, password: str) -> bytes:
        return hmac.digest(self.key, f"{len(name)}:{name}{password}".encode(), "sha256")
