"""Notices as official letters: what each kind says, before anybody sets it in type.

The parts are those of 《党政机关公文格式》 (GB/T 9704): the issuing organ, the number, the title, to whom, the body,
who signs and when, what is enclosed, who gets a copy. Whoever lays them out (typst, an office's own .docx) gets the
same.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from service.workflow.cells import whole
from service.workflow.items import Item
from service.workflow.ledger_layouts import DEADLINES
from service.workflow.ledger_lines import problem
from service.workflow.notices import Notice
from service.workflow.states import AnchorKind, NoticeKind, NoticeState

KINDS: dict[str, str] = {
    NoticeKind.REMINDER: "提醒函",
    NoticeKind.URGING: "催办通知书",
    NoticeKind.SUPERVISION: "督办单",
    NoticeKind.WARNING: "告诫书",
    NoticeKind.INTERVIEW: "约谈通知书",
    NoticeKind.CIRCULAR: "通报",
}

TITLES: dict[str, str] = {
    NoticeKind.REMINDER: "关于按期完成问题整改的提醒函",
    NoticeKind.URGING: "关于抓紧办理问题整改的催办通知书",
    NoticeKind.SUPERVISION: "关于限期完成问题整改的督办单",
    NoticeKind.WARNING: "关于问题整改不力的告诫书",
    NoticeKind.INTERVIEW: "关于问题整改的约谈通知书",
    NoticeKind.CIRCULAR: "关于问题整改逾期情况的通报",
}

DEMANDS: dict[str, tuple[str, ...]] = {
    NoticeKind.REMINDER: ("现提醒你单位合理安排进度，确保按期完成整改。",),
    NoticeKind.URGING: (
        "请你单位高度重视，明确专人负责，抓紧推进整改，并于{reply_by}前将办理情况书面报送我单位。",
        "特此通知。",
    ),
    NoticeKind.SUPERVISION: (
        "现予以督办。请你单位主要负责人亲自部署，逐项落实整改措施，限期整改到位，并于{reply_by}前书面反馈整改情况。",
        "逾期仍未整改到位的，将按规定约谈你单位主要负责人。",
    ),
    NoticeKind.WARNING: (
        "现对你单位予以告诫。请你单位深刻查找原因，立即采取有力措施整改到位，并于{reply_by}前书面报告整改情况。",
        "再次逾期的，将按规定予以约谈、通报。",
    ),
    NoticeKind.INTERVIEW: (
        "按照有关规定，决定对你单位主要负责人进行约谈。{meeting}",
        "请做好准备，就问题成因、整改措施和完成时限作出说明，并于{reply_by}前报送书面材料。",
        "特此通知。",
    ),
    NoticeKind.CIRCULAR: (
        "请{unit}深刻反思，制定整改计划，立即整改到位，并于{reply_by}前书面报告整改情况。各有关单位要引以为戒，"
        "对照检查，严格按期完成问题整改。",
        "特此通报。",
    ),
}

CAUSES: dict[str, str] = {
    AnchorKind.DUE: "整改期限已到，至今尚未办结",
    AnchorKind.CLAIM_DUE: "已超过认领时限，至今尚未签字认领",
}
"""By what the rungs are counted from; a notice by hand gives its own cause."""

LONGEST_PROBLEM = 600
"""Characters of a problem in the list of a letter; the ledger has it whole."""

DRAFT, CANCELLED, EXCERPT = "草稿", "已撤销", "节录"


@dataclass(frozen=True, slots=True)
class Entry:
    """One problem in the list that is enclosed."""

    position: int
    number: str
    problem: str
    deadline: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a template may say. Absent is an empty text, so that no template prints a word for nothing."""

    kind: str
    kind_name: str
    organ: str
    number: str
    title: str
    to: str
    paragraphs: tuple[str, ...]
    enclosure: str
    entries: tuple[Entry, ...]
    signer: str
    date: str
    copies: str
    mark: str
    mark_reason: str
    reply_by: str
    receipt_due: str
    receipt_signed_by: str
    receipt_at: str
    ledger: str

    def to_dict(self) -> dict[str, Any]:
        return printable(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A notice and what stands around it, as of its issue. `items` are those that the reader may see."""

    notice: Notice
    ledger: str
    unit: str
    organ: str
    copies: Sequence[str]
    items: Sequence[Item]
    anchors: frozenset[str]
    days: dict[str, str]
    """The notice's instants as days of the tenant: issued, receipted, cancelled."""
    meeting: str | None = None


def compose(facts: Facts) -> Letter:
    """The letter of a notice."""
    notice, count = facts.notice, len(facts.notice.item_ids)
    reply_by = chinese(notice.reply_by) if notice.reply_by else "规定时限"
    circular = notice.kind == NoticeKind.CIRCULAR
    said = {
        "reply_by": reply_by, "unit": facts.unit,
        "meeting": facts.meeting or "约谈时间、地点另行通知。",
    }  # fmt: skip
    paragraphs = [_opening(facts, count), *_lines(notice.text)]
    # What an office wrote itself may have braces in it: only our own sentences are filled in.
    paragraphs += [demand.format(**said) for demand in DEMANDS[notice.kind]]
    return Letter(
        kind=notice.kind,
        kind_name=KINDS[notice.kind],
        organ=facts.organ,
        number=notice.number or "",
        title=TITLES[notice.kind],
        to="各有关单位" if circular else facts.unit,
        paragraphs=tuple(paragraphs),
        enclosure=f"问题清单（共{count}项）",
        entries=tuple(_entry(position, item) for position, item in enumerate(facts.items, 1)),
        signer=facts.organ,
        date=facts.days.get("issued", ""),
        copies="、".join([facts.unit, *facts.copies] if circular else facts.copies),
        mark=_mark(facts, count),
        mark_reason=f"{facts.days.get('cancelled', '')}撤销：{notice.cancel_reason}" if notice.cancel_reason else "",
        reply_by=chinese(notice.reply_by) if notice.reply_by else "",
        receipt_due=chinese(notice.receipt_due) if notice.receipt_due else "",
        receipt_signed_by=notice.receipt_signed_by or "",
        receipt_at=facts.days.get("receipted", ""),
        ledger=facts.ledger,
    )


def _opening(facts: Facts, count: int) -> str:
    """Whose problems these are, and what is the matter with them."""
    whose = facts.unit if facts.notice.kind == NoticeKind.CIRCULAR else "你单位"
    causes = [cause for anchor, cause in CAUSES.items() if anchor in facts.anchors]
    if facts.notice.kind == NoticeKind.REMINDER:
        cause = "须按期办结"
    else:
        # Rungs of the talk or of a decision say nothing of the unit's own delay.
        cause = "，".join(causes) if causes else "须进一步抓紧整改"
    beginning = "现将有关情况通报如下：" if facts.notice.kind == NoticeKind.CIRCULAR else ""
    return f"{beginning}{facts.ledger}中，由{whose}负责整改的{count}项问题（见附件），{cause}。"


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _entry(position: int, item: Item) -> Entry:
    text = problem(item.title, item.description)
    if len(text) > LONGEST_PROBLEM:
        text = f"{text[:LONGEST_PROBLEM]}……"
    return Entry(position, item.number, text, _deadline(item), item.responsible_person or "")


def _deadline(item: Item) -> str:
    word, day = DEADLINES.get(item.deadline_kind), item.deadline_day
    if word is None:
        return day.isoformat() if day else ""
    return f"{word}（{day.isoformat()}）" if day else word


def _mark(facts: Facts, count: int) -> str:
    if facts.notice.state == NoticeState.DRAFT:
        return DRAFT
    if facts.notice.state == NoticeState.CANCELLED:
        return CANCELLED
    return EXCERPT if len(facts.items) < count else ""


def chinese(day: date) -> str:
    """2026年3月2日: without leading zeros, as the standard has it."""
    return f"{day.year}年{day.month}月{day.day}日"


def printable(content: dict[str, Any]) -> dict[str, Any]:
    """What a template is given, without what no file can hold; a control character of an old import would break it."""
    return {name: _printable(value) for name, value in content.items()}


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(each if each in "\n\t" or each >= " " else " " for each in whole(value))
    if isinstance(value, dict):
        return printable(value)
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
