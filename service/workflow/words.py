"""The deadline expressions of real ledgers: what the cell of a clerk comes to, without guessing.

What is written as a date is the date. 立行立改 and 长期坚持 are kinds of deadline, 三日内 is counted from the day of
listing. Whatever else stands there sets no date: it is kept as it was written, with a warning, and the policy's limit
counts. Days that no calendar has are refused.
"""

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache

from service.workflow import word_dates, word_spelling, word_terms
from service.workflow import word_table as table
from service.workflow.calendar import Calendar
from service.workflow.states import DeadlineKind
from service.workflow.word_dates import Found, Impossible
from service.workflow.word_terms import Count

NO_DEADLINE, YEAR_MISSING, DEADLINE_WORDS = "no_deadline", table.YEAR_MISSING, "deadline_words"
"""The codes of warnings."""

PLAIN_SERIALS = range(30_000, 75_000)
"""Numbers that are days of a spreadsheet, from 1982 to 2105."""

EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
"""The day 0 of the two date systems."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a cell says. `due_on` is a date that stands there, `count` one that is counted; else `kind` alone says it.

    `reason` is the row of the table, or why a date was not taken as it stands; `warning` its code, None where a plain
    date stands. `invalid`: the day is in no calendar. `since`: from which day `count` counts where another than that of
    listing is named. `first`: of a period or a range that ends on `due_on` the first day.
    """

    kind: str = DeadlineKind.DATE.value
    due_on: date | None = None
    count: Count | None = None
    reason: str | None = None
    invalid: bool = False
    since: date | None = None
    first: date | None = field(default=None, compare=False)

    @property
    def warning(self) -> str | None:
        if self.reason in (NO_DEADLINE, YEAR_MISSING, None):
            return self.reason
        return DEADLINE_WORDS

    def due(self, listed_on: date, calendar: Calendar) -> date | None:
        """The last good day as far as the cell says it, for an item that is listed on `listed_on`."""
        if self.count is None:
            return self.due_on
        return self.count.after(self.since or listed_on, calendar)


@lru_cache(maxsize=2_000)
def read(text: str, *, number: bool = False, epoch_1904: bool = False) -> Words:
    """What a cell says. `number`: it is a number in the file, so that 45291 is a day, in the date system of 1900 or of
    1904."""
    if not text.strip():
        return Words(reason=NO_DEADLINE)
    normal = word_spelling.normalise(text)
    try:
        return _digits_alone(normal, number, epoch_1904) or _said(normal)
    except Impossible:
        return Words(invalid=True)


_DIGITS = re.compile(r"(\d{4,8})(?:\.(\d+))?")
_SHORT_OCTOBER = re.compile(r"2\d\.1")


def _digits_alone(text: str, number: bool, epoch_1904: bool) -> Words | None:
    """A number without any words: 45291 counts days, 202312 is a month, 2023 a year."""
    match = _DIGITS.fullmatch(text)
    if match is None:
        return Words(reason="month_unclear") if number and _SHORT_OCTOBER.fullmatch(text) else None
    whole, fraction = match[1], match[2]
    if len(whole) == 5 and int(whole) in PLAIN_SERIALS:
        due_on = EPOCHS[epoch_1904] + timedelta(days=int(whole))
        return Words(due_on=due_on, reason=None if number else "serial_as_text")
    if len(whole) == 6 and not fraction and whole[:2] in ("19", "20"):
        return _dated(word_dates.found(f"{whole[:4]}.{whole[4:]}"), "", done=False)
    if len(whole) == 4 and not fraction and whole[:2] in ("19", "20"):
        return Words(due_on=date(int(whole), 12, 31), first=date(int(whole), 1, 1))
    if len(whole) == 4 and number and fraction == "1":
        # A spreadsheet keeps 2023.10 as 2023.1: January or October, nobody can say.
        return Words(reason="month_unclear")
    return None


