"""From a form to the action that it stands for: the same ones that the API calls."""

from uuid import UUID

from service.actions import interviews, items, notices, progress, requests, reviews, transitions
from service.actions.interviews import Minutes
from service.actions.notices import ByHand
from service.actions.references import Named
from service.actions.requests import Asked, Decision
from service.actions.service import Call
from service.actions.transitions import Move
from service.console import evidence, forms
from service.console.forms import EVIDENCE, Form, Values
from service.console.units import named
from service.console.visits import Visit
from service.errors import Refused, invalid
from service.workflow.guards import Command, Verification
from service.workflow.requests import Ask

ON_ITEMS = (
    "claim", "progress", "request-extension", "request-closure", "request-transfer", "extend", "close", "resume",
    "transfer", "review", "notice", "escalate", "reopen", "annul",
)  # fmt: skip
"""Deeds on an item's page, in their order there."""


async def _read(visit: Visit, form: Form) -> Values:
    return forms.read(form, await visit.sent(), visit.call.tz)


async def _version(visit: Visit) -> int | None:
    """The version that the page showed."""
    given = (await visit.sent()).get("version", [""])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else None


async def on_item(visit: Visit, item_id: UUID, form: Form) -> None:
    """Do what the form asks for. Refuses as the action does."""
    values = await _read(visit, form)
    files = await evidence.sent_files(visit, EVIDENCE.name) if form.takes_files else []
    call = await visit.keyed(item_id, await evidence.marks(files))
    hung = await evidence.keep(visit, files)
    if form in forms.TRIGGERS:
        move = await _move(visit, form.name, values)
        await transitions.advance(visit.service, call, item_id, move, await _version(visit))
    elif form in forms.REQUESTS:
        await requests.submit(visit.service, call, item_id, await _asked(visit, form.name, values, hung))
    elif form.name == "progress":
        await progress.report(visit.service, call, item_id, values["text"], values["percent"], hung)
    elif form.name == "review":
        await reviews.review(visit.service, call, item_id, values["on"], values["note"], hung)
    else:
        await _issue(visit, item_id, values)


async def _move(visit: Visit, trigger: str, values: Values) -> Move:
    plain = {name: value for name, value in values.items() if "." not in name and not name.endswith("_unit")}
    verification = _verification(values, visit.call) if trigger == "close" else None
    return Move(
        Command(trigger=trigger, verification=verification, **plain),
        await named(visit, values.get("responsible_unit"), "/responsible_unit"),
        await named(visit, values.get("supervising_unit"), "/supervising_unit"),
    )


def _verification(values: Values, call: Call) -> Verification:
    if values["verification.on"] > call.today:
        raise invalid(("/verification/on", "in_future"))
    return Verification(values["verification.method"], values["verification.on"], values["verification.note"])


async def _asked(visit: Visit, form: str, values: Values, hung: tuple[UUID, ...]) -> Asked:
    kind = form.removeprefix("request-")
    reason = values["summary" if kind == "closure" else "reason"]
    ask = Ask(kind=kind, reason=reason, due_on=values.get("due_on"), attachment_ids=hung)
    return Asked(ask, await named(visit, values.get("responsible_unit"), "/responsible_unit"))


async def _issue(visit: Visit, item_id: UUID, values: Values) -> None:
    """A notice about this item alone, to the unit that is responsible for it."""
    item = (await items.read(visit.service, visit.call, item_id)).item
    asked = ByHand(
        kind=values["kind"], unit=Named(item.responsible_unit_id, "/unit_id"), item_ids=(item_id,),
        text=values["text"], reply_by=values["reply_by"],
    )  # fmt: skip
    await notices.issue_by_hand(visit.service, await visit.keyed(), asked)


async def on_request(visit: Visit, request_id: UUID, form: Form) -> None:
    """Approve, return or withdraw."""
    values = await _read(visit, form)
    call = await visit.keyed(request_id)
    if form.name == "withdraw":
        await requests.withdraw(visit.service, call, request_id, values["reason"])
        return
    approve = form.name != "return"
    command = Command(
        trigger="",
        reason=values["reason"],
        due_on=values.get("due_on"),
        verification=_verification(values, visit.call) if form.name == "approve-closure" else None,
        waive_interview=values.get("waive_interview"),
    )
    decision = Decision(
        approve,
        command,
        await named(visit, values.get("responsible_unit"), "/responsible_unit"),
        await named(visit, values.get("supervising_unit"), "/supervising_unit"),
    )
    await requests.decide(visit.service, call, request_id, decision)


async def on_notice(visit: Visit, notice_id: UUID, form: Form) -> None:
    """Sign for it, issue it, or cancel it."""
    values = await _read(visit, form)
    call = await visit.keyed(notice_id)
    if form.name == "receipt":
        await notices.sign(visit.service, call, notice_id, values["signed_by"])
    elif form.name == "issue":
        await notices.issue_draft(visit.service, call, notice_id)
    elif form.name == "cancel":
        await notices.cancel(visit.service, call, notice_id, values["reason"])
    else:
        raise Refused("not_found")


async def on_interview(visit: Visit, interview_id: UUID, form: Form) -> None:
    """Say when the talk will be, or put it on record."""
    values = await _read(visit, form)
    call = await visit.keyed(interview_id)
    if form.name == "schedule":
        await interviews.schedule(visit.service, call, interview_id, values["at"], values["place"])
    elif form.name == "record":
        minutes = Minutes(values["held_on"], values["attendees"], values["minutes"], values["commitments"])
        await interviews.record(visit.service, call, interview_id, minutes)
    else:
        raise Refused("not_found")
