"""Jobs over HTTP: how far one is, and what came of it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import jobs
from service.actions.jobs import Jobs
from service.actions.service import Recorded
from service.api.deps import Asked, Room, Route, answered
from service.api.downloads import CSV, SAVED, XLSX, content_of, streamed
from service.api.fields import Id
from service.api.openapi import READ, documented
from service.api.shapes import Line, Shape
from service.workflow.jobs import Job, JobState

router = Room(route_class=Route, tags=["jobs"])

JobId = Annotated[Id, Path(description="The job's id.")]


class ResultOut(Shape):
    href: Line = Field(description="Where it is fetched.")
    media_type: Line
    name: Line = Field(description="The name under which to save it.")
    size: int = Field(ge=0, le=2**53 - 1, description="Bytes.")


class JobOut(Shape):
    """Work that goes on behind the call that began it. It is its caller's own, and there for a day."""

    id: UUID
    kind: Line = Field(description="`export`.")
    state: JobState
    percent: int = Field(ge=0, le=100)
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime = Field(description="When the job and its result go.")
    problem: Line | None = Field(
        description="Why it failed: a code of a refusal, `internal`, or `interrupted`, where the process that did it "
        "has ended: begin it again."
    )
    result: ResultOut | None


def shown(job: Job) -> dict[str, Any]:
    done = job.state == JobState.DONE
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "percent": job.percent,
        "created_at": job.made_at,
        "ended_at": job.ended_at,
        "expires_at": job.expires_at,
        "problem": job.problem,
        "result": {
            "href": f"/v1/jobs/{job.id}/result", "media_type": job.media, "name": job.name, "size": job.size,
        } if done else None,
    }  # fmt: skip


def recorded(job: Job) -> Recorded:
    return Recorded(202, to_json(shown(job)), f"/v1/jobs/{job.id}", None, job.id)


def jobs_of(request: Request) -> Jobs:
    running: Jobs = request.app.state.jobs
    return running


@router.get("/v1/jobs/{job_id}", **documented("get_job", "How far a job of one's own is", JobOut))
async def get_job(request: Asked, job_id: JobId) -> Response:
    return answered(to_json(shown(await jobs.read(request.service, request.call, job_id))))


@router.get(
    "/v1/jobs/{job_id}/result",
    **documented(
        "get_job_result", "What came of a job: the file", None, codes=(*READ, "conflict"), headers=SAVED,
        content=content_of(XLSX, CSV),
    ),
)  # fmt: skip
async def get_job_result(request: Asked, job_id: JobId) -> Response:
    job, parts = await jobs.result(request.service, request.call, job_id)
    response = streamed(parts, job.media or "application/octet-stream", job.name or "result", "result")
    response.headers["content-length"] = str(job.size)
    return response