def _said(text: str) -> Words:
    days = word_dates.found(text)
    kept, starts, done = _judged(text, days)
    origins = [each for each in kept if each.part == "day" and table.ORIGIN.match(text, each.end)]
    count = word_terms.counted(text) if origins or not any(map(_sure, kept)) else None
    if count is not None and len(origins) == len(kept) == 1:
        # 2023年9月15日交办，30日内完成
        return _after(origins[0], count, table.RELATIVE)
    if any(map(_sure, kept)):
        return _dated(kept, text, done)
    since = _counted_since(text, starts)
    if since is not None:
        return since
    if count is not None:
        return Words(count=count, reason=table.RELATIVE)
    if starts and re.search(table.FOR_EVER, text):
        return Words(kind=DeadlineKind.STANDING.value, reason=table.ONGOING)
    if any(each.part == "yearless" for each in kept) and not table.EVERY.search(text):
        return Words(reason=table.RELATIVE_YEAR if table.THIS_YEAR.search(text) else YEAR_MISSING)
    if starts:
        return Words(reason=table.ONGOING)
    if done:
        return Words(reason=table.STATUS)
    if kept and kept[0].part != "yearless":
        return Words(reason=_UNSURE.get(kept[0].part, kept[0].part))
    return _by_table(text)


_UNSURE = {"early": table.RELATIVE_YEAR}
"""Parts of days that are no day yet."""


def _sure(each: Found) -> bool:
    return each.day is not None and each.part not in _UNSURE


def _judged(text: str, days: list[Found]) -> tuple[list[Found], list[Found], bool]:
    """The days that may be a deadline; those when something begins; whether others say when it was done."""
    kept, starts, done = [], [], False
    spans = word_dates.spans(text)
    for each in days:
        if any(start <= each.start and each.end <= end for start, end in spans):
            continue
        if table.STARTS.match(text, each.end) or (each.carried and text.endswith("每年", 0, each.start)):
            # 2023年起每年12月底前 has no end.
            starts.append(each)
        elif _says_done(_clause(text, each)):
            done = True
        elif each.part != "day" and table.AROUND_EVENT.match(text, each.end):
            kept.append(replace(each, day=None, part=table.EVENT))
        else:
            kept.append(each)
    return kept, starts, done


def _says_done(clause: str) -> bool:
    if table.EXTENDED.search(clause):
        return False
    if table.DONE.search(clause):
        return True
    return bool(table.DONE_UNLESS_PLANNED.search(clause) and not table.PLANNED.search(clause))


def _counted_since(text: str, starts: list[Found]) -> Words | None:
    """2023年9月15日起30日内: a term from a day that is named. From a month or a year it would be a guess."""
    for each in starts:
        between = table.COUNTS.match(text, each.end)
        count = word_terms.at(text, between.end()) if between else None
        if count is not None:
            return _after(each, count, table.RELATIVE) if each.part == "day" else Words(reason=table.RELATIVE)
    return None


def _after(each: Found, count: Count, reason: str) -> Words:
    if each.day is None:
        return Words(reason=reason)
    day = count.after(each.day)
    if day and count.unit == "months" and each.part != "day":
        day = day.replace(day=monthrange(day.year, day.month)[1])
    return Words(due_on=day, reason=reason) if day else Words(count=count, since=each.day, reason=reason)


_BREAKS = re.compile(r"[,;。;()]")


def _clause(text: str, each: Found) -> str:
    start = max((match.end() for match in _BREAKS.finditer(text, 0, each.start)), default=0)
    after = _BREAKS.search(text, each.end)
    return text[start : after.start() if after else len(text)]


def _dated(kept: list[Found], text: str, done: bool) -> Words:
    """Of several milestones the last; of a term and its extension the later; of what was changed what it became."""
    days = list(filter(_sure, kept))
    moved = table.MOVED.search(text)
    if moved and any(each.start >= moved.end() for each in days):
        days = [each for each in days if each.start >= moved.end()]
    last = max(days, key=lambda each: each.day or date.min)
    extended = _extended_by(text, last)
    if extended is not None:
        return _after(last, extended, "extended")
    first = min((each.first for each in kept if each.first), default=None)
    return Words(due_on=last.day, reason=_doubt(kept, last, text, done), first=first)


def _extended_by(text: str, last: Found) -> Count | None:
    """2023年6月30日延期30天: so much time behind the last of the days."""
    by = table.EXTENDED_BY.search(text, last.end)
    return word_terms.at(text, by.end()) if by else None


def _doubt(kept: list[Found], last: Found, text: str, done: bool) -> str | None:
    """Why somebody should look at a date."""
    if table.EXTENDED.search(text):
        return "extended"
    if table.MOVED.search(text):
        return "brought_forward"
    if table.OVERDUE.search(text):
        return "overdue_marked"
    if done or table.SAID_DONE.search(text):
        return table.STATUS
    if any(each.backward or (each.start > last.start and not _sure(each)) for each in kept):
        return "order_unclear"
    if last.short:
        return "short_year"
    return "plan_period" if last.part == "plan" else None


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
