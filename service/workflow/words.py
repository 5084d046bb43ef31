"""The deadline expressions of real ledgers: what the cell of a clerk comes to, without guessing.

What is written as a date is the date. 立行立改 and 长期坚持 are kinds of deadline, 三日内 is counted from the day of
listing. Whatever else stands there sets no date: it is kept as it was written, with a warning, and the policy's limit
counts. Days that no calendar has are refused.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from service.workflow import word_dates
from service.workflow import word_table as table
from service.workflow.calendar import Calendar
from service.workflow.states import DeadlineKind
from service.workflow.word_dates import Found, Impossible

NO_DEADLINE, YEAR_MISSING, DEADLINE_WORDS = "no_deadline", "year_missing", "deadline_words"
"""The codes of warnings."""

PLAIN_SERIALS = range(30_000, 75_000)
"""Numbers that are days of a spreadsheet, from 1982 to 2105."""

EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
"""The day 0 of the two date systems."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many days, working days or months from the day of listing."""

    number: int
    unit: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a cell says. `due_on` is a date that stands there, `count` one that is counted; else `kind` alone says it.

    `reason` is the row of the table, or why a date was not taken as it stands; `warning` its code, None where a plain
    date stands. `invalid`: the day is in no calendar.
    """

    kind: str = DeadlineKind.DATE.value
    due_on: date | None = None
    count: Count | None = None
    reason: str | None = None
    invalid: bool = False

    @property
    def warning(self) -> str | None:
        if self.reason in (NO_DEADLINE, YEAR_MISSING, None):
            return self.reason
        return DEADLINE_WORDS

    def due(self, listed_on: date, calendar: Calendar) -> date | None:
        """The last good day as far as the cell says it, for an item that is listed on `listed_on`."""
        if self.count is None:
            return self.due_on
        if self.count.unit == "working_days":
            return calendar.add(listed_on, self.count.number)
        if self.count.unit == "months":
            return _months_after(listed_on, self.count.number)
        return listed_on + timedelta(days=self.count.number)


@lru_cache(maxsize=2_000)
def read(text: str, *, number: bool = False, epoch_1904: bool = False) -> Words:
    """What a cell says. `number`: it is a number in the file, so that 45291 is a day, in the date system of 1900 or of
    1904."""
    if not text.strip():
        return Words(reason=NO_DEADLINE)
    normal = word_dates.normalise(text)
    try:
        return _digits_alone(normal, number, epoch_1904) or _said(normal)
    except Impossible:
        return Words(invalid=True)


_DIGITS = re.compile(r"(\d{4,8})(?:\.(\d+))?")


def _digits_alone(text: str, number: bool, epoch_1904: bool) -> Words | None:
    """A number without any words: 45291 counts days, 202312 is a month, 2023 a year."""
    match = _DIGITS.fullmatch(text)
    if match is None:
        return None
    whole, fraction = match[1], match[2]
    if len(whole) == 5 and int(whole) in PLAIN_SERIALS:
        due_on = EPOCHS[epoch_1904] + timedelta(days=int(whole))
        return Words(due_on=due_on, reason=None if number else "serial_as_text")
    if len(whole) == 6 and not fraction and whole[:2] in ("19", "20"):
        return _dated(word_dates.found(f"{whole[:4]}.{whole[4:]}"), "")
    if len(whole) == 4 and not fraction and whole[:2] in ("19", "20"):
        return Words(due_on=date(int(whole), 12, 31))
    if len(whole) == 4 and number and fraction == "1":
        # A spreadsheet keeps 2023.10 as 2023.1: January or October, nobody can say.
        return Words(reason="month_unclear")
    return None


def _said(text: str) -> Words:
    days = word_dates.found(text)
    kept, begins, done = _judged(text, days)
    dated = [each for each in kept if each.day is not None]
    if dated:
        return _dated(dated, text)
    count = counted(text)
    if count is not None:
        return Words(count=count, reason=table.RELATIVE)
    if begins and re.search(table.FOR_EVER, text):
        return Words(kind=DeadlineKind.STANDING.value, reason=table.ONGOING)
    if any(each.part == "yearless" for each in kept):
        return Words(reason=table.RELATIVE_YEAR if table.THIS_YEAR.search(text) else YEAR_MISSING)
    if begins:
        return Words(reason=table.ONGOING)
    if done:
        return Words(reason=table.STATUS)
    if kept:
        return Words(reason=kept[0].part)
    return _by_table(text)


def _judged(text: str, days: list[Found]) -> tuple[list[Found], bool, bool]:
    """The days that may be a deadline; whether others say when something begins, or when it was done."""
    kept, begins, done = [], False, False
    spans = word_dates.spans(text)
    for each in days:
        if any(start <= each.start and each.end <= end for start, end in spans):
            continue
        clause = _clause(text, each)
        if table.STARTS.match(text, each.end):
            begins = True
        elif table.DONE.search(clause) and not table.EXTENDED.search(clause):
            done = True
        else:
            kept.append(each)
    return kept, begins, done


_BREAKS = re.compile(r"[,;。;()]")


def _clause(text: str, each: Found) -> str:
    start = max((match.end() for match in _BREAKS.finditer(text, 0, each.start)), default=0)
    after = _BREAKS.search(text, each.end)
    return text[start : after.start() if after else len(text)]


def _dated(days: list[Found], text: str) -> Words:
    """Of several milestones the last; of a term and its extension the later."""
    last = max(days, key=lambda each: each.day or date.min)
    reason = None
    if table.EXTENDED.search(text):
        reason = "extended"
    elif table.OVERDUE.search(text):
        reason = "overdue_marked"
    elif table.SAID_DONE.search(text):
        reason = table.STATUS
    elif any(each.backward for each in days):
        reason = "order_unclear"
    elif last.short:
        reason = "short_year"
    elif last.part == "plan":
        reason = "plan_period"
    return Words(due_on=last.day, reason=reason)


_COUNTED = re.compile(
    r"(?P<n>\d{1,4}|半|[一两二三四五六七八九十]{1,3}|数)个?(?P<unit>工作日|自然日|小时|季度|星期|礼拜|半月|月|年|日|天|周)(?P<inside>之内|以内|内)?"
)
_DAYS = {"日": 1, "天": 1, "自然日": 1, "周": 7, "星期": 7, "礼拜": 7}
_MONTHS = {"月": 1, "季度": 3, "年": 12}
_ALONE = re.compile(r"^(?:整改|完成|限|限期|期限|时限|办理|自.{0,12}起|为|约|:)*$")


def counted(text: str) -> Count | None:
    """三日内, 15个工作日内, 半年内: so much time from the listing; without 内 only where nothing else stands there."""
    for match in _COUNTED.finditer(text):
        before = text[: match.start()]
        # 3日 may be the third, and 4季度 is the last one: these need 内, 个 or a day from which they count.
        sure = match["unit"] not in ("日", "年", "月", "季度") or "个" in match[0]
        if not (match["inside"] or (sure and _ALONE.match(before)) or re.search(r"之?日起$", before)):
            continue
        count = _count(match["n"], match["unit"])
        if count is not None and 0 < count.number <= 3_650:
            return count
    return None


def _count(numeral: str, unit: str) -> Count | None:
    if numeral == "半":
        return {"年": Count(6, "months"), "月": Count(15, "days"), "天": Count(1, "days")}.get(unit)
    digits = word_dates.normalise(f"{numeral}天").removesuffix("天")
    if not digits.isdecimal():
        return None
    number = int(digits)
    if unit == "工作日":
        return Count(number, "working_days")
    if unit == "小时":
        return Count(-(-number // 24), "days")
    if unit in _MONTHS:
        return Count(number * _MONTHS[unit], "months")
    return Count(number * _DAYS[unit], "days") if unit in _DAYS else None


def _by_table(text: str) -> Words:
    for row in table.WORDS:
        if row.pattern.search(text):
            return Words(kind=_KINDS.get(row.meaning, DeadlineKind.DATE).value, reason=row.meaning)
    return Words(reason=table.MEASURE)


_KINDS = {
    table.IMMEDIATE: DeadlineKind.IMMEDIATE,
    # What is to be put right at once has its day; that it is kept up afterwards changes nothing about that.
    table.IMMEDIATE_STANDING: DeadlineKind.IMMEDIATE,
    table.STANDING: DeadlineKind.STANDING,
}


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
