"""The figures (统计): what each of them counts, by which formula, in which unit, and what it leaves out.

Counts come from events, see counting.py; rates and days from counts, see summing.py. What follows from what, and what
was decided where the definitions leave something open:

- All is counted per item and cycle, at the unit responsible at that moment, by the tenant's days. A transfer begins a
  new stretch of responsibility within the cycle: each unit answers for its own, so the units of a table add up.
- A stretch counts once in a period however often something happened to it there: `fell_due` by the first deadline that
  fell due in the period, `extended` and `extended_late` by the first such extension. Interviews and decisions on
  requests are counted one by one.
- Deadlines and days to claim that were over before an item came here were in force here at no time. Such an item is
  overdue from the day it came; old items that are moved in do not make a month late that nobody could keep.
- A day to claim that is not over yet counts in no period: whoever still has time has failed nothing.
- Rectifying begins with the claim and ends with the stretch: an interview in between does not interrupt it.
- Overdue at a period's end is what its last day left behind it unclosed; in a running period, what is overdue now.
- A correction of severity or source moves everything the item has counted in: it was always what it is now. An
  annulled item is taken out of everything but `annulled` and `annulled_overdue`, by the days on which it was counted.
- An old item that was listed as closed already counts as listed only.
"""

from dataclasses import dataclass
from enum import StrEnum

from service.errors import Text


class Metric(StrEnum):
    """What is counted. Stored by name; a kept state has them by their place here, so new ones go to the end."""

    LISTED = "listed"
    CLAIMS_DUE = "claims_due"
    CLAIMED_ON_TIME = "claimed_on_time"
    CLOSED = "closed"
    FELL_DUE = "fell_due"
    CLOSED_ON_TIME = "closed_on_time"
    OVERDUE_BEGUN = "overdue_begun"
    OVERDUE_ENDED = "overdue_ended"
    RECTIFYING_BEGUN = "rectifying_begun"
    RECTIFYING_ENDED = "rectifying_ended"
    EXTENDED = "extended"
    EXTENDED_LATE = "extended_late"
    CLOSURES_DECIDED = "closures_decided"
    CLOSURES_RETURNED = "closures_returned"
    REOPENED = "reopened"
    INTERVIEWS_HELD = "interviews_held"
    ANNULLED = "annulled"
    ANNULLED_OVERDUE = "annulled_overdue"


METRICS = tuple(Metric)

ONCE_A_PERIOD = (Metric.FELL_DUE, Metric.CLOSED_ON_TIME, Metric.EXTENDED, Metric.EXTENDED_LATE)
"""What a stretch counts in once a period: each but the first names the day of the one before it."""

ONCE_OVER = (Metric.CLAIMS_DUE, Metric.CLAIMED_ON_TIME)
"""What counts once its day is over."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """Something that lasts: what begins it and what ends it, each on its day."""

    begun: Metric
    ended: Metric


OVERDUE = Lasting(Metric.OVERDUE_BEGUN, Metric.OVERDUE_ENDED)
RECTIFYING = Lasting(Metric.RECTIFYING_BEGUN, Metric.RECTIFYING_ENDED)
LASTING: dict[str, Lasting] = {"overdue": OVERDUE, "rectifying": RECTIFYING}
"""Figures that are no sum of days: `overdue` those that last at the period's end, `rectifying` those that lasted at
some time in it."""

LASTING_METRICS = tuple(metric for each in LASTING.values() for metric in (each.begun, each.ended))
ENDED = frozenset(each.ended for each in LASTING.values())


class Unit(StrEnum):
    """What a figure is measured in."""

    CYCLES = "cycles"
    REQUESTS = "requests"
    INTERVIEWS = "interviews"
    SHARE = "share"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. A rate names the two counts that it divides; `excludes` says what is left out beside the annulled."""

    name: str
    unit: Unit
    title: Text
    formula: Text
    excludes: Text | None = None
    numerator: str | None = None
    denominator: str | None = None

    @property
    def behind(self) -> tuple[str, ...]:
        """The counts that it is made of: those that can name their items."""
        if self.unit == Unit.DAYS:
            return ("closed",)
        return (self.numerator, self.denominator) if self.numerator and self.denominator else (self.name,)


