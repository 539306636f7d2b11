"""Refusals of the scripts, in the domain's words."""

from taskapi.domain.errors import Conflict, Full, Moved, Refused, Taken, Unauthorized, Unavailable

UNVERIFIED = (
    "The data store has restarted, or a restore was broken off: it is being compared with PostgreSQL, and"
    " nobody reads or writes before that. Try again in a moment; while PostgreSQL is away, when it is back."
)
OVERTAKEN = "This restore was overtaken by another or by an admission. Look at the state, and try again."
RESTORING_SECONDS = 5
RESTORING = "The data are being restored; what is read is still answered. Try again in a few seconds."


def refusal(reply: list[bytes]) -> Refused:
    """What a script's refusal means; `reply` is its answer, the reason first."""
    reason, subject = reply[0].decode(), b" ".join(reply[1:]).decode()
    if reason == "unverified":
        return Unavailable(UNVERIFIED)
    if reason == "restoring":
        return Unavailable(RESTORING, retry_after=RESTORING_SECONDS)
    if reason in ("session", "over"):
        return Unauthorized("The session has ended.")
    if reason == "taken":
        return Taken(subject.rsplit(":", 1)[-1])
    if reason == "ids":
        return Full(f"No ids are left for a new {subject} until PostgreSQL can lease more.")
    if reason == "full":
        return Full(
            f"The data store is running out of {subject.replace(',', ' and ')}. Deleting still works."
        )
    if reason == "leaving":
        return Conflict(f"{subject} is being deleted or brought back. Try again in a moment.")
    return Moved(f"{subject} has changed.")
