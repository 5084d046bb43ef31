"""How offices spell days and terms, brought to one spelling: what `word_dates` and `word_table` read."""

import re
import unicodedata

_DIGITS = {**{each: str(index) for index, each in enumerate("〇一二三四五六七八九")}, "零": "0", "○": "0", "0": "0",
           "O": "0", "o": "0", "◯": "0", "两": "2"}  # fmt: skip
_BANKERS = str.maketrans(
    {**dict(zip("壹贰叁肆伍陆柒捌玖拾佰", "一二三四五六七八九十百", strict=True)), "廿": "二十", "卅": "三十"}
)
_NUMERAL = "〇零○◯Oo一二三四五六七八九十百两"
_CIRCLED = re.compile(r"[\u2460-\u24ff\u2776-\u2793]")
_TIME = re.compile(r"(?<=\d)[T\s]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?|(?<=[日号])\s*\d{1,2}(:\d{2}){1,2}")
_OCLOCK = re.compile(r"(?<=[日号])\d{1,2}[时点](?:\d{1,2}分|整)?")
_COUNTED = "年|月|[日号]|个|天|周|星期|小时|季度?|工作日|自然日"
_NUMBER = re.compile(rf"[{_NUMERAL}]+(?=(?:[、至到-]第?[{_NUMERAL}]+)?(?:{_COUNTED}))")
_YEAR_OF_PAPER = re.compile(rf"[{_NUMERAL}0]{{4}}(?=年)")
"""二0二三 as well: a full-width zero is one once the text is half-width."""

MONTHS = {name: at for at, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), start=1)}
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})[a-z]*\.?"
_ENGLISH = tuple(
    re.compile(rf"(?<![a-z\d]){form}(?![a-z\d])", re.IGNORECASE)
    for form in (
        rf"(?P<day>\d{{1,2}})[- ]?{_MONTH}[- ,]*(?P<year>\d{{4}}|\d{{2}})",
        rf"{_MONTH}[- ]*(?P<day>\d{{1,2}})[, ]+(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})-{_MONTH}-(?P<day>\d{{1,2}})",
        rf"{_MONTH}[- ]*(?P<year>\d{{4}})",
    )
)
_LETTERS = re.compile("[A-Za-z]{3}")
_YEAR = r"(?<![\d.])((?:19|20)\d{2})"


_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"(?<=\d)[hH](?=$|[内以之])", "小时"),
        (r"(?<=\d)曰", "日"),
        # 2023-5-6月
        (r"(?<!\d)((?:19|20)\d{2})[./-](\d{1,2})[-至](\d{1,2})月", r"\1年\2月至\3月"),
        # Separators of a date that separate other things elsewhere: 2023、12、31.
        (r"(?<!\d)((?:19|20)\d{2})([、,\\·])(\d{1,2})\2(\d{1,2})(?!\d)", r"\1-\3-\4"),
        # A range of months that are written like numbers.
        (r"(?<!\d)(20\d{2})(0[1-9]|1[0-2])[-至到](20\d{2})(0[1-9]|1[0-2])(?!\d)", r"\1年\2月至\3年\4月"),
        # 2021-2025
        (r"(?<!\d)((?:19|20)\d{2})年?[-至到]((?:19|20)\d{2})(?=$|[,;。)])", r"\1年至\2年"),
        # 2023.7月底 is 2023年7月底.
        (_YEAR + r"[./-](0?[1-9]|1[0-2])(?:月|(?=[上中下]+旬|[底末初]))", r"\1年\2月"),
        # 2023年12, and 2023第四季度, 2023底
        (r"(?<=\d年)(0?[1-9]|1[0-2])(?=$|[前底末,;。)])", r"\1月"),
        (r"岁[末尾]", "年底"),
        (r"(?<=[\d年])[qQ]([1-4])(?!\d)", r"\1季度"),
        (_YEAR + r"(?=第?[1-4]季度|[上下]半年|[底末]|全年)", r"\1年"),
        # Of two thirds of a month the later.
        (r"中上旬", "中旬"),
        (r"[上中]旬?[、至到-]?(?=[中下]旬)", ""),
        (r"(?<=前)([1-4])个季度", r"\1季度"),
    )
)


def normalise(text: str) -> str:
    """Half-width, digits for numerals that count something, no spaces, no times of the day; line breaks as `;`."""
    text = unicodedata.normalize("NFKC", _CIRCLED.sub(";", text)).strip()
    text = re.sub(r"(?<!\d)(\d{4}) +(\d{1,2}) +(\d{1,2})(?!\d)", r"\1-\2-\3", text)
    if _LETTERS.search(text):
        for form in _ENGLISH:
            text = form.sub(_in_english, text)
    text = re.sub(r"\s*[\r\n]+\s*", ";", _TIME.sub("", text))
    text = re.sub(r"(?<=\d)\s+(?=\d)", ";", text)
    text = re.sub(r"\s+", "", text).translate(_BANKERS)
    text = _dashes(text)
    text = _OCLOCK.sub("", _NUMBER.sub(_digits, _YEAR_OF_PAPER.sub(_digits, text)))
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def _dashes(text: str) -> str:
    """One dash for all, but for a long one that joins days which have short ones: 2023-6-30—12-31."""
    text = re.sub(r"[‐‑‒−﹣]", "-", text)
    if re.search(r"\d-\d", text):
        text = re.sub(r"(?<=[\d日号月])(?:[–—―─~～]+|--+)(?=\d)", "至", text)
    return re.sub(r"[-–—―─~～]+", "-", text)


def _in_english(match: re.Match[str]) -> str:
    """31-Dec-2023, as a spreadsheet in English writes it into a CSV."""
    parts = match.groupdict()
    day = f"{parts['day']}日" if parts.get("day") else ""
    return f"{parts['year']}年{MONTHS[parts['month'].lower()]}月{day}"


def _digits(match: re.Match[str]) -> str:
    """十二 is 12, 二十 is 20, 一百二十 is 120, 二〇二三 is 2023; of 七八 before 月 or 天 the later counts."""
    numeral = match[0]
    if "百" in numeral:
        hundreds, _, rest = numeral.partition("百")
        number = _below_hundred(rest.lstrip("零〇"))
        if number is None or len(hundreds) > 1:
            return numeral
        return str(int(_DIGITS.get(hundreds, "1")) * 100 + number)
    if "十" in numeral:
        number = _below_hundred(numeral)
        return numeral if number is None else str(number)
    digits = "".join(_DIGITS.get(each, each) for each in numeral)
    apart = int(digits[1]) - int(digits[0]) if len(digits) == 2 and digits.isdecimal() else 0
    return digits[1] if apart in (1, 2) and digits[0] != "0" and match.string[match.end()] != "年" else digits


def _below_hundred(numeral: str) -> int | None:
    tens, ten, ones = numeral.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return None
    if not ten:
        return int(_DIGITS.get(tens, "0"))
    return int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0"))
