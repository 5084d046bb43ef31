"""What people are told, in the words of an office: Chinese as the notices say it, and English."""

from dataclasses import dataclass
from datetime import date

from service.workflow.states import Action, AnchorKind, Locale, NoticeKind, RequestKind


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    """Every message's: what stands in it always may be given to a robot as its keyword."""
    actions: dict[str, str]
    """What happened, by a rung's action."""
    kinds: dict[str, str]
    """And by a notice's kind, where a supervisor issued it by hand."""
    requests: dict[str, str]
    approved: str
    returned: str
    scheduled: str
    asks: dict[str, str]
    """What is expected, by the anchor of a rung; `by_hand` where there is none."""
    asks_late: str
    notice: str
    unit: str
    ask: str
    until: str
    late: str
    just_late: str
    left: str
    last_day: str
    no_deadline: str
    said: str
    reply: str
    receipt: str
    copied: str
    no_receipt: str
    at: str
    place: str
    more: str
    open: str
    test: str
    test_says: str
    join: str
    colon: str


CHINESE = Words(
    title="【销号·{said}】",
    actions={
        Action.REMIND: "提醒", Action.URGE: "催办", Action.SUPERVISE: "督办", Action.WARN: "告诫",
        Action.CIRCULATE: "通报", Action.ESCALATE: "约谈",
    },
    kinds={
        NoticeKind.REMINDER: "提醒", NoticeKind.URGING: "催办", NoticeKind.SUPERVISION: "督办",
        NoticeKind.WARNING: "告诫", NoticeKind.INTERVIEW: "约谈", NoticeKind.CIRCULAR: "通报",
    },
    requests={RequestKind.EXTENSION: "延期申请", RequestKind.CLOSURE: "销号申请", RequestKind.TRANSFER: "转办申请"},
    approved="{request}已批准",
    returned="{request}已退回",
    scheduled="约谈已安排",
    asks={
        AnchorKind.DUE: "按期完成整改并申请销号",
        AnchorKind.CLAIM_DUE: "签字认领",
        AnchorKind.DECISION_DUE: "审批申请",
        AnchorKind.INTERVIEW_DUE: "组织约谈并记录",
        "by_hand": "按文书要求办理",
    },
    asks_late="立即整改到位并申请销号",
    notice="文号",
    unit="责任单位",
    ask="要求",
    until="期限",
    late="已超期 {days} 个工作日",
    just_late="已超期",
    left="还剩 {days} 个工作日",
    last_day="今日到期",
    no_deadline="长期坚持",
    said="说明",
    reply="回复期限",
    receipt="签收期限",
    copied="抄送",
    no_receipt="仅供知悉，无须签收",
    at="时间",
    place="地点",
    more="另有 {count} 件，请登录系统查看。",
    open="查看条目",
    test="测试消息",
    test_says="销号系统的消息渠道已接通，提醒、催办、督办将发到这里。",
    join="，",
    colon="：",
)  # fmt: skip

ENGLISH = Words(
    title="[xiaohao: {said}]",
    actions={
        Action.REMIND: "Reminder", Action.URGE: "Urging", Action.SUPERVISE: "Supervision", Action.WARN: "Warning",
        Action.CIRCULATE: "Circular", Action.ESCALATE: "Summons to an interview",
    },
    kinds={
        NoticeKind.REMINDER: "Reminder", NoticeKind.URGING: "Urging", NoticeKind.SUPERVISION: "Supervision",
        NoticeKind.WARNING: "Warning", NoticeKind.INTERVIEW: "Summons to an interview",
        NoticeKind.CIRCULAR: "Circular",
    },
    requests={RequestKind.EXTENSION: "Extension", RequestKind.CLOSURE: "Closure", RequestKind.TRANSFER: "Transfer"},
    approved="{request} approved",
    returned="{request} returned",
    scheduled="Interview scheduled",
    asks={
        AnchorKind.DUE: "rectify in time and ask for closure",
        AnchorKind.CLAIM_DUE: "sign for the item",
        AnchorKind.DECISION_DUE: "decide the request",
        AnchorKind.INTERVIEW_DUE: "hold the interview and record it",
        "by_hand": "do as the notice says",
    },
    asks_late="rectify at once and ask for closure",
    notice="Notice",
    unit="Responsible",
    ask="Expected",
    until="Until",
    late="{days} working days overdue",
    just_late="overdue",
    left="{days} working days left",
    last_day="due today",
    no_deadline="standing",
    said="Says",
    reply="Reply by",
    receipt="Sign for it by",
    copied="Copy",
    no_receipt="for information, not to be signed for",
    at="At",
    place="Place",
    more="{count} more: see the ledger.",
    open="open it",
    test="Test message",
    test_says="The ledger reaches this channel: reminders, urgings and supervision will come here.",
    join=", ",
    colon=": ",
)  # fmt: skip

WORDS: dict[str, Words] = {Locale.CHINESE: CHINESE, Locale.ENGLISH: ENGLISH}


def day(value: date, locale: str) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if locale == Locale.CHINESE else value.isoformat()
