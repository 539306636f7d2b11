"""User 1, who is there from the first start on, with the password of the settings."""

from __future__ import annotations

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Full, Invalid, Taken, Unavailable
from taskapi.domain.records import OWNER, OWNER_ID, Credential, User
from taskapi.services import passwords
from taskapi.services.again import decided_again
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, ask
from taskapi.store.records import save

SYSTEM = Claim(0)


@decided_again
def ensure_owner(store: Store, email: str, password: str) -> None:
    """Makes user 1, or gives them this e-mail and password; a new password ends their sessions.

    Raises Invalid if another user has the e-mail.
    """
    asked = [keys.record(kind.name, OWNER_ID) for kind in (USER, CREDENTIAL)]
    seen = ask(store, SYSTEM, Question(asked))
    user: User | None = seen.record(USER, OWNER_ID)
    credential: Credential | None = seen.record(CREDENTIAL, OWNER_ID)
    changes = [*_user_changes(user, email), *_credential_changes(credential, password)]
    ends = [OWNER_ID] if any(change.kind is CREDENTIAL for change in changes) else []
    if changes:
        try:
            save(store, Claim(0), changes, sessions_end=ends)
        except Taken as taken:
            raise Invalid(
                {"OWNER_EMAIL": ["Another user has this e-mail: set OWNER_EMAIL to another one."]}
            ) from taken


def owner_again(store: Store, email: str, password: str) -> dict[str, str]:
    """The same after a restore, which may have brought back another e-mail: {} or {"owner": why not}.

    The restore is over, and is told as such, though the next one may have begun already.
    """
    try:
        ensure_owner(store, email, password)
    except Invalid as clash:
        return {"owner": " ".join(sentence for told in clash.errors.values() for sentence in told)}
    except (Full, Unavailable) as refusal:
        return {"owner": f"{refusal} Until the API starts again the owner is as in the backup."}
    return {}


def _user_changes(was: User | None, email: str) -> list[Change]:
    moment = timestamp()
    if was is None:
        made = User(full_name="System Owner", email=email, role=OWNER, created_at=moment, updated_at=moment)
        return [Change(None, made, "created", str(OWNER_ID))]
    now = was.changed(email=email, role=OWNER, updated_at=moment)
    return [Change(was, now, "changed")] if now.differs(was) else []


def _credential_changes(was: Credential | None, password: str) -> list[Change]:
    if was is not None and passwords.matches(was.password_hash, password):
        return []
    now = Credential(password_hash=passwords.hashed(password), updated_at=timestamp())
    if was is None:
        return [Change(None, now, "created", str(OWNER_ID))]
    return [Change(was, now.changed(id=OWNER_ID, version=was.version), "changed")]
