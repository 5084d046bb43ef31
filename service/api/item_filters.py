"""What a list of items may be narrowed to and sorted by, as query parameters: of the list, and of its exports."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from service.actions.items import Query as ListQuery
from service.api.deps import NO_NUL
from service.api.fields import Day, Moment
from service.api.references import Reference, reference
from service.errors import invalid
from service.workflow.queries import Filters
from service.workflow.states import Severity, SourceKind, State

Handler = Callable[..., Coroutine[Any, Any, Response]]


def narrowed(
    state: Annotated[list[State], Query(max_length=5)] = [],
    ledger: Annotated[list[Reference], Query(max_length=50, description="Ids or codes.")] = [],
    unit: Annotated[list[Reference], Query(max_length=20, description="Responsible units, with all below.")] = [],
    supervising_unit: Annotated[list[Reference], Query(max_length=20)] = [],
    severity: Annotated[list[Severity], Query(max_length=3)] = [],
    source: Annotated[list[SourceKind], Query(max_length=9)] = [],
    lamp: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=32, json_schema_extra=NO_NUL)]], Query(max_length=10)
    ] = [],
    overdue: Annotated[bool | None, Query()] = None,
    due_before: Annotated[Day | None, Query(description="Deadline on or before this day.")] = None,
    due_after: Annotated[Day | None, Query(description="Deadline on or after this day.")] = None,
    listed_after: Annotated[Moment | None, Query(description="Listed at or after this instant.")] = None,
    listed_before: Annotated[Moment | None, Query(description="Listed before this instant.")] = None,
    external_ref: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=NO_NUL)]], Query(max_length=50)
    ] = [],
    label: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100, json_schema_extra=NO_NUL)]], Query(max_length=20)
    ] = [],
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            json_schema_extra={"pattern": r"^[^\x00]*[^\x00\s][^\x00]*$"},
            description="Chinese full text.",
        ),
    ] = None,
    sort: Literal["due_on", "-due_on", "-listed_at", "-updated_at"] = "due_on",
) -> ListQuery:
    """The list that was asked for, from its beginning."""
    if q is not None and not q.strip():
        raise invalid(("/query/q", "too_short"))
    return ListQuery(
        filters=Filters(
            states=tuple(each.value for each in state),
            severities=tuple(each.value for each in severity),
            sources=tuple(each.value for each in source),
            labels=tuple(label),
            external_refs=tuple(external_ref),
            overdue=overdue,
            due_after=due_after,
            due_before=due_before,
            listed_after=listed_after,
            listed_before=listed_before,
            q=q,
        ),
        ledgers=tuple(reference(each, "/query/ledger") for each in ledger),
        units=tuple(reference(each, "/query/unit") for each in unit),
        supervising_units=tuple(reference(each, "/query/supervising_unit") for each in supervising_unit),
        lamps=tuple(lamp),
        sort=sort,
    )


_FILTERS = [
    each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in inspect.signature(narrowed).parameters.values()
]


def with_filters(handler: Handler) -> Handler:
    """A handler that takes `narrowed: ListQuery` as one whose query has every filter, so that they are written once.

    A dependency would do the same, but a request pays for each, and what is unknown in a query is told by the
    parameters of the endpoint itself.
    """
    own = [each for each in inspect.signature(handler).parameters.values() if each.name != "narrowed"]
    names = [each.name for each in _FILTERS]

    async def filtered(**given: Any) -> Response:
        query = narrowed(**{name: given.pop(name) for name in names})
        return await handler(narrowed=query, **given)

    first, *rest = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    filtered.__name__, filtered.__doc__ = handler.__name__, handler.__doc__
    filtered.__signature__ = inspect.Signature([first, *_FILTERS, *rest])  # type: ignore[attr-defined]
    return filtered
