"""Jobs: work begun by a call and done behind it, in the process that took the call.

A row tells how far it is, so that any process can be asked. A process that ends takes its jobs with it: nothing is
half done then (what a job changes, it changes in one transaction), and the row, which is not heard of any more, reads
as interrupted. Whoever began it begins it again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from service.actions.background import beating
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused
from service.store import jobs as store
from service.store.database import Changes, Tx
from service.workflow.jobs import INTERRUPTED, KEPT, SILENT, Job, JobState, mark_of

AT_ONCE = 2
"""Jobs that one process works on; the others wait."""

MOST_OF_ONE = 5
"""Unfinished jobs that one caller may have."""

BEAT_SECONDS = 5.0
PART_BYTES = 1_048_576

log = structlog.get_logger("xiaohao.jobs")

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Made:
    """What the kept bytes are."""

    media: str
    name: str


class Desk:
    """What the work on a job has at hand: where it says how far it is, and where it puts what comes of it."""

    def __init__(self, service: Service, tenant_id: UUID, job: Job) -> None:
        self._service, self._tenant_id, self._job = service, tenant_id, job
        self._left = b""
        self.percent = 0
        self.size = self.parts = 0

    async def keep(self, piece: bytes) -> None:
        """Add to the result."""
        self._left += piece
        while len(self._left) >= PART_BYTES:
            await self._store(self._left[:PART_BYTES])
            self._left = self._left[PART_BYTES:]

    async def close(self) -> None:
        if self._left or not self.parts:
            await self._store(self._left)

    async def _store(self, content: bytes) -> None:
        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.add(
                store.INSERT_PART, tenant_id=self._tenant_id, job_id=self._job.id, part=self.parts, content=content
            )
            await tx.apply(changes)

        await self._service.database.write(action)
        self.parts += 1
        self.size += len(content)


Work = Callable[[Desk], Awaitable[Made]]


class Jobs:
    """The jobs of this process."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service, self._clock = service, clock
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def begin(self, call: Call, kind: str, work: Work) -> Job | Replay:
        """Write a job down and begin to work on it. Refuses `rate_limited` where the caller has too many already."""
        made = Job(
            id=new_id(), kind=kind, owner=owner_of(call), scope_mark=mark_of(call.grants), state=JobState.QUEUED.value,
            percent=0, made_at=call.now, beat_at=call.now,
        )  # fmt: skip

        async def action(tx: Tx) -> Job | Replay:
            replay = await call.replayed(tx)
            if replay is not None:
                return replay
            alive, since = call.now - SILENT, call.now - KEPT
            if await store.waiting(tx, call.tenant_id, made.owner, since=since, alive=alive) >= MOST_OF_ONE:
                raise Refused("rate_limited", facts={"retry_after": int(BEAT_SECONDS)})
            changes = Changes()
            changes.add(store.INSERT, **store.params(call.tenant_id, made))
            call.record(changes, made)
            await tx.apply(changes)
            return made

        begun = await self._service.write(call, action)
        if isinstance(begun, Job):
            self._service.background.begin(self._run(call.tenant_id, begun, work))
        return begun

    async def _run(self, tenant_id: UUID, job: Job, work: Work) -> None:
        desk = Desk(self._service, tenant_id, job)
        made, problem = None, None

        async def beat() -> None:
            state = JobState.RUNNING if desk.percent else JobState.QUEUED
            at = replace(job, state=state.value, percent=min(desk.percent, 99), beat_at=self._clock())
            await self._write(tenant_id, at)

        async with beating(beat, BEAT_SECONDS):
            try:
                async with self._turn:
                    desk.percent = 1
                    made = await work(desk)
                    await desk.close()
            except Refused as refused:
                problem = refused.code
            except asyncio.CancelledError:
                problem = INTERRUPTED
            except Exception:
                log.exception("job failed", job=str(job.id), kind=job.kind)
                problem = "internal"
        now = self._clock()
        ended = replace(
            job, state=JobState.FAILED.value if problem else JobState.DONE.value, problem=problem, beat_at=now,
            ended_at=now, percent=desk.percent if problem else 100, size=None if problem else desk.size,
            parts=desk.parts, media=made.media if made and not problem else None,
            name=made.name if made and not problem else None,
        )  # fmt: skip
        with suppress(Refused):
            await self._write(tenant_id, ended)

    async def _write(self, tenant_id: UUID, job: Job) -> None:
        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.add(store.UPDATE, **store.update_params(tenant_id, job))
            await tx.apply(changes)

        await self._service.database.write(action)


def owner_of(call: Call) -> str:
    """Whose a job is: acting for another is another caller."""
    caller = call.caller
    return f"{caller.via.hex}:{caller.principal_id.hex}" if caller.via else caller.principal_id.hex


async def read(service: Service, call: Call, job_id: UUID) -> Job:
    """A job of the caller's own, as it is now. Refuses `not_found`."""

    async def action(tx: Tx) -> Job | None:
        return await store.find(tx, call.tenant_id, job_id, owner_of(call))

    job = await service.read(action)
    if job is None or call.now > job.expires_at:
        raise Refused("not_found")
    return job.seen_at(call.now)


async def result(service: Service, call: Call, job_id: UUID) -> tuple[Job, AsyncIterator[bytes]]:
    """What came of a job. Refuses `not_found`, `conflict` (job_unfinished, job_failed), and `forbidden` where the
    caller's grants are others than those that it was made by."""
    job = await read(service, call, job_id)
    if job.scope_mark != mark_of(call.grants):
        raise Refused("forbidden", "job_grants")
    if job.state != JobState.DONE:
        raise Refused("conflict", "job_failed" if job.state == JobState.FAILED else "job_unfinished")
    return job, _parts(service, call.tenant_id, job)


async def _parts(service: Service, tenant_id: UUID, job: Job) -> AsyncIterator[bytes]:
    for number in range(job.parts):

        async def action(tx: Tx, number: int = number) -> bytes | None:
            return await store.part(tx, tenant_id, job.id, number)

        content = await service.read(action)
        if content is None:
            # Swept meanwhile: an answer that breaks off is not taken for a whole one.
            raise Refused("not_found")
        yield content


async def forget(service: Service, tenant_id: UUID, now: datetime) -> None:
    """Delete the jobs of a tenant that have expired, with their results."""

    async def action(tx: Tx) -> None:
        changes = Changes()
        before = now - KEPT - timedelta(minutes=5)
        changes.add(store.FORGET_PARTS, tenant_id=tenant_id, before=before)
        changes.add(store.FORGET, tenant_id=tenant_id, before=before)
        await tx.apply(changes)

    await service.database.write(action)