def _count(name: str, title: Text, formula: Text, excludes: Text | None = None, *, unit: Unit = Unit.CYCLES) -> Figure:
    return Figure(name, unit, title, formula, excludes)


def _rate(
    name: str, numerator: str, denominator: str, title: Text, formula: Text, excludes: Text | None = None
) -> Figure:
    return Figure(name, Unit.SHARE, title, formula, excludes, numerator, denominator)


_BEFORE = Text("系统录入之前已过的期限", "Days that were over before the item came here.")

FIGURES: tuple[Figure, ...] = (
    _count(
        "listed",
        Text("新增", "Listed"),
        Text("按列入日期计入的条目数，重开不计", "Items by the day they were listed; a reopening is none."),
    ),
    _count(
        "claims_due",
        Text("应接收数", "Claims due"),
        Text(
            "认领期限落在本期且已到期的轮次数；到期前转办、作废或销号的不计",
            "Cycles whose day to claim lies in the period and is over; not where another opening came before its end.",
        ),
        _BEFORE,
    ),
    _count(
        "claimed_on_time",
        Text("及时接收数", "Claimed on time"),
        Text("其中在认领期限当日或之前签字认领的", "Those of them that were claimed on that day or before."),
    ),
    _rate(
        "claim_rate",
        "claimed_on_time",
        "claims_due",
        Text("及时接收率", "Claimed on time, share"),
        Text("及时接收数 ÷ 应接收数", "claimed_on_time / claims_due"),
    ),
    _count(
        "closed",
        Text("销号数", "Closed"),
        Text("按销号日期计入的轮次数", "Cycles by the day they were closed."),
        Text("录入时已销号的旧条目", "Old items that were listed as closed already."),
    ),
    _count(
        "fell_due",
        Text("到期数", "Fell due"),
        Text(
            "期限落在本期的轮次数：当日结束时有效的期限，或更早销号时有效的期限；此后延期不改变；一期内只计首个",
            "Cycles whose deadline lies in the period: in force at the end of its own day, or at a closing before "
            "that. A later extension does not undo it; of several in a period the first counts.",
        ),
        _BEFORE,
    ),
    _count(
        "closed_on_time",
        Text("按期销号数", "Closed on time"),
        Text(
            "其中获批销号申请的提交日、或直接销号日不晚于该期限的",
            "Those of them whose approved closure request was submitted, or which were closed directly, not after it.",
        ),
    ),
    _rate(
        "on_time_rate",
        "closed_on_time",
        "fell_due",
        Text("按期销号率", "Closed on time, share"),
        Text("按期销号数 ÷ 到期数", "closed_on_time / fell_due"),
    ),
    _count(
        "overdue",
        Text("超期未结", "Overdue at the period's end"),
        Text(
            "本期最后一日结束时期限已过而未销号的轮次数；本期未结束的按当前",
            "Cycles not closed whose deadline is over at the end of the period's last day; now, in a running period.",
        ),
    ),
    _count(
        "rectifying",
        Text("整改中数", "Rectifying"),
        Text(
            "本期内曾处于认领之后、销号或转办之前的轮次数，约谈期间不中断",
            "Cycles that were claimed and neither closed nor transferred at some time in the period, interviews "
            "included.",
        ),
    ),
    _count(
        "extended",
        Text("延期数", "Extended"),
        Text("本期内在期限过去之前获准延期的轮次数", "Cycles extended in the period before their deadline had passed."),
    ),
    _count(
        "extended_late",
        Text("超期后延期数", "Extended late"),
        Text("本期内在期限过去之后才延期的轮次数", "Cycles extended in the period after their deadline had passed."),
    ),
    _rate(
        "extension_rate",
        "extended",
        "rectifying",
        Text("延期率", "Extended, share"),
        Text("延期数 ÷ 整改中数", "extended / rectifying"),
        Text("超期后延期的，另计", "Late extensions, which stand apart."),
    ),
    _rate(
        "late_extension_rate",
        "extended_late",
        "rectifying",
        Text("超期后延期率", "Extended late, share"),
        Text("超期后延期数 ÷ 整改中数", "extended_late / rectifying"),
    ),
    _count(
        "closures_decided",
        Text("销号申请审批数", "Closure requests decided"),
        Text("本期内批准或退回的销号申请数", "Closure requests approved or returned in the period."),
        Text("撤回和失效的申请", "What was withdrawn or overtaken."),
        unit=Unit.REQUESTS,
    ),
    _count(
        "closures_returned",
        Text("销号申请退回数", "Closure requests returned"),
        Text("其中退回的", "Those of them that were returned."),
        unit=Unit.REQUESTS,
    ),
    _rate(
        "return_rate",
        "closures_returned",
        "closures_decided",
        Text("退回率", "Returned, share"),
        Text("销号申请退回数 ÷ 销号申请审批数", "closures_returned / closures_decided"),
    ),
    _count(
        "reopened",
        Text("重开数", "Reopened"),
        Text("按重开日期计入的轮次数", "Cycles by the day on which a reopening began them."),
    ),
    _rate(
        "recurrence_rate",
        "reopened",
        "closed",
        Text("反弹率", "Recurred, share"),
        Text("重开数 ÷ 销号数", "reopened / closed"),
    ),
    _count(
        "interviews_held",
        Text("约谈数", "Interviews"),
        Text("按约谈日期计入的已记录约谈", "Interviews on record, by the day they were held."),
        Text("待约谈和已取消的", "Those still to be held, and those cancelled."),
        unit=Unit.INTERVIEWS,
    ),
    _count(
        "annulled",
        Text("作废数", "Annulled"),
        Text("本期内作废的条目数，含作为重复的", "Items annulled in the period, duplicates among them."),
    ),
    _count(
        "annulled_overdue",
        Text("超期作废数", "Annulled while overdue"),
        Text("其中作废时已超期的", "Those of them that were overdue at that time."),
    ),
    Figure(
        "median_days_to_close",
        Unit.DAYS,
        Text("销号天数中位数", "Days to close, median"),
        Text(
            "本期销号的轮次自列入（或重开）至销号的自然日数，取中位数",
            "Calendar days from the listing, or the reopening, to the closing of what was closed in the period.",
        ),
    ),
    Figure(
        "p90_days_to_close",
        Unit.DAYS,
        Text("销号天数九成位", "Days to close, 90th percentile"),
        Text("同上，九成轮次不超过的最小天数", "The least number of days that nine in ten of them did not exceed."),
    ),
)
"""Every figure, in the order in which tables show them."""

COUNTS = tuple(each.name for each in FIGURES if each.numerator is None and each.unit != Unit.DAYS)
"""Figures that are counts, and so can name what they counted."""

ANNULLED_EXCLUDED = Text("作废和重复的条目", "Annulled and duplicate items.")
"""What every figure leaves out, but for the two that count just these."""


def table(language: str) -> str:
    """Every figure with its formula, and whose items stand behind it where it is no count, as a Markdown table."""
    heading = (
        ("字段", "名称", "口径", "不计", "明细")
        if language == "zh"
        else ("figure", "called", "is", "leaves out", "its items")
    )
    rows = [
        (f"`{each.name}`", getattr(each.title, language), getattr(each.formula, language),
         getattr(each.excludes, language) if each.excludes else "",
         "" if each.name in COUNTS else ", ".join(f"`{name}`" for name in each.behind))
        for each in FIGURES
    ]  # fmt: skip
    return "".join(f"| {' | '.join(row)} |\n" for row in (heading, ("---",) * 5, *rows))
