"""The dates that stand in a deadline cell, as offices write them, each as the last good day that it means.

The end is meant everywhere: 月底, 年底, 四季度 and 下旬 are last days, of a range its end counts, and 前 counts the day
itself. A text is normalised first, see `normalise`; then `found` reads it from left to right, so that what leaves out
its year has it from what stands before.
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

FIRST_YEAR, LAST_YEAR = 1980, 2099
"""Years that a ledger can mean; any other number before 年 is a slip of the pen."""

_DIGITS = {**{each: str(index) for index, each in enumerate("〇一二三四五六七八九")}, "零": "0", "○": "0", "Ｏ": "0",
           "O": "0", "o": "0", "〇": "0", "◯": "0", "两": "2", "廿": "2", "元": "1"}  # fmt: skip
_NUMERAL = "〇零○◯ＯOo一二三四五六七八九十廿两"
_CIRCLED = re.compile(r"[\u2460-\u24ff\u2776-\u2793]")
_TIME = re.compile(r"(?<=\d)[T\s]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?|(?<=[日号])\s*\d{1,2}(:\d{2}){1,2}")
_OCLOCK = re.compile(r"(?<=[日号])\d{1,2}[时点](?:\d{1,2}分|整)?")
_COUNTED = "年|月|[日号]|个|天|周|星期|小时|季度|工作日"
_NUMBER = re.compile(rf"[{_NUMERAL}]+(?=(?:[、至到-]第?[{_NUMERAL}]+)?(?:{_COUNTED}))")


class Impossible(Exception):
    """A day or a month that no calendar has."""


@dataclass(frozen=True, slots=True)
class Found:
    """A day and where it stands; None where no year is known for it. `part` is the smallest that was written of it.

    `carried`: the year came from what stood before; `backward`: the day then lies before that. `short`: its year has
    two digits.
    """

    start: int
    end: int
    day: date | None
    part: str
    carried: bool = False
    backward: bool = False
    short: bool = False


def normalise(text: str) -> str:
    """Half-width, digits for numerals that count something, no spaces, no times of the day; line breaks as `;`."""
    text = unicodedata.normalize("NFKC", _CIRCLED.sub(";", text)).strip()
    text = re.sub(r"(?<!\d)(\d{4}) +(\d{1,2}) +(\d{1,2})(?!\d)", r"\1-\2-\3", text)
    text = re.sub(r"\s*[\r\n]+\s*", ";", _TIME.sub("", text))
    text = re.sub(r"(?<=\d)\s+(?=\d)", ";", text)
    text = re.sub(r"\s+", "", text)
    text = re.sub(r"[‐‑‒–—―−─~～﹣]+|--+", "-", text)
    return _OCLOCK.sub("", _NUMBER.sub(_digits, text))


def _digits(match: re.Match[str]) -> str:
    """十二 is 12, 二十 is 20, 二〇二三 is 2023."""
    numeral = match[0]
    if "十" in numeral:
        tens, _, ones = numeral.partition("十")
        if len(tens) > 1 or len(ones) > 1:
            return numeral
        return str(int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0")))
    return "".join(_DIGITS.get(each, each) for each in numeral)


_SHAPES = re.compile(
    r"""
    (?<!\d)(?P<y1>(?:19|20)\d{2})(?P<sep>[-/.])(?P<m1>\d{1,2})(?:(?P=sep)(?P<d1>\d{1,2})(?:日|号)?|月)?(?![\d])
    | (?<![\d./-])(?P<m5>\d{1,2})/(?P<d5>\d{1,2})/(?P<y5>20\d{2})(?!\d)
    | (?<![\d./-])(?P<y6>[1-4]\d)(?P<sep6>[./-])(?P<m6>\d{1,2})(?P=sep6)(?P<d6>\d{1,2})(?![\d%])
    | (?<!\d)(?P<y8>(?:19|20)\d{2})(?P<m8>\d{2})(?P<d8>\d{2})(?:日|号)?(?!\d)
    | (?P<plan>十[三四五六]五)[”"’'」]?(?:规划)?(?:期|期间|末|期末|时期|收官|结束|底)
    | (?:(?<!\d)(?P<y>\d{2,})年度?|(?P<ago>同年|当年度?|次年|翌年|第2年))?的?
      (?:
        (?:(?P<m0>\d{1,2})[、,至到-])?(?P<m>\d{1,2})月份?
          (?:(?P<d>\d{1,2})(?:[日号]|(?=[前之以止,;。.)至到-]|$))|(?P<third>上旬|中旬|下旬)|(?P<month>底|末|初|中))?
        (?P<thirds>末|底)?
        | (?P<m7>\d{1,2})\.(?P<d7>\d{1,2})(?=日|前|$)
        | (?:第?(?P<q0>[1-4])[、,至到-])?第?(?P<q>[1-4])季度(?:末|底)?
        | 年?(?P<half>上半年|下半年)
        | 年?(?P<year>底|末|终|中|内|全年)(?!旬)
        | (?P<bare>)(?<=[年度])(?=
            $|[,;。.)、:(至到-]|之?前|以前|止|内|期间?$|起|开始|以来|之?后|以后
            |完成|全部|全面|基本|实现|达到|整改|力争|争取
          )
      )
    | (?<=[至到-])(?P<m4>\d{1,2})(?:[./](?P<d4>\d{1,2}))?(?:月?(?=$|[,;。)前止底末之以完])|(?P<d9>[日号]))
    """,
    re.VERBOSE,
)
_ODD_YEAR = re.compile(r"(?<!\d)(?:\d{3}|\d{5,})年(?=\d|底|末|初|内|第|[上下]半|$)")
_SPAN = re.compile(r"(?<!\d)((?:19|20)\d{2})(年?)[-至到](?=(?:19|20)\d{2}(?:年|$))")
_LINKED = re.compile(r"(?:[前止]|日|号)?(?:开始)?(?:-|至|到|直至)$")

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
        one = _read(match, last, bool(last and _LINKED.search(text[: match.start()])))
        if one is not None:
            days.append(one)
            last = one.day or last
    return days


def spans(text: str) -> list[tuple[int, int]]:
    """Where a year stands only as the beginning of a range: 2022-2025年."""
    return [match.span() for match in _SPAN.finditer(text)]


def _unclear(match: re.Match[str]) -> bool:
    """An empty tail behind no year at all."""
    return match["bare"] is not None and not (match["y"] or match["ago"])


def _at(match: re.Match[str], day: date | None, part: str, **more: bool) -> Found:
    return Found(match.start(), match.end(), day, part, **more)


def _read(match: re.Match[str], last: date | None, linked: bool) -> Found | None:
    """`last` is the day before in the text; `linked`: the two are the ends of a range, or a term and its extension."""
    if match["y1"]:
        year, month = int(match["y1"]), int(match["m1"])
        if match["d1"]:
            return _at(match, _day(year, month, int(match["d1"])), "day")
        return _at(match, _last_of(year, month), "month")
    if match["y5"]:
        month, number = int(match["m5"]), int(match["d5"])
        # 03/04/2023 is in March or in April: nobody can say.
        day = _day(int(match["y5"]), month, number) if number > 12 or month > 12 else None
        return _at(match, day, "day" if day else "either")
    if match["y6"]:
        return _at(match, _day(2000 + int(match["y6"]), int(match["m6"]), int(match["d6"])), "day", short=True)
    if match["y8"]:
        return _at(match, _day(int(match["y8"]), int(match["m8"]), int(match["d8"])), "day")
    if match["plan"]:
        return _at(match, date(PLANS[match["plan"]], 12, 31), "plan")
    if match["m4"]:
        return _at(match, _end_of_range(match, last), "day", carried=True) if last else None
    years = _year(match, last)
    if years is None:
        return _without_year(match)
    year, carried, short = years
    if short and match["year"] == "内":
        # 10年内 is a term.
        return None
    day, part = _in_year(match, year + bool(match["m0"] and int(match["m0"]) > int(match["m"])))
    if carried and linked and last is not None and day < last:
        # The end of a range, and what a term is extended to, lies behind its beginning.
        day, _ = _in_year(match, year + 1)
    backward = carried and last is not None and day < last
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
    return last.year + (match["ago"] in ("次年", "翌年", "第2年")), True, False


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


def _end_of_range(match: re.Match[str], last: date) -> date:
    """2023.6-12, 2023年6月1日-15日: the end of a range has from its beginning what it leaves out."""
    number = int(match["m4"])
    if match["d9"]:
        return _day(last.year, last.month, number)

    def ending(year: int) -> date:
        return _day(year, number, int(match["d4"])) if match["d4"] else _last_of(year, number)

    day = ending(last.year)
    return day if day >= last else ending(last.year + 1)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Impossible from None


def _last_of(year: int, month: int) -> date:
    if not 1 <= month <= 12:
        raise Impossible
    return date(year, month, monthrange(year, month)[1])
