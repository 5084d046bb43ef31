"""Jobs: work that takes longer than a request should, with how far it is and what came of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.workflow.permissions import Grant

SILENT = timedelta(seconds=60)
"""A job of which nothing was heard for so long has ended with its process."""

KEPT = timedelta(hours=24)
"""How long a job and its result are there, from its beginning."""

INTERRUPTED = "interrupted"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`owner` is who began it, and for whom it acted; `scope_mark` tells what that caller might see
    then.

    `problem` is the code of a failed one. `media`, `name`, `size` (bytes) and `parts` are of the result.
    """

    id: UUID
    kind: str
    owner: str
    scope_mark: bytes
    state: str
    percent: int
    made_at: datetime
    beat_at: datetime
    ended_at: datetime | None = None
    problem: str | None = None
    media: str | None = None
    name: str | None = None
    size: int | None = None
    parts: int = 0

    @property
    def expires_at(self) -> datetime:
        return self.made_at + KEPT

    def seen_at(self, now: datetime) -> "Job":
        """The job as it is: nobody is left to write down that the process which did it was killed."""
        if self.state in UNFINISHED and now - self.beat_at > SILENT:
            return replace(self, state=JobState.FAILED.value, problem=INTERRUPTED, ended_at=self.beat_at)
        return self


def mark_of(grants: Iterable[Grant]) -> bytes:
    """The same for the same grants, whatever their order."""
    told = sorted(f"{grant.role} {grant.unit_id} {grant.subtree}" for grant in grants)
    return hashlib.sha256("\n".join(told).encode()).digest()
