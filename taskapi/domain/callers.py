"""Who calls: first a claim that its credentials support, then the caller that the store confirms."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskapi.domain.records import GROUP_ADMIN, OWNER, User
from taskapi.domain.rights import Right


@dataclass(frozen=True, slots=True)
class Operation:
    """One write as its client named it with an idempotency key, so that repeating it changes nothing.

    Its answer is kept for a day with the `fingerprint` of the request.
    """

    id: str
    fingerprint: str


@dataclass(slots=True)
class Tally:
    """Whether a request has been counted against its caller's limit: once, however often it asks."""

    counted: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the credentials of one request speak for.

    The signature or password was checked; whether the session still exists, the password is still
    that one (`credential_version`) and what the user may do is read with the data itself.
    `right` is what the endpoint asks for. `user_id` 0 is nobody yet: a public call, or the system.
    """

    user_id: int
    right: Right = Right.PUBLIC
    session: str | None = None
    credential_version: int | None = None
    request_id: str = "-"
    operation: Operation | None = None
    tally: Tally = field(default_factory=Tally, compare=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """A confirmed claim: the user as stored at the moment of reading."""

    user: User
    claim: Claim

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def role(self) -> str:
        """owner, group_admin or user."""
        return self.user.role

    @property
    def is_owner(self) -> bool:
        """Whether every right is theirs."""
        return self.user.role == OWNER

    @property
    def is_group_admin(self) -> bool:
        """Whether they lead groups."""
        return self.user.role == GROUP_ADMIN

    @property
    def group_ids(self) -> tuple[int, ...]:
        """Their groups; an admin of a group is always a member."""
        return self.user.group_ids
