"""The full record of an item (全程纪实) as a document: facts, deadline, everything that happened, and the proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.workflow import event_words
from service.workflow.deadlines import MONTHS, Rule
from service.workflow.explain import Explanation, Step, StepKind
from service.workflow.ledger_layouts import DEADLINES, LAMPS, RESOLUTIONS, SEVERITIES, SOURCES, STATES
from service.workflow.notice_letters import KINDS, chinese, printable
from service.workflow.notices import Notice
from service.workflow.states import NoticeState
from service.workflow.views import ItemView

RULES: dict[str, str] = {
    "severity_limit": "按严重程度的规定时限", "immediate": "立行立改时限", "standing": "长期坚持事项的复查周期",
    "claim": "认领时限",
}  # fmt: skip

STEPS: dict[str, str] = {
    StepKind.START: "起算日，不计入", StepKind.WORKDAY: "工作日", StepKind.WEEKEND: "周末，不计入",
    StepKind.HOLIDAY: "放假，不计入", StepKind.MAKEUP: "调休上班，计入", StepKind.OVERRIDE_OFF: "本地规定休息，不计入",
    StepKind.OVERRIDE_ON: "本地规定上班，计入", StepKind.MONTHS: "按自然月计算",
}  # fmt: skip

NOTICE_STATES: dict[str, str] = {
    NoticeState.DRAFT: "待签发", NoticeState.ISSUED: "已签发", NoticeState.CANCELLED: "已撤销",
}  # fmt: skip

MAX_STEPS = 40
"""Lines about how a deadline was counted; the API has all of them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the log has of these events: how long it is, and each leaf's hash by its position. `note` is its signed
    checkpoint. None of it is for those who may not read the log."""

    leaves: Mapping[int, str]
    note: str
    key: str
    hashing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a record is made of. `events` are shown as the API shows them; `more`: there are others behind them."""

    view: ItemView
    ledger: str
    names: Mapping[str, str]
    explanation: Explanation | None
    rule: Rule | None
    events: Sequence[Mapping[str, Any]]
    more: bool
    notices: Sequence[Notice]
    proof: Proof | None
    printed_at: datetime
    zone: ZoneInfo


def compose(facts: Facts) -> dict[str, Any]:
    """What the templates of records know: `title`, `legend`, `facts`, `deadline`, `events`, `notices`, `proof`,
    `checkpoint`."""
    at = facts.printed_at.astimezone(facts.zone)
    legend = f"问题编号：{facts.view.item.number}　　打印时间：{chinese(at.date())}{at:%H:%M}"
    return printable(
        {
            "title": "问题整改全程纪实",
            "legend": legend,
            "facts": [{"name": name, "value": value} for name, value in _facts(facts) if value],
            "deadline": _deadline(facts),
            "events": [_event(facts, position, each) for position, each in enumerate(facts.events, 1)]
            + ([{"position": "", "at": "", "what": "", "who": "", "text": "其后还有，本表未列"}] if facts.more else []),
            "notices": [_notice(facts, each) for each in facts.notices],
            "proof": _proof(facts),
            "checkpoint": facts.proof.note.splitlines() if facts.proof else [],
        }
    )


