"""Whether the events of a look are those that the ladder asks for, and issue what they say."""

from collections.abc import Iterator, Mapping

from tests.simulation.circumstances import Setting
from tests.simulation.lives import Life, met_by
from tests.simulation.record import Event
from tests.simulation.rungs import Outcome

KINDS = {
    "urge": "urging",
    "supervise": "supervision",
    "warn": "warning",
    "circulate": "circular",
    "escalate": "interview",
}
"""The notice that each action issues; a reminder issues none."""

RUNGS = ("rung.fired", "rung.skipped")


def met(life: Life, events: list[Event], wanted: list[Outcome]) -> Iterator[str]:
    """Takes from `wanted` what happened; what else happened should not have."""
    escalated = False
    for event in events:
        if event.type not in RUNGS:
            continue
        if escalated and event.type == "rung.fired":
            yield f"rung {event.data['rung']} fired behind an escalation"
        told, place = told_of(event), met_by(event)
        expected = next((outcome for outcome in wanted if outcome.place == place), None)
        if place in life.met:
            yield f"{told}, a second time"
        elif expected is None:
            yield f"{told}, which it should not"
        elif told != str(expected):
            yield f"{told}; by the ladder {expected}"
        elif expected.action != event.data["action"]:
            yield f"{told} to {event.data['action']}, by the ladder to {expected.action}"
        if expected is not None:
            wanted.remove(expected)
            escalated = escalated or (expected.fires and expected.action == "escalate")


def missing(life: Life, wanted: list[Outcome]) -> Iterator[str]:
    """What should have happened; it is asked for once only."""
    for outcome in wanted:
        yield f"{outcome}: did not happen"
        life.met.add(outcome.place)


def told_of(event: Event) -> str:
    data = event.data
    how = "fires" if event.type == "rung.fired" else f"is skipped ({data.get('reason', data.get('why'))})"
    return f"rung {data['rung']} of {data['anchor']} {data['anchor_on']}, cycle {data['cycle']}, {how}"


def issued(life: Life, events: list[Event], setting: Setting, parents: Mapping[str, str | None]) -> Iterator[str]:
    """What fires issues the notice of its kind, in the same transaction; escalating does what it says."""
    notices = {event.data["notice_id"]: event for event in events if event.type.startswith("notice.")}
    ladder = {rung["code"]: rung for rung in setting.policy["ladder"]}
    confirms = {code: rung["confirm"] for code, rung in ladder.items()}
    fired = [event for event in events if event.type == "rung.fired"]
    used = set()
    for event in fired:
        code, kind = event.data["rung"], KINDS.get(event.data["action"])
        told = event.data.get("notified_unit_ids", [])
        if code in ladder and set(told) != (units := _notified(life, ladder[code]["notify"], parents)):
            yield f"rung {code} notifies {told}, should notify {sorted(units)}"
        notice = notices.get(event.data.get("notice_id"))
        if kind is None:
            if event.data.get("notice_id") is not None:
                yield f"rung {code} reminds by a notice"
        elif notice is None:
            yield f"rung {code} fired without its notice"
        else:
            used.add(notice.data["notice_id"])
            deed = "notice.drafted" if confirms.get(code) else "notice.issued"
            if notice.data["kind"] != kind or notice.type != deed:
                yield f"rung {code}: {notice.type} of kind {notice.data['kind']}, should be {deed} of {kind}"
    for notice_id in notices.keys() - used:
        yield f"notice {notice_id} comes from no rung"
    escalates = any(event.data["action"] == "escalate" and not confirms.get(event.data["rung"]) for event in fired)
    if escalates != any(event.type == "item.escalated" for event in events):
        yield f"a rung {'escalates' if escalates else 'does not escalate'}, the item does otherwise"


def _notified(life: Life, roles: list[str], parents: Mapping[str, str | None]) -> set[str]:
    """The unit above the supervising one is the root itself where there is none."""
    supervising = life.supervising_unit_id
    units = {
        "responsible": life.responsible_unit_id,
        "supervising": supervising,
        "parent": parents[supervising] or supervising,
    }
    return {units[role] for role in roles}
