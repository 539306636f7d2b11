"""What an endpoint declares of itself: the right it asks for, what it takes, what it answers.

    @bp.put("/users/<int:user_id>/tasks/<int:task_id>")
    @authenticated(Right.WORK_ON_TASKS)
    @accepts(TaskChanges)
    @returns(TaskOut)
    def update_task(claim, user_id, task_id, sent, if_match): ...

A view is called with the claim, the parts of its path, and by name what it declares: `sent` (the body's
values), `wanted` (the query's), `if_match`. Declarations are kept on the view, where tests and the API
document read them; the blueprint turns the view into an endpoint when it is given a path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import Schema

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.query import Query
from taskapi.domain.rights import Right

View = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """The declarations of one endpoint.

    `body` and `query` are schemas of what is taken, `returned` of the record answered, `plural` its name
    in a list, `beside` the JSON types of what else a list tells. `location` is the path of what a 201
    has made. `attempts` names the limit per address, `share` one per caller besides that of all calls;
    `uncounted` is what has none at all. What `signs_out` takes the cookies away. `event` is what
    the log says when it was done.

    The rest is for documents alone: a `bare` record is not wrapped, `media` is the type of an answer that is
    no JSON, `or_else` tells of other statuses, `refused` of what else is refused: its code, and
    when. Most refusals follow from the other terms. `example` has the parts that the decorator names.
    """

    right: Right | None = None
    body: Body | None = None
    takes_form: bool = False
    body_optional: bool = False
    query: Query | None = None
    any_query: bool = False
    returned: Schema | None = None
    plural: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    location: str | None = None
    conditional: bool = False
    receives_file: bool = False
    sends_file: bool = False
    attempts: str | None = None
    share: str | None = None
    uncounted: bool = False
    signs_out: bool = False
    event: str = ""
    bare: bool = False
    media: str | None = None
    or_else: Mapping[int, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record_fields(self) -> frozenset[str]:
        """The fields that `?fields=` may name."""
        return frozenset(self.returned.fields) if self.returned is not None else frozenset()


def contract_of(view: View) -> Contract:
    """What the view has declared."""
    found: Contract = getattr(view, "contract", Contract())
    return found


def declared(**terms: Any) -> Callable[[View], View]:
    """A decorator that adds terms to the view's contract."""

    def declare(view: View) -> View:
        view.contract = replace(contract_of(view), **terms)  # type: ignore[attr-defined]
        return view

    return declare


def authenticated(right: Right) -> Callable[[View], View]:
    """Only for callers whose credentials hold; `right` is checked by the service, with the data."""
    return declared(right=right)


def public(view: View) -> View:
    """For everybody. Credentials are not looked at."""
    return declared(right=Right.PUBLIC)(view)


def attempt(scope: str) -> Callable[[View], View]:
    """Counted per address under that name."""
    return declared(attempts=scope)


def shared(scope: str) -> Callable[[View], View]:
    """Counted per caller under that name, once it is sure who calls; besides the limit of all calls."""
    return declared(share=scope)


def uncounted(view: View) -> View:
    """Counted against no limit: for probes and documents."""
    return declared(uncounted=True)(view)


def signs_out(view: View) -> View:
    """Ends the caller's session: takes the cookies away."""
    return declared(signs_out=True)(view)


def told_as(event: str) -> Callable[[View], View]:
    """Has the log say so each time that it was done, by whom and from where."""
    return declared(event=event)


def accepts(schema: type[Body], *, form: bool = False, optional: bool = False) -> Callable[[View], View]:
    """Takes a JSON object (or a form), handed on as `sent`; an `optional` one may be missing."""
    return declared(body=schema(), takes_form=form, body_optional=optional)


def asks(query: type[Query]) -> Callable[[View], View]:
    """Takes these query parameters and hands them on as `wanted`."""
    return declared(query=query())


def any_query(view: View) -> View:
    """Takes and ignores every query parameter: for probes, which add their own."""
    return declared(any_query=True)(view)


def returns(
    schema: type[Schema], status: int = 200, *, at: str | None = None, bare: bool = False
) -> Callable[[View], View]:
    """Answers with one record; a 201 names its path with `at`, such as `/tasks/{id}`. A `bare` one is not
    wrapped in `data`."""
    return declared(returned=schema(), status=status, location=at, bare=bare)


def sends(media: str, status: int = 200) -> Callable[[View], View]:
    """Answers with something of this media type, as it is."""
    return declared(media=media, status=status)


def or_else(status: int, when: str, differs: Mapping[str, Any] | None = None) -> Callable[[View], View]:
    """Answers the same with another status at times; `differs` is what its example has else."""
    return _added("or_else", {status: (when, differs or {})})


def refuses(**when: str) -> Callable[[View], View]:
    """Refuses with these codes too, which nothing else that is declared tells of."""
    return _added("refused", when)


def example(*, sent: Any = None, answer: Any = None, **of_parts: Mapping[str, Any]) -> Callable[[View], View]:
    """Example values where those of the schemas do not fit: a whole body `sent`, a whole `answer`, some of
    its `data`, of what stands `beside` a list, of the parameters of the `path` and of the `query`."""
    given = {"sent": sent, "answer": answer, **of_parts}
    return _added("example", {name: value for name, value in given.items() if value is not None})


def _added(term: str, more: Mapping[Any, Any]) -> Callable[[View], View]:
    """A decorator that adds to a term that has many parts."""
    return lambda view: declared(**{term: {**getattr(contract_of(view), term), **more}})(view)


def lists(schema: type[Schema], plural: str, **beside: str) -> Callable[[View], View]:
    """Answers with one page of records, and `beside` them with keys of these JSON types."""
    return declared(returned=schema(), plural=plural, beside=beside)


def conditional(view: View) -> View:
    """Minds `If-Match`: called with `if_match`, a version or None."""
    return declared(conditional=True)(view)


def receives_file(view: View) -> View:
    """Takes a form with one file, which the view itself reads as it arrives."""
    return declared(receives_file=True)(view)


def sends_file(view: View) -> View:
    """Answers with the bytes of a file."""
    return declared(sends_file=True)(view)