def _facts(facts: Facts) -> list[tuple[str, str | None]]:
    item, view, names = facts.view.item, facts.view, facts.names
    days = f"{view.days_overdue} 天（{view.working_days_overdue} 个工作日）" if view.overdue else None
    source = SOURCES.get(item.source_kind or "", item.source_kind)
    return [
        ("所属台账", facts.ledger),
        ("存在问题", item.title),
        ("问题描述", item.description),
        ("问题类别", item.category),
        ("严重程度", SEVERITIES.get(item.severity, item.severity)),
        ("问题来源", f"{source}（{item.source_ref}）" if item.source_ref else source),
        ("发现日期", _day(item.found_on)),
        ("列入日期", _day(item.listed_at.astimezone(facts.zone).date())),
        ("责任单位", names.get(str(item.responsible_unit_id))),
        ("配合单位", "、".join(names[str(unit)] for unit in item.co_unit_ids if str(unit) in names)),
        ("督办单位", names.get(str(item.supervising_unit_id))),
        ("责任人", item.responsible_person),
        ("签字认领", item.claim_signed_by),
        ("整改目标", item.goal),
        ("整改措施", item.measures),
        ("整改时限", "，".join(filter(None, (DEADLINES.get(item.deadline_kind), _day(item.deadline_day))))),
        ("时限原文", item.deadline_text),
        ("当前状态", RESOLUTIONS.get(item.resolution or "") or STATES.get(item.state, item.state)),
        ("超期", days),
        ("亮灯", LAMPS.get(view.lamp, view.lamp) if view.lamp else None),
        ("轮次", f"第 {item.cycle} 轮"),
        ("延期次数", str(item.extension_count)),
        ("约谈次数", str(item.escalation_count)),
        ("销号日期", _day(item.closed_at.astimezone(facts.zone).date()) if item.closed_at else None),
    ]


def _day(day: date | None) -> str | None:
    return chinese(day) if day else None


def _deadline(facts: Facts) -> list[str]:
    rule, way = facts.rule, facts.explanation
    if rule is None or way is None:
        return ["整改时限由列入人直接指定，未按规则推算。"]
    unit = "个月" if rule.unit == MONTHS else "个工作日"
    name = RULES.get(rule.name, rule.name)
    told = [f"{name}：{rule.limit}{unit}，自{chinese(rule.start_on)}次日起算，推算至{chinese(way.day)}。"]
    told += [_step(step) for step in way.steps[:MAX_STEPS]]
    if way.truncated or len(way.steps) > MAX_STEPS:
        told.append("其余逐日推算从略，可通过接口查询。")
    if way.provisional:
        told.append("所涉年份的放假安排尚未公布，期限为暂定。")
    if facts.view.item.deadline_day not in (None, way.day):
        told.append("此后期限另有变更，见办理过程。")
    return told


def _step(step: Step) -> str:
    days = step.first.isoformat() if step.first == step.last else f"{step.first.isoformat()} 至 {step.last.isoformat()}"
    name = f"（{step.name}）" if step.name else ""
    return f"{days}：{STEPS[step.kind]}{name}，累计 {step.counted}"


def _event(facts: Facts, position: int, event: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(event["at"]).astimezone(facts.zone)
    return {
        "position": position,
        "at": f"{at:%Y-%m-%d %H:%M}",
        "what": event_words.what(event),
        "who": event_words.who(event),
        "text": event_words.text(event, facts.names, facts.zone),
    }


def _notice(facts: Facts, notice: Notice) -> str:
    issued = notice.issued_at.astimezone(facts.zone).date() if notice.issued_at else None
    parts = [
        f"{KINDS[notice.kind]}{notice.number or '（无文号）'}",
        f"{chinese(issued)}签发" if issued else NOTICE_STATES[notice.state],
    ]
    if notice.receipt_at is not None:
        parts.append(f"{chinese(notice.receipt_at.astimezone(facts.zone).date())}由{notice.receipt_signed_by}签收")
    if notice.state == NoticeState.CANCELLED:
        parts.append(f"已撤销：{notice.cancel_reason}")
    return "，".join(parts)


def _proof(facts: Facts) -> list[str]:
    placed = [(n, each["position"]) for n, each in enumerate(facts.events, 1) if each["position"] is not None]
    told = []
    if len(placed) < len(facts.events):
        told.append("最新的若干事项尚未编入日志，稍后重新打印即有凭证。")
    if facts.proof is None:
        positions = "、".join(f"{n}→{position}" for n, position in placed)
        told += [f"各事项在纪实日志中的位置：{positions or '无'}。", "日志凭证由管理员或审计员打印。"]
        return told
    told.append(f"下列为各事项在纪实日志中的位置和叶哈希（{facts.proof.hashing}），检查点由日志密钥签名。")
    told += [f"{n}　位置 {position}　{facts.proof.leaves.get(position, '')}" for n, position in placed]
    told += [f"验证公钥：{facts.proof.key}", "签名检查点："]
    return told
