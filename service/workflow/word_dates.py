"""The dates that stand in a deadline cell, as offices write them, each as the last good day that it means.

The end is meant everywhere: 月底, 年底, 四季度 and 下旬 are last days, of a range its end counts, and 前 counts the day
itself. A text is normalised first, see `word_spelling`; then `found` reads it from left to right, so that what leaves
out its year has it from what stands before.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 1980, 2099
"""Years that a ledger can mean; any other number before 年 is a slip of the pen."""


class Impossible(Exception):
    """A day or a month that no calendar has."""


@dataclass(frozen=True, slots=True)
class Found:
    """A day and where it stands; None where no year is known for it. `part` is the smallest that was written of it.

    A day of which only the year is sure is of the part "early". `carried`: the year came from what stood before;
    `backward`: the day then lies before that, or nobody can say in which year. `short`: its year has two digits.
    """

    start: int
    end: int
    day: date | None
    part: str
    carried: bool = False
    backward: bool = False
    short: bool = False

    @property
    def first(self) -> date | None:
        """The first day of what was written, of which `day` is the last."""
        if self.day is None or self.part == "day":
            return self.day
        if self.part == "third":
            return self.day - timedelta(days=9)
        months = {"month": 1, "quarter": 3, "half": 6, "plan": 60}.get(self.part, 12)
        year, month = divmod(self.day.year * 12 + self.day.month - months, 12)
        return date(year, month + 1, 1)


_SHAPES = re.compile(
    r"""
    (?<!\d)(?P<y1>(?:19|20)\d{2})(?P<sep>[-/.])(?P<m1>\d{1,2})(?:(?P=sep)(?P<d1>\d{1,2})(?:日|号)?|月)?(?![\d])
    | (?<![\d./-])(?P<m5>\d{1,2})(?P<sep5>[./-])(?P<d5>\d{1,2})(?P=sep5)(?P<y5>20\d{2})(?![\d年./-])
    | (?<![\d./-])(?P<y6>[1-4]\d)(?P<sep6>[./-])(?P<m6>\d{1,2})(?P=sep6)(?P<d6>\d{1,2})(?![\d%])
    | (?<!\d)(?P<y8>(?:19|20)\d{2})(?P<m8>\d{2})(?P<d8>\d{2})(?:日|号)?(?!\d)
    | (?P<plan>十[三四五六]五)[”"’'」]?(?:规划)?(?:期|期间|末|期末|时期|收官|结束|底)
    | (?:(?<!\d)(?P<y>\d{2,})年度?|(?P<ago>同年|[当今本]年度?|[次翌明来]年|第2年))?的?
      (?:
        (?:(?P<m0>\d{1,2})[、,至到-])?(?P<m>\d{1,2})月份?
          (?:(?P<d>\d{1,2})(?:[日号]|(?=[前之以止,;。.)至到-]|、\d{1,2}[日号]|$))|(?P<third>上旬|中旬|下旬)|(?P<month>底|末|初(?![步期审])|中))?
        (?P<thirds>末|底)?
        | (?P<m7>\d{1,2})\.(?P<d7>\d{1,2})(?=日(?![以之]?内)|前|$)
        | (?:第?(?P<q0>[1-4])[、,至到-])?[第前]?(?P<q>[1-4])季度(?:末|底)?
        | 年?(?P<half>上半年|下半年)
        | (?:(?:(?<!\d)年|(?<=[年度]))(?=[底末终中内初])|(?=全年))(?P<year>底|末|终|中|内|初|全年)(?!旬)
        | (?P<bare>)(?<=[年度])(?=
            $|[,;。.)、:(至到-]|之?前|以前|止|内|期间?$|起|开始|以来|之?后|以后
            |完成|全部|全面|基本|实现|达到|整改|力争|争取
          )
      )
    | (?<=[至到-])(?P<m4>\d{1,2})(?:[./-](?P<d4>\d{1,2}))?(?:月?(?=$|[,;。)前止底末之以完])|(?P<d9>[日号]))
    | (?<=[\d日号]、)(?P<d3>\d{1,2})[日号](?![以之]?内)
    """,
    re.VERBOSE,
)
_ODD_YEAR = re.compile(r"(?<!\d)(?:\d{3}|\d{5,})年(?=\d|底|末|初|内|第|[上下]半|$)")
_SPAN = re.compile(r"(?<!\d)((?:19|20)\d{2})(年?)[-至到](?=(?:19|20)\d{2}(?:年|$))")
_LINKED = re.compile(r"(?:[前止]|日|号)?(?:开始)?(?:-|至|到|直至)$")

_NEXT = ("次年", "翌年", "第2年", "明年", "来年")
_WRITERS = ("今年", "今年度", "本年", "本年度", "明年", "来年")
"""Years that count from the day of writing, which need not be in the year that stands before."""

PLANS = {"十三五": 2020, "十四五": 2025, "十五五": 2030, "十六五": 2035}


def found(text: str) -> list[Found]:
    """Every day in a normalised text, from left to right. Raises Impossible."""
    if _ODD_YEAR.search(text):
        raise Impossible
    days: list[Found] = []
    last: date | None = None
    for match in _SHAPES.finditer(text):
        if match.end() == match.start() or _unclear(match):
            continue
        if days and match["m"] and not match["y"] and (year := _heading(text, days[-1], match.start())):
            days.pop()
            last = year
        one = _read(match, days[-1] if days else None, last, bool(last and _LINKED.search(text[: match.start()])))
        if one is not None:
            days.append(one)
            last = one.day or last
    return days


def _heading(text: str, year: Found, start: int) -> date | None:
    """2023年：6月底前…: the first day of a year that stands there only to say in which year the next months are."""
    if year.day and text[year.start : year.end].endswith(("年", "年度")) and text[year.end : start] in (",", ":", "("):
        return date(year.day.year, 1, 1)
    return None


def spans(text: str) -> list[tuple[int, int]]:
    """Where a year stands only as the beginning of a range: 2022-2025年."""
    return [match.span() for match in _SPAN.finditer(text)]


def _unclear(match: re.Match[str]) -> bool:
    """A tail behind no year at all: 3年内 is a term."""
    if match["y"] or match["ago"]:
        return False
    return match["bare"] is not None or (match["year"] is not None and "年" not in match[0])


def _at(match: re.Match[str], day: date | None, part: str, **more: bool) -> Found:
    return Found(match.start(), match.end(), day, part, **more)


def _read(match: re.Match[str], before: Found | None, last: date | None, linked: bool) -> Found | None:
    """`before` stands before in the text, `last` is the last day there; `linked`: the two are the ends of a range, or a
    term and its extension."""
    if match["y1"]:
        year, month = int(match["y1"]), int(match["m1"])
        if match["d1"]:
            return _at(match, _day(year, month, int(match["d1"])), "day")
        return _at(match, _last_of(year, month), "month")
    if match["y5"]:
        month, number = int(match["m5"]), int(match["d5"])
        if month > 12:
            month, number = number, month
        # 03/04/2023 is in March or in April: nobody can say.
        day = _day(int(match["y5"]), month, number) if number > 12 else None
        return _at(match, day, "day" if day else "either")
    if match["y6"]:
        if int(match["y6"]) > 30 and 10 < int(match["d6"]) <= 30:
            # 31/12/23 is a day first.
            return _at(match, None, "either")
        return _at(match, _day(2000 + int(match["y6"]), int(match["m6"]), int(match["d6"])), "day", short=True)
    if match["y8"]:
        return _at(match, _day(int(match["y8"]), int(match["m8"]), int(match["d8"])), "day")
    if match["plan"]:
        return _at(match, date(PLANS[match["plan"]], 12, 31), "plan")
    if match["m4"] or match["d3"]:
        if last is None:
            return None
        day = _end_of_range(match, last, bool(before and before.part == "day"))
        return _at(match, day, "day", carried=True, backward=day < last)
    if match["m7"] and last is None and 20 <= int(match["m7"]) <= 35 and not match["y"]:
        # 23.12: no month is the 23rd.
        return _at(match, _last_of(2000 + int(match["m7"]), int(match["d7"])), "month", short=True)
    years = _year(match, last)
    if years is None:
        return _without_year(match)
    year, carried, short = years
    if short and match["year"] == "内":
        # 10年内 is a term.
        return None
    if match["year"] == "初":
        return _at(match, date(year, 1, 31), "early", carried=carried)
    day, part = _in_year(match, year + bool(match["m0"] and int(match["m0"]) > int(match["m"])))
    if carried and linked and last is not None and day < last:
        # The end of a range, and what a term is extended to, lies behind its beginning.
        day, _ = _in_year(match, year + 1)
    unsure = carried and match["ago"] in _WRITERS and not linked
    backward = unsure or (carried and last is not None and day < last)
    return _at(match, day, part, carried=carried, backward=backward, short=short)


def _year(match: re.Match[str], last: date | None) -> tuple[int, bool, bool] | None:
    """The year, whether it came from what stood before, and whether it has two digits."""
    if match["y"]:
        digits = match["y"]
        year = 2000 + int(digits) if len(digits) == 2 else int(digits)
        if len(digits) not in (2, 4) or not FIRST_YEAR <= year <= LAST_YEAR:
            raise Impossible
        return year, False, len(digits) == 2
    if last is None:
        return None
    return last.year + (match["ago"] in _NEXT), True, False


def _in_year(match: re.Match[str], year: int) -> tuple[date, str]:
    if match["m7"]:
        return _day(year, int(match["m7"]), int(match["d7"])), "day"
    if match["m"]:
        month = int(match["m"])
        if match["d"]:
            return _day(year, month, int(match["d"])), "day"
        third = match["third"] or {"初": "上旬", "中": "中旬"}.get(match["month"] or "")
        if third in ("上旬", "中旬"):
            return _day(year, month, 10 if third == "上旬" else 20), "third"
        return _last_of(year, month), "month"
    if match["q"]:
        return _last_of(year, 3 * int(match["q"])), "quarter"
    if match["half"] == "上半年" or match["year"] == "中":
        return date(year, 6, 30), "half"
    return date(year, 12, 31), "half" if match["half"] else "year"


def _without_year(match: re.Match[str]) -> Found | None:
    """Of what has no year only the impossible is known: no year has a 13th month or a 30th of February."""
    if match["year"] or match["bare"] is not None:
        return None
    _in_year(match, 2024)
    return _at(match, None, "yearless")


def _end_of_range(match: re.Match[str], last: date, from_day: bool) -> date:
    """2023.6-12, 2023.6.1-15: the end of a range has from its beginning what it leaves out."""
    number = int(match["m4"] or match["d3"])
    if match["d9"] or match["d3"] or (from_day and not match["d4"]):
        return _day(last.year, last.month, number)

    def ending(year: int) -> date:
        return _day(year, number, int(match["d4"])) if match["d4"] else _last_of(year, number)

    day = ending(last.year)
    return day if day >= last else ending(last.year + 1)


def _day(year: int, month: int, day: int) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Impossible
    try:
        return date(year, month, day)
    except ValueError:
        raise Impossible from None


def _last_of(year: int, month: int) -> date:
    if not 1 <= month <= 12:
        raise Impossible
    return date(year, month, monthrange(year, month)[1])
