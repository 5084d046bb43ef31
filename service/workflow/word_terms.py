"""Terms in deadline cells, so much time from some day: 三日内, 15个工作日内, 半年."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from service.workflow import word_table as table
from service.workflow.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Count:
    """So many days, working days or months from the day of listing."""

    number: int
    unit: str

    def after(self, day: date, calendar: Calendar | None = None) -> date | None:
        """The last day of the term; None where it needs the calendar and there is none, or no year has the day."""
        try:
            if self.unit == "months":
                return _months_after(day, self.number)
            if self.unit == "days":
                return day + timedelta(days=self.number)
        except (ValueError, OverflowError):
            return None
        return calendar.add(day, self.number) if calendar else None

    @property
    def about(self) -> float:
        """How many days that is, to tell which of two is longer."""
        return self.number * {"working_days": 7 / 5, "months": 30.4}.get(self.unit, 1)


_COUNTED = re.compile(
    r"(?P<n>\d{1,4}|半)个?(?P<unit>工作日|自然日|小时|季度|星期|礼拜|半月|月|年(?P<half>半)?|日|天|周)(?P<inside>之内|以内|内)?"
)
_DAYS = {"日": 1, "天": 1, "自然日": 1, "周": 7, "星期": 7, "礼拜": 7}
_MONTHS = {"月": 1, "季度": 3}
_ALONE = re.compile(r"^(?:整改|完成|限|限期|期限|时限|办理|自.{0,12}起|为|约|:|用|利用|今后|未来|\d{1,3}(?:-|至|到))*$")


_LIMITED = re.compile(r"(?:限|限期|限时|期限|时限):?$")
"""限期15日 is a term, though 15日 alone may be the fifteenth."""

_NO_TERM = re.compile(r"(?:月|每[^,;。]*)$")
"""每月5日内 is a day of each month."""


def counted(text: str) -> Count | None:
    """三日内, 15个工作日内, 半年内: so much time from the listing; without 内 only where nothing else stands there.

    Of several milestones the last, which is the longest.
    """
    found: list[Count] = []
    for match in _COUNTED.finditer(text):
        before = text[: match.start()]
        if re.search(r"\d\.$", before) and match["unit"][0] in "年月":
            # 1.5年; but 1.30日内 is the first of a list.
            continue
        if _NO_TERM.search(before) or re.match("[一二两三四1-9]次", text[match.end() :]):
            continue
        from_origin = table.AFTER_ORIGIN.search(before)
        if table.AFTER_EVENT.search(before) and not from_origin:
            continue
        limited = _LIMITED.search(before) and text[match.end() : match.end() + 1] not in ("前", "底", "之", "以")
        bounded = match["inside"] or from_origin or limited
        told = bounded and (match["unit"] not in ("月", "季度") or "个" in match[0])
        if told or (_term(match) and _ALONE.match(before)) or re.search(r"日起$", before):
            count = _count(match)
            if count is not None:
                found.append(count)
    return max(found, key=lambda count: count.about, default=None)


def at(text: str, start: int) -> Count | None:
    """The term that stands right there, if one does."""
    match = _COUNTED.match(text, start)
    return _count(match) if match else None


def _term(match: re.Match[str]) -> bool:
    """3日 may be the third, 4季度 the last one and 23年 a year: what is surely a term has 个, or is no such number."""
    unit, numeral = match["unit"][0], match["n"]
    if match["unit"] == "日":
        return numeral.isdecimal() and int(numeral) > 31
    if unit == "年":
        return len(numeral) == 1
    return match["unit"] not in ("月", "季度") or "个" in match[0]


def _count(match: re.Match[str]) -> Count | None:
    """The term; None for one of no time or of more than ten years."""
    numeral, unit = match["n"], match["unit"]
    if numeral == "半":
        return {"年": Count(6, "months"), "月": Count(15, "days"), "天": Count(1, "days")}.get(unit)
    number = int(numeral)
    if unit == "工作日":
        count = Count(number, "working_days")
    elif unit == "小时":
        count = Count(-(-number // 24), "days")
    elif unit == "半月":
        count = Count(30 * number + 15, "days")
    elif unit[0] == "年":
        count = Count(12 * number + (6 if match["half"] else 0), "months")
    elif unit in _MONTHS:
        count = Count(number * _MONTHS[unit], "months")
    else:
        count = Count(number * _DAYS[unit], "days")
    return count if 0 < count.number <= 3_650 else None


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
