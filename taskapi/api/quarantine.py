"""What PostgreSQL refuses, for the owner."""

from __future__ import annotations

from functools import partial

from taskapi.api.contracts import asks, authenticated, conditional, lists, returns
from taskapi.api.schemas.quarantine import DiscardedOut, RefusedOut, RetriedOut
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.serving import Noun
from taskapi.api.wiring import store
from taskapi.db import queries
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.extensions import db
from taskapi.services import quarantine
from taskapi.services.results import Listed, Shown

bp = Noun("quarantine", __name__)


@bp.get("/admin/quarantine")
@authenticated(Right.ADMINISTER)
@asks(PageQuery)
@lists(RefusedOut, "quarantine")
def list_refused(claim: Claim, wanted: Page) -> Listed:
    """The records that PostgreSQL refuses. They are served on; every full sweep tries them again."""
    return quarantine.list_refused(store(), claim, wanted)


@bp.post("/admin/quarantine/<kind>/<int:record_id>/retry")
@authenticated(Right.ADMINISTER)
@asks(Query)
@returns(RetriedOut)
def retry_refused(claim: Claim, kind: str, record_id: int) -> Shown:
    """Have PostgreSQL asked again for one record, at once."""
    return quarantine.retry_refused(store(), claim, kind, record_id)


@bp.post("/admin/quarantine/<kind>/<int:record_id>/discard")
@authenticated(Right.ADMINISTER)
@asks(Query)
@conditional
@returns(DiscardedOut)
def discard_refused(claim: Claim, kind: str, record_id: int, if_match: int | None) -> Shown:
    """Give a refused change up: the record becomes what PostgreSQL has, in a new version, or is purged."""
    read = partial(queries.record, db.engine)
    return quarantine.discard_refused(store(), claim, read, kind, record_id, if_match)
