"""What happened to an item, in the words of an official record: an event as one line for a person."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.workflow.catalogue import EVENT_TYPES
from service.workflow.ledger_layouts import DEADLINES, RESOLUTIONS, SEVERITIES, SOURCES, STATES
from service.workflow.notice_letters import KINDS
from service.workflow.states import (
    Action,
    AnchorKind,
    DeadlineKind,
    RequestKind,
    Resolution,
    Trigger,
    VerificationMethod,
)

NOBODY = "系统"
ERASED = "（已依法删除）"

METHODS: dict[str, str] = {
    VerificationMethod.ON_SITE: "现场核验", VerificationMethod.HOUSEHOLD: "入户核实",
    VerificationMethod.PHONE: "电话回访", VerificationMethod.MEETING: "会议核验",
    VerificationMethod.UNANNOUNCED: "暗访", VerificationMethod.DOCUMENT: "资料核验", VerificationMethod.OTHER: "其他",
}  # fmt: skip

REQUESTS: dict[str, str] = {
    RequestKind.EXTENSION: "申请延期", RequestKind.CLOSURE: "申请销号", RequestKind.TRANSFER: "申请转办",
}  # fmt: skip

ACTIONS: dict[str, str] = {
    Action.REMIND: "提醒", Action.URGE: "催办", Action.SUPERVISE: "督办", Action.WARN: "告诫",
    Action.CIRCULATE: "通报", Action.ESCALATE: "约谈",
}  # fmt: skip

ANCHORS: dict[str, str] = {
    AnchorKind.DUE: "整改时限", AnchorKind.CLAIM_DUE: "认领时限", AnchorKind.DECISION_DUE: "审批时限",
    AnchorKind.INTERVIEW_DUE: "约谈时限",
}  # fmt: skip

TRIGGERS: dict[str, str] = {
    Trigger.CLAIM: "签字认领", Trigger.EXTEND: "延期", Trigger.CLOSE: "销号", Trigger.ESCALATE: "约谈",
    Trigger.RESUME: "约谈后整改", Trigger.TRANSFER: "转办", Trigger.REOPEN: "重开", Trigger.ANNUL: "作废",
}  # fmt: skip

SKIPPED: dict[str, str] = {
    "before_creation": "早于列入系统", "collapsed": "并入更强的措施", "held": "等待审批，不计延误",
}  # fmt: skip

CODES: dict[str, Mapping[str, str]] = {
    "state": STATES,
    "severity": SEVERITIES,
    "source_kind": SOURCES,
    "deadline_kind": {DeadlineKind.DATE: "定期完成", **DEADLINES},
    "resolution": {Resolution.RECTIFIED: "整改销号", **RESOLUTIONS},
    "method": METHODS,
    "action": ACTIONS,
    "anchor": ANCHORS,
    "trigger": TRIGGERS,
    "why": SKIPPED,
}

KIND_CODES = {"request": REQUESTS, "notice": KINDS}
"""What `kind` means depends on what the event is about."""

LABELS: dict[str, str] = {
    "title": "标题", "description": "描述", "category": "类别", "severity": "严重程度", "goal": "整改目标",
    "measures": "整改措施", "responsible_person": "责任人", "found_on": "发现日期", "source_kind": "来源",
    "source_ref": "来源文号", "labels": "标签", "co_unit_ids": "配合单位", "deadline_kind": "期限类型",
    "due_on": "整改时限", "review_on": "复查日期", "claim_due": "认领时限", "deadline_text": "时限原文",
    "responsible_unit_id": "责任单位", "supervising_unit_id": "督办单位", "unit_id": "受文单位", "state": "状态",
    "resolution": "办结方式", "closed_days_late": "逾期天数", "claim_signed_by": "签字人", "signed_by": "签字人",
    "number": "文号", "kind": "类别", "trigger": "办理", "text": "内容", "percent": "进度（%）", "reason": "理由",
    "summary": "说明", "note": "情况", "method": "核验方式", "on": "日期", "deadline": "时限",
    "asked_due_on": "申请延至", "asked_unit_id": "申请转至",
    "decide_due": "审批时限", "reply_by": "回复时限", "receipt_due": "签收时限",
    "action": "措施", "anchor": "计算基准", "anchor_on": "基准日", "why": "原因", "notified_unit_ids": "通知单位",
    "copy_unit_ids": "抄送单位", "scheduled_at": "约谈时间", "place": "地点", "held_on": "约谈日期",
    "interview_due": "约谈时限", "minutes_digest": "笔录摘要值", "fields": "删除内容",
}  # fmt: skip
"""What is told, in this order. What stands here not (ids, counters, rules of computing) is left to the log itself."""

UNITS = frozenset({
    "responsible_unit_id", "supervising_unit_id", "unit_id", "asked_unit_id", "co_unit_ids", "notified_unit_ids",
    "copy_unit_ids",
})  # fmt: skip

NAMED_ONCE = {"item.created": ("title", "description", "number")}
"""What the record says elsewhere: the head of it has the problem whole."""


def unit_ids(event: Mapping[str, Any]) -> Iterator[str]:
    """The ids of all units that an event speaks of."""
    data = event["data"]
    for name in UNITS:
        changed = data.get("changes", {}).get(name, {})
        for value in (data.get(name), changed.get("before"), changed.get("after")):
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from value


def who(event: Mapping[str, Any]) -> str:
    actor = event["actor"]
    name = actor.get("name") or (ERASED if actor.get("principal_id") else NOBODY)
    return f"{name}（平台代办）" if actor.get("via") else str(name)


def what(event: Mapping[str, Any]) -> str:
    named = EVENT_TYPES.get(event["type"])
    return named[0] if named else str(event["type"])


def text(event: Mapping[str, Any], names: Mapping[str, str], zone: ZoneInfo) -> str:
    """All that an event says. `names` are those of units by their ids as texts."""
    data = event["data"]
    about = event["type"].partition(".")[0]
    once = NAMED_ONCE.get(event["type"], ())
    flat = {**data, **(data["verification"] if isinstance(data.get("verification"), dict) else {})}
    changes = flat.pop("changes", {})
    told = []
    for name, label in LABELS.items():
        if name in changes:
            before, after = (_value(name, changes[name].get(side), about, names, zone) for side in ("before", "after"))
            told.append(f"{label}：{before or '无'}→{after or '无'}")
        elif name not in once and (value := _value(name, flat.get(name), about, names, zone)):
            told.append(f"{label}：{value.rstrip('。')}")
    return "；".join(told)


def _value(name: str, value: Any, about: str, names: Mapping[str, str], zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ERASED if value.get("erased") else ""
    if isinstance(value, list):
        return "、".join(_each(name, value, about, names, zone))
    if name in UNITS:
        return names.get(str(value), "其他单位")
    if name == "scheduled_at":
        return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
    codes = KIND_CODES.get(about, {}) if name == "kind" else CODES.get(name, {})
    return codes.get(value, str(value)) if isinstance(value, str) else str(value)


def _each(name: str, values: Iterable[Any], about: str, names: Mapping[str, str], zone: ZoneInfo) -> Iterator[str]:
    for value in values:
        if told := _value(name, value, about, names, zone):
            yield told
