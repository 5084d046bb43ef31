"""What a caller could do about an item now, and what stands against the rest, as far as it can be said beforehand."""

from dataclasses import dataclass
from uuid import UUID

from service.actions.facts import Present, present
from service.actions.service import Call, Service
from service.errors import Refused, forbidden, guard
from service.store.database import Tx
from service.workflow import machine, requests
from service.workflow.states import DeadlineKind, State

PROGRESS, REVIEW, NOTICE, INTERVIEW = "progress", "review", "notice", "interview"
DECIDE, WITHDRAW = "decide", "withdraw"
"""What is done about an item beside triggers and requests."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """Each deed with its refusal, None where it is allowed. `others` by the names above."""

    triggers: dict[str, Refused | None]
    requests: dict[str, Refused | None]
    others: dict[str, Refused | None]


async def of_item(service: Service, call: Call, item_id: UUID) -> Deeds:
    """What this caller could do now. Refuses `not_found`."""

    async def action(tx: Tx) -> Deeds:
        found = await present(tx, call, item_id)
        return Deeds(dict(machine.prospects(found.case)), dict(requests.prospects(found.case)), _others(found))

    return await service.read(action)


def _others(found: Present) -> dict[str, Refused | None]:
    standing, item = found.standing, found.item

    def judged(name: str, permitted: bool, side: str | None) -> Refused | None:
        if not permitted:
            return forbidden(side)
        if item.state == State.CLOSED:
            return Refused("invalid_transition", facts={"state": item.state, "trigger": name})
        return None

    review = judged(REVIEW, standing.decides, "decide")
    if review is None and item.deadline_kind != DeadlineKind.STANDING:
        review = guard("standing_only")
    return {
        PROGRESS: judged(PROGRESS, standing.reports, None),
        REVIEW: review,
        NOTICE: judged(NOTICE, standing.issues, "decide"),
        DECIDE: judged(DECIDE, standing.decides_requests, "decide"),
        WITHDRAW: judged(WITHDRAW, standing.withdraws, "claim"),
        INTERVIEW: judged(INTERVIEW, standing.records_interviews, "decide"),
    }
