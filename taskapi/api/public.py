"""What everybody may ask, beside the health probes: what another server says, and what is left of a limit."""

from __future__ import annotations

from taskapi.api import seen
from taskapi.api.contracts import attempt, public, refuses, returns
from taskapi.api.schemas.public import Joke, LimitLeft
from taskapi.api.serving import Noun
from taskapi.api.wiring import cache, extension
from taskapi.domain.callers import Claim
from taskapi.services import jokes
from taskapi.services.results import Shown, computed

bp = Noun("public", __name__)


@bp.get("/tasks/external-joke")
@public
@refuses(
    upstream_failed="The other server is away, refuses, or answers with something that is not JSON.",
    upstream_timeout="The other server did not answer in two seconds.",
)
@returns(Joke)
def read_joke(_: Claim) -> Shown:
    """What the server at `EXTERNAL_JOKE_URL` says, for a minute the same."""
    return jokes.read_joke(cache(), extension("taskapi.upstream"))


@bp.get("/api/check-limiter")
@public
@attempt("check")
@returns(LimitLeft)
def check_limiter(_: Claim) -> Shown:
    """Shows a limit at work: what is left of the calls of this address to this path."""
    notes, known = seen.noted(), seen.noted().policy is not None
    return computed(
        {
            "status": "ok",
            "limit": notes.policy.calls if notes.policy else None,
            "remaining": notes.left if known else None,
            "reset_seconds": notes.full_in if known else None,
        }
    )
