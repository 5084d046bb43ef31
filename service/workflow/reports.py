"""Published months (月报): figures of a month as they stood when they were published, never to change again.

What is frozen is one document: whose figures, of which month, every figure's definition, the policies of the ledgers
that were counted, and the rows with their total. Its digest goes into the log, so that nobody can put another document
in its place. Corrections that come later stand beside it: see differences().
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.errors import Text
from service.workflow.events import EventDraft, Subject
from service.workflow.figures import ANNULLED_EXCLUDED, FIGURES, Figure
from service.workflow.organisation import Ledger, Unit
from service.workflow.sealing import canonical

FORMAT = 1
"""Of the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A published month, without its document. `ledger_id` is None where every ledger was counted; `position` is how
    far the log had come, `checkpoint` the signed note of just that, `digest` the document's hash in lower-case hex."""

    id: UUID
    month: date
    unit_id: UUID
    ledger_id: UUID | None
    published_at: datetime
    published_by: UUID
    position: int
    checkpoint: str
    digest: str


def document(
    *,
    month: date,
    timezone: str,
    unit: Unit,
    ledger: Ledger | None,
    counted: Iterable[Ledger],
    rows: list[dict[str, Any]],
    total: dict[str, Any],
) -> bytes:
    """The document in canonical JSON: keys sorted, no white space, whole numbers without a fraction.

    `counted` are the ledgers that have anything in the month.
    """
    return canonical(
        {
            "format": FORMAT,
            "month": name_of(month),
            "timezone": timezone,
            "unit": {"id": str(unit.id), "code": unit.code, "name": unit.name},
            "ledger": {"id": str(ledger.id), "code": ledger.code, "name": ledger.name} if ledger else None,
            "definitions": [_definition(figure) for figure in FIGURES],
            "policies": [
                {
                    "ledger_id": str(each.id),
                    "code": each.code,
                    "epoch": each.policy_epoch,
                    "policy": _plain(each.policy),
                }
                for each in counted
            ],
            "rows": _plain(rows),
            "total": _plain(total),
        }
    )


def name_of(month: date) -> str:
    return f"{month:%Y-%m}"


def _definition(figure: Figure) -> dict[str, Any]:
    excluded = [ANNULLED_EXCLUDED] if not figure.name.startswith("annulled") else []
    excluded += [figure.excludes] if figure.excludes else []
    return {
        "name": figure.name,
        "unit": figure.unit.value,
        "title": _both(figure.title),
        "formula": _both(figure.formula),
        "excludes": [_both(each) for each in excluded],
        "numerator": figure.numerator,
        "denominator": figure.denominator,
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _plain(value: Any) -> Any:
    """The same with 1 for 1.0, which other languages' JSON writes so too."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def published(report: Report) -> EventDraft:
    data = {
        "report_id": str(report.id), "month": name_of(report.month), "size": report.position, "digest": report.digest,
    }  # fmt: skip
    return EventDraft("report.published", Subject(unit_id=report.unit_id, ledger_id=report.ledger_id),
                      (report.unit_id,), data)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is another by now: by figure what was published, and what it is. None where there is no such row."""

    key: str
    code: str | None
    name: str | None
    figures: dict[str, tuple[Any, Any]]


def defined_in(document: dict[str, Any]) -> tuple[str, ...]:
    """The names of the figures that a report has, in its order: those of its own day."""
    return tuple(each["name"] for each in document["definitions"])


def differences(names: tuple[str, ...], then: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[Difference]:
    """What has changed of some figures between a report's rows and the same rows as they are counted now, in the order
    of both."""
    was = {row["key"]: row for row in then}
    has = {row["key"]: row for row in _plain(now)}
    found = []
    for key in dict.fromkeys((*was, *has)):
        old, new = was.get(key), has.get(key)
        changed = changed_figures(names, old["figures"] if old else {}, new["figures"] if new else {})
        if changed:
            row = new or old or {}
            found.append(Difference(key, row["code"], row["name"], changed))
    return found


def changed_figures(names: tuple[str, ...], then: dict[str, Any], now: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By figure what it was and what it is, where that is not the same. Nothing counted is like nothing there."""
    pairs = {name: (then.get(name), _plain(now.get(name))) for name in names}
    return {name: (was, has) for name, (was, has) in pairs.items() if was != has and (was or has)}


def ranks(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The places of the units below, by key: by the share closed on time, then by how few are overdue. Equal figures
    share a place; a unit of which nothing fell due has none, and neither has the unit itself."""
    placed = [
        (-row["figures"]["on_time_rate"], row["figures"].get("overdue", 0), row["key"])
        for row in rows
        if not row["alone"] and row["figures"].get("on_time_rate") is not None
    ]
    return {key: 1 + sum(other[:2] < (rate, overdue) for other in placed) for rate, overdue, key in placed}
