"""The one transition table, run by one `transitions` machine that every caller shares.

`advance` decides what a trigger does to an item and returns it as a Step; `prospects` says beforehand what a caller
could do and why not. Nothing here stores anything, and no rule knows whether a person or the clock knocked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from transitions import Machine, MachineError

from service.errors import Refused
from service.workflow import guards
from service.workflow.effects import EFFECTS, opened_interview, overtaken, pending_after
from service.workflow.guards import Case, Command
from service.workflow.items import Interview, Item
from service.workflow.states import State, Trigger
from service.workflow.waiting import INTERVIEW

StandingGuard = Callable[[Case], None]
InputGuard = Callable[[Case, Command], None]


@dataclass(frozen=True, slots=True)
class Move:
    """A row of the table: where a trigger leads, and the rules on the way in the order in which they are judged."""

    trigger: Trigger
    sources: tuple[State, ...]
    dest: State
    standing: tuple[StandingGuard, ...] = ()
    given: tuple[InputGuard, ...] = ()


UNDERWAY = (State.RECTIFYING, State.EXTENDED)

TABLE: tuple[Move, ...] = (
    Move(Trigger.CLAIM, (State.OPEN,), State.RECTIFYING),
    Move(
        Trigger.EXTEND,
        UNDERWAY,
        State.EXTENDED,
        standing=(guards.not_standing, guards.extension_count),
        given=(guards.later_deadline, guards.extension_days),
    ),
    Move(
        Trigger.CLOSE,
        (*UNDERWAY, State.ESCALATED),
        State.CLOSED,
        standing=(guards.evidence, guards.four_eyes),
        given=(guards.interview_recorded_or_waived,),
    ),
    Move(Trigger.ESCALATE, (State.OPEN, *UNDERWAY), State.ESCALATED),
    Move(
        Trigger.RESUME,
        (State.ESCALATED,),
        State.RECTIFYING,
        standing=(guards.interview_recorded,),
        given=(guards.not_before_today, guards.signed_where_unclaimed),
    ),
    Move(
        Trigger.TRANSFER,
        (State.OPEN, *UNDERWAY),
        State.OPEN,
        given=(guards.other_unit, guards.supervised_from_outside, guards.not_before_today),
    ),
    Move(
        Trigger.REOPEN,
        (State.CLOSED,),
        State.OPEN,
        standing=(guards.was_rectified,),
        given=(guards.not_before_today,),
    ),
    Move(
        Trigger.ANNUL,
        (State.OPEN, *UNDERWAY, State.ESCALATED),
        State.CLOSED,
        standing=(guards.annul_by_other_and_higher,),
        given=(guards.true_original,),
    ),
)

MOVES = {move.trigger.value: move for move in TABLE}


class _Probe:
    """What the shared machine moves: one state, for one call. The machine itself keeps nothing."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def _ask_guards(move: Move) -> Callable[[Case, Command], None]:
    def ask(case: Case, command: Command) -> None:
        for standing in move.standing:
            standing(case)
        for given in move.given:
            given(case, command)

    return ask


def _build() -> Machine:
    machine = Machine(
        model=None, states=[state.value for state in State], initial=State.OPEN.value, auto_transitions=False
    )
    for move in TABLE:
        sources: list[Any] = [state.value for state in move.sources]
        machine.add_transition(move.trigger.value, sources, move.dest.value, prepare=_ask_guards(move))
    return machine


# One for the process: building a Machine per item costs 200-400 us and 32 KB, driving this one 6-16 us.
_MACHINE = _build()


@dataclass(frozen=True, slots=True)
class Step:
    """What a trigger does: the item after it, which columns changed, and what comes with it.

    `cancelled` are the pending requests that it overtook, by kind.
    """

    before: Item
    after: Item
    changes: dict[str, Any]
    command: Command
    late: bool = False
    opens: Interview | None = None
    cancels_interview: bool = False
    cancelled: tuple[str, ...] = ()


def advance(case: Case, command: Command, *, new_id: Callable[[], UUID], approving: str | None = None) -> Step:
    """What `command` does to `case.item`; `approving` is the kind of the request that it grants, if one.

    Refuses with `forbidden` (who), `invalid_transition` (state), `guard_refused` (rule), in this order.
    `authorize` was judged by the caller already where a stale version must be told apart from a missing permission.
    """
    authorize(case, command)
    probe = _Probe(case.item.state)
    try:
        _MACHINE.events[command.trigger].trigger(probe, case, command)
    except MachineError:
        raise Refused(
            "invalid_transition",
            facts={
                "state": case.item.state,
                "trigger": command.trigger,
                "allowed_triggers": [name for name, refusal in prospects(case) if refusal is None],
            },
        ) from None
    changes = EFFECTS[command.trigger](case, command)
    cancelled = overtaken(case.item, command.trigger, approving)
    pending = pending_after(case.item, command.trigger, cancelled, approving)
    opens = None
    if command.trigger == Trigger.ESCALATE:
        opens, waiting = opened_interview(case, new_id())
        changes["interview_id"] = opens.id
        pending[INTERVIEW] = waiting.to_dict()
    if pending != case.item.pending:
        changes["pending"] = pending
    changes["state"] = probe.state
    changes["version"] = case.item.version + 1
    changes["updated_at"] = case.now
    return Step(
        before=case.item,
        after=replace(case.item, **changes),
        changes=changes,
        command=command,
        late=command.trigger == Trigger.EXTEND and case.item.overdue(case.today),
        opens=opens,
        cancels_interview=probe.state == State.CLOSED and INTERVIEW in case.item.pending,
        cancelled=cancelled,
    )


def authorize(case: Case, command: Command) -> None:
    """Whether this caller may fire this trigger at all; raises `forbidden`."""
    guards.permitted(case, command.trigger)
    if command.trigger == Trigger.EXTEND:
        guards.second_extension_higher(case)
    elif command.trigger in (Trigger.RESUME, Trigger.TRANSFER):
        guards.long_deadline_higher(case, command)


def prospects(case: Case) -> list[tuple[str, Refused | None]]:
    """Each trigger with what stands against it now, as far as that can be said before its input is known."""
    return [(move.trigger.value, _prospect(case, move)) for move in TABLE]


def _prospect(case: Case, move: Move) -> Refused | None:
    try:
        guards.permitted(case, move.trigger)
        if move.trigger == Trigger.EXTEND:
            guards.second_extension_higher(case)
        if case.item.state not in move.sources:
            return Refused("invalid_transition", facts={"state": case.item.state, "trigger": move.trigger.value})
        for standing in move.standing:
            standing(case)
    except Refused as refused:
        return refused
    return None


def mermaid() -> str:
    """The state diagram of the table, for documents."""
    lines = ["stateDiagram-v2", "    [*] --> open"]
    for move in TABLE:
        lines += [f"    {source.value} --> {move.dest.value}: {move.trigger.value}" for source in move.sources]
    return "\n".join([*lines, "    closed --> [*]"]) + "\n"
