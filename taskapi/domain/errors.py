"""What can be refused, in the domain's words; `api.problems` alone knows their HTTP statuses."""

import math


class Refused(Exception):
    """A request that was understood and is not carried out. `code` is stable, `str()` is for people."""

    code = "refused"

    def __init__(self, message: str = "", **details: object) -> None:
        super().__init__(message)
        self.details = details


class Invalid(Refused):
    """Input that cannot be accepted; `errors` maps each field to its messages."""

    code = "invalid"

    def __init__(self, errors: dict[str, list[str]], message: str = "The request is not valid.") -> None:
        super().__init__(message)
        self.errors = errors


class WrongPassword(Invalid):
    """What was given as the caller's current password is not."""

    def __init__(self) -> None:
        super().__init__({"current_password": ["This is not your current password."]})


class Unauthorized(Refused):
    """Nobody, or nobody who still may: no credentials, wrong ones, or ones that have ended."""

    code = "unauthorized"


class TokenExpired(Unauthorized):
    """An access token that was good, and is over by the clock: a refresh token gets another."""

    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("This access token has expired: get another with the refresh token.")


class Forbidden(Refused):
    """The caller is known and has no right to this."""

    code = "forbidden"


class NotFound(Refused):
    """There is no such record, or none that the caller may know of."""

    code = "not_found"


class Taken(Refused):
    """A value that must be unique belongs to another record; `field` names it."""

    code = "taken"

    def __init__(self, field: str) -> None:
        super().__init__(f"This {field.replace('_', ' ')} is already taken.")
        self.field = field


class Conflict(Refused):
    """Somebody was faster, or the record's state does not allow it."""

    code = "conflict"


class Stale(Refused):
    """The version given in `If-Match` is not the record's version any more."""

    code = "stale"


class KeyReused(Refused):
    """An idempotency key came back with another request."""

    code = "idempotency_key_reused"


class Limited(Refused):
    """Too many calls; `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Too many requests. Try again in {max(1, math.ceil(retry_after))} s.")
        self.retry_after = retry_after


class Unavailable(Refused):
    """A store is away or not yet verified; try again after `retry_after` seconds."""

    code = "unavailable"

    def __init__(self, message: str, retry_after: float = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamFailed(Refused):
    """Another server is away, or its answer is of no use; it is asked again after `retry_after` seconds."""

    code = "upstream_failed"

    def __init__(self, message: str, retry_after: float = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamSlow(UpstreamFailed):
    """Another server that was asked has not answered in time."""

    code = "upstream_timeout"


class Full(Refused):
    """There is no room for more: memory, disk or leased ids."""

    code = "full"


class Damaged(Refused, ValueError):
    """What the data store has of a record is no record: by a fault of the memory, or somebody's hand."""

    code = "damaged_record"

    def __init__(self, name: str) -> None:
        super().__init__(f"What the data store has of {name} is damaged; it was logged, and can be mended.")


class Moved(Refused):
    """A record on which the decision rested has changed since it was read: read and decide again."""

    code = "conflict"


class TooLarge(Refused):
    """More bytes than are taken."""

    code = "too_large"


class WrongType(Refused):
    """A file that is not of a type that is taken, or not what it seems to be."""

    code = "unsupported_media_type"
