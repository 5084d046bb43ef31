"""Deadline words tried out: what a cell would come to, before a ledger is imported."""

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import deadline
from service.api import import_shapes as shapes
from service.api.deps import Asked, Room, Route, answered
from service.api.fields import Day
from service.api.openapi import documented
from service.wording import language

ANY_TEXT: dict[str, Any] = {"pattern": r"^[^\x00]*$"}
"""Also none at all: what a blank cell means can be asked as well."""

router = Room(route_class=Route, tags=["imports"])


@router.get(
    "/v1/deadline-words",
    **documented(
        "get_deadline_words", "What the words of a deadline cell come to", shapes.DeadlineWordsOut,
    ),
)  # fmt: skip
async def get_deadline_words(
    request: Asked,
    text: Annotated[str, Query(max_length=500, json_schema_extra=ANY_TEXT, description="As it stands in the cell.")],
    listed_on: Annotated[Day | None, Query(description="From which terms are counted; else today.")] = None,
) -> Response:
    said, due_on = await deadline.of_words(request.service, request.call, text, listed_on)
    tongue = language(request.headers.get("accept-language"))
    return answered(to_json(shapes.deadline_words(text, said, due_on, tongue)))
