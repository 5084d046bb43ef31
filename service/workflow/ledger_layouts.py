"""The two ledgers that offices print, as data: 《存在问题台账》 and 《问题整改台账》, column by column.

Headings are those by which an import knows its columns; what it does not read has a heading that it takes for nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from service.workflow.states import DeadlineKind, Resolution, Severity, SourceKind, State


class LayoutName(StrEnum):
    PROBLEMS = "problems"
    RECTIFICATION = "rectification"


class Kind(StrEnum):
    """How a column is written: texts are wrapped to the left, all else stands in the middle."""

    TEXT = "text"
    SHORT = "short"
    DAY = "day"
    NUMBER = "number"
    LAMP = "lamp"


@dataclass(frozen=True, slots=True)
class Column:
    """`fact` names what stands in it; `group` is the heading that it shares with its neighbours, if any.

    `width` is in characters of the body's font.
    """

    fact: str
    heading: str
    width: float
    kind: Kind = Kind.TEXT
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    name: LayoutName
    title: str
    columns: tuple[Column, ...]


NUMBER = Column("position", "序号", 4.5, Kind.NUMBER)
CODE = Column("number", "问题编号", 11, Kind.SHORT)
PROBLEM = Column("problem", "存在问题", 27)
UNIT = Column("unit", "责任单位", 9, Kind.SHORT, "整改责任")
CO_UNITS = Column("co_units", "配合单位", 9, Kind.SHORT, "整改责任")
PERSON = Column("person", "责任人", 6.5, Kind.SHORT, "整改责任")
MEASURES = Column("measures", "整改措施", 23, Kind.TEXT, "整改安排")
DEADLINE = Column("deadline", "整改时限", 10.5, Kind.DAY, "整改安排")
STATE = Column("state", "当前状态", 7, Kind.SHORT, "办理动态")
LAMP = Column("lamp", "亮灯", 5.5, Kind.LAMP, "办理动态")
LATE = Column("days_overdue", "超期天数", 4.5, Kind.NUMBER, "办理动态")
STRUCK_OFF = Column("struck_off", "是否销号", 4.5, Kind.SHORT, "销号验收")
CLOSED_ON = Column("closed_on", "销号日期", 10.5, Kind.DAY, "销号验收")

LAYOUTS: dict[LayoutName, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            LayoutName.PROBLEMS,
            "存在问题台账",
            (
                NUMBER, CODE, PROBLEM,
                Column("category", "问题类别", 8, Kind.SHORT, "问题由来"),
                Column("source", "问题来源", 8, Kind.SHORT, "问题由来"),
                Column("found_on", "发现日期", 10.5, Kind.DAY, "问题由来"),
                Column("severity", "严重程度", 5, Kind.SHORT),
                UNIT, CO_UNITS, PERSON, MEASURES, DEADLINE, STATE, LAMP, LATE, STRUCK_OFF, CLOSED_ON,
            ),
        ),
        Layout(
            LayoutName.RECTIFICATION,
            "问题整改台账",
            (
                NUMBER, CODE, PROBLEM,
                Column("source", "问题来源", 8, Kind.SHORT),
                UNIT, CO_UNITS,
                Column("supervising", "督办单位", 9, Kind.SHORT, "整改责任"),
                PERSON,
                Column("goal", "整改目标", 15, Kind.TEXT, "整改安排"),
                MEASURES, DEADLINE,
                Column("due_on", "到期日", 10.5, Kind.DAY, "整改安排"),
                Column("progress", "完成情况", 21, Kind.TEXT, "办理动态"),
                STATE,
                Column("extensions", "延期次数", 4.5, Kind.NUMBER, "办理动态"),
                LATE, LAMP, STRUCK_OFF, CLOSED_ON,
            ),
        ),
    )
}  # fmt: skip

STATES: dict[str, str] = {
    State.OPEN: "待认领",
    State.RECTIFYING: "整改中",
    State.EXTENDED: "延期整改",
    State.ESCALATED: "约谈",
    State.CLOSED: "已销号",
}

RESOLUTIONS: dict[str, str] = {Resolution.ANNULLED: "已作废", Resolution.DUPLICATE: "重复作废"}
"""A closed item that was not put right says why it is closed instead."""

SEVERITIES: dict[str, str] = {Severity.GENERAL: "一般", Severity.SERIOUS: "较重", Severity.CRITICAL: "重大"}

SOURCES: dict[str, str] = {
    SourceKind.INSPECTION: "督查检查",
    SourceKind.SELF_CHECK: "自查自纠",
    SourceKind.OPINION: "群众意见",
    SourceKind.PETITION: "信访举报",
    SourceKind.MEDIA: "媒体曝光",
    SourceKind.MEETING: "会议交办",
    SourceKind.ASSESSMENT: "考核评估",
    SourceKind.AUDIT: "审计发现",
    SourceKind.OTHER: "其他",
}

DEADLINES: dict[str, str] = {DeadlineKind.IMMEDIATE: "立行立改", DeadlineKind.STANDING: "长期坚持"}

LAMPS: dict[str, str] = {
    "green": "绿灯", "yellow": "黄灯", "red": "红灯", "blue": "蓝灯", "orange": "橙灯",
}  # fmt: skip
"""Other lamps of a policy are called as the policy calls them."""

PAINTS: dict[str, tuple[str, str]] = {
    "绿灯": ("#92D050", "#000000"), "黄灯": ("#FFEB3B", "#000000"), "红灯": ("#E53935", "#FFFFFF"),
    "蓝灯": ("#64B5F6", "#000000"), "橙灯": ("#FFB74D", "#000000"),
}  # fmt: skip
"""Ground and letters of a cell that shows a lamp. Its word stands there too: many a printer knows no colours."""
