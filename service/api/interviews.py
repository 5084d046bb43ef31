"""Interviews (约谈) over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import interviews
from service.actions.interviews import Minutes
from service.actions.service import Recorded, Replay
from service.api import item_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.fields import Day, Id, LongText, Model, Moment, Name, distinct
from service.api.openapi import WRITE, documented
from service.workflow.states import InterviewState

router = Room(route_class=Route, tags=["interviews"])

_NEWEST = UUID(int=2**128 - 1)


class MinutesIn(Model):
    held_on: Day
    attendees: list[Name] = Field(min_length=1, max_length=50)
    minutes: LongText
    commitments: LongText | None = None


class TogetherIn(MinutesIn):
    interview_ids: Annotated[list[Id], distinct] = Field(
        min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}, description="All of one unit."
    )


class ScheduleIn(Model):
    at: Moment
    place: Name | None = None


InterviewId = Annotated[Id, Path(description="The interview's id.")]


def _recorded(talk: Any) -> Recorded:
    return Recorded(200, to_json(shapes.interview(talk)), None, None, talk.item_id)


@router.get(
    "/v1/interviews",
    **documented("list_interviews", "The interviews of the caller's scope, newest first", shapes.InterviewPageOut),
)
async def list_interviews(
    request: Asked,
    state: Annotated[list[InterviewState], Query(max_length=4)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    states = tuple(each.value for each in state)
    rows = await interviews.page(request.service, request.call, states, parts[0] if parts else _NEWEST, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.interview(row) for row in rows[:limit]], more)


@router.post(
    "/v1/interviews/record",
    **documented(
        "record_interviews", "Put one talk about several items of a unit on record", shapes.InterviewListOut,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {
                "summary": "一次约谈，多个条目",
                "value": {
                    "interview_ids": ["0192f3a4-7d51-7c53-8a5e-3f2b9c1d4e60"],
                    "held_on": "2026-01-05",
                    "attendees": ["王强"],
                    "minutes": "责成十日内完成整改",
                },
            },
            "en": {
                "summary": "One talk, several items",
                "value": {
                    "interview_ids": ["0192f3a4-7d51-7c53-8a5e-3f2b9c1d4e60"],
                    "held_on": "2026-01-05",
                    "attendees": ["Wang Qiang"],
                    "minutes": "The delay was explained.",
                },
            },
        },
    ),
)  # fmt: skip
async def record_interviews(request: Asked, body: TogetherIn) -> Response:
    call = await with_receipt(request, _recorded_together)
    minutes = Minutes(body.held_on, tuple(body.attendees), body.minutes, body.commitments)
    talks = await interviews.record_together(request.service, call, body.interview_ids, minutes)
    if isinstance(talks, Replay):
        return replayed(talks)
    return answered(to_json({"items": [shapes.interview(talk) for talk in talks]}))


def _recorded_together(talks: Any) -> Recorded:
    return Recorded(200, to_json({"items": [shapes.interview(talk) for talk in talks]}), None, None, talks[0].item_id)


@router.post(
    "/v1/interviews/{interview_id}/schedule",
    **documented(
        "schedule_interview", "Say when and where an interview will be held", shapes.InterviewOut,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "约定时间地点", "value": {"at": "2030-07-01T01:30:00Z", "place": "县督查室"}},
            "en": {"summary": "Name time and place", "value": {"at": "2030-07-01T01:30:00Z", "place": "Room 301"}},
        },
    ),
)  # fmt: skip
async def schedule_interview(request: Asked, interview_id: InterviewId, body: ScheduleIn) -> Response:
    call = await with_receipt(request, _recorded)
    talk = await interviews.schedule(request.service, call, interview_id, body.at, body.place)
    if isinstance(talk, Replay):
        return replayed(talk)
    return answered(to_json(shapes.interview(talk)))


@router.get("/v1/interviews/{interview_id}", **documented("get_interview", "The interview", shapes.InterviewOut))
async def get_interview(request: Asked, interview_id: InterviewId) -> Response:
    return answered(to_json(shapes.interview(await interviews.read(request.service, request.call, interview_id))))


@router.post(
    "/v1/interviews/{interview_id}/record",
    **documented(
        "record_interview", "Put a held interview on record", shapes.InterviewOut,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {
                "summary": "记录约谈",
                "value": {"held_on": "2026-01-05", "attendees": ["王强"], "minutes": "责成十日内完成整改"},
            },
            "en": {
                "summary": "Put the talk on record",
                "value": {
                    "held_on": "2026-01-05",
                    "attendees": ["Wang Qiang"],
                    "minutes": "The delay was explained.",
                    "commitments": "Finished within ten days.",
                },
            },
        },
    ),
)  # fmt: skip
async def record_interview(request: Asked, interview_id: InterviewId, body: MinutesIn) -> Response:
    call = await with_receipt(request, _recorded)
    minutes = Minutes(body.held_on, tuple(body.attendees), body.minutes, body.commitments)
    talk = await interviews.record(request.service, call, interview_id, minutes)
    if isinstance(talk, Replay):
        return replayed(talk)
    return answered(to_json(shapes.interview(talk)))
