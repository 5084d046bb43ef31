"""The table of words: what is written in deadline cells instead of a date, and what a clerk makes of it.

Data, read from the top: the first row of which one pattern is found says what the cell means. The patterns meet texts
as `word_dates.normalise` leaves them: half-width, without spaces, `3日内` for 三日内.
"""

import re
from dataclasses import dataclass

BLANK_MARK = "blank_mark"
DITTO = "ditto"
RELATIVE = "relative"
IMMEDIATE_STANDING = "immediate+long_term"
IMMEDIATE = "immediate"
ONGOING = "ongoing_from"
STANDING = "long_term"
RELATIVE_YEAR = "relative_year"
RELATIVE_MONTH = "relative_month"
DAY_ONLY = "day_only"
UNSPECIFIED = "unspecified"
STATUS = "status_in_cell"
EVENT = "event"
MEASURE = "measure_in_cell"


def _any(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


AT_ONCE = _any(
    "立[行即查知说整督接][立即]?[行整改纠办]?[立即]?改",
    "立即|立改|马上|当场|即日起?(?:整改|改正|完成)",
    "即[知查行时刻交问督接整发现]{1,2}即?[改办整]?",
    "现场(?:整改|改正)",
    "边(?:查|督|学|整|检查)边(?:改|整改)",
    "随(?:查|时发现)随(?:改|时)",
    "当[日天](?:整改|改正|完成|办结|内)?$|限当[日天]|同步整改",
)
FOR_EVER = _any(
    "长期|持续|常态|常抓|长效|长远|坚持不懈|不间断|始终|贯穿|常年|经常性|日常|永久|一以贯之|定期|全周期",
    "每(?:年|季度?|月|周|星期|天|日|半年|学期)",
    "(?:不断|逐步|继续|稳步)(?:推进|完善|提升|巩固|加强|整改|规范)",
    "巩固(?:提升|成效|成果)",
)


@dataclass(frozen=True, slots=True)
class Row:
    """`meaning` is what the text of a cell is taken for where `pattern` is found in it."""

    meaning: str
    pattern: re.Pattern[str]


def _row(meaning: str, *patterns: str) -> Row:
    return Row(meaning, re.compile(_any(*patterns)))


NOTHING = re.compile(
    r"^(?:[-/\\|_=*×xX.,。、·…?#~\u2010-\u2015\u2212\u2500]+"
    r"|(?:无|空|暂无|没有|无期限|无时限|不涉及|未填|不详|NA|#?N/A|null|None|none|nil)[。.]?)$"
)
"""A cell that was filled so as not to be blank."""

SAME = re.compile('^(?:同上|同前|同左|如上|上同|同上行|同上一行|[〃″"“”〞]+)[。.]?$')
"""A cell that says what the one above it says."""

WORDS: tuple[Row, ...] = (
    Row(BLANK_MARK, NOTHING),
    Row(DITTO, SAME),
    _row(IMMEDIATE_STANDING, f"{AT_ONCE}.*{FOR_EVER}", f"{FOR_EVER}.*{AT_ONCE}"),
    _row(IMMEDIATE, AT_ONCE),
    _row(STANDING, FOR_EVER),
    _row(
        RELATIVE_YEAR,
        "^(?:在|于|到|至|力争|争取|整改[期时]限:?)*[今本当明后次翌来去]年",
        "年[底末内终中初前]|全年|[上下]半年|跨年",
    ),
    _row(
        RELATIVE_MONTH,
        "(?:本|当|这个|次|下个?|上个?)(?:月|周|星期|季度|旬|学期)",
        "月[底末内初中]|周内|[上中下]旬|季度末|学期末",
    ),
    _row(DAY_ONLY, r"^\D{0,4}\d{1,2}[日号](?!内|以内|之内)"),
    _row(
        UNSPECIFIED,
        "规定|限[期时]|及时|尽快|尽早|早日|尽速|抓紧|适时|待定|另行|视情|近期|短期|中期|远期|未定|不限|按期|按时|如期",
        "按照?.*(?:要求|时限|计划|方案|节点|进度|时序|期限|安排|时间|通知)",
        "根据.*(?:要求|安排|计划|进度|方案)",
        "时限内|期限内|时间内|以.*为准",
    ),
    _row(
        EVENT,
        "直[至到]",
        "(?:之?前|以前|之?后|以后|期间|时|完毕|为止|之日)[。.;]?$",
        "(?:复审|验收|考核|汛期|节|开学|检查|督察|暗访|巡察|会议|雨季|采暖|供暖|开工|竣工).{0,6}[前后]",
    ),
    _row(
        STATUS,
        "^(?:该|此|本)?(?:问题|项)?(?:已|未|正在|基本|全部|部分)",
        "停业|停产|关闭|关停|注销|查封|拆除|搬迁|取缔|销号|办结|完结|完成|整改到位",
        "进行中|整改中|推进中|尚未|逾期|超期|验收",
    ),
)
"""What no row of the table knows is taken for a measure that slipped into the wrong column."""

THIS_YEAR = re.compile("[今本当明后次翌来去]年")
"""A year that only whoever wrote it knows."""

STARTS = re.compile("[份底末初]?(?:起|开始|以来|之?后|以后|启动|开工)")
"""Right behind a date: it says when something begins, not when it ends."""

DONE = re.compile(
    _any(
        "已(?:经|于|在|按期|提前|全部|全面|基本)*[^,;。]{0,20}"
        "(?:完成|整改|办结|销号|落实|到位|验收|完毕|拆除|关闭|解决)",
        "(?:完成|销号|办结|整改)(?:时间|日期|于)",
        "(?:整改|验收)?完毕$",
    )
)
"""In a clause: the date in it says when something was done."""

EXTENDED = re.compile("延期|延长|顺延|延至|延到|展期|推迟|调整[至到为]|变更[至到为]|改为|宽限")
OVERDUE = re.compile("逾期|超期|超时|过期|滞后|未按期|到期未")
SAID_DONE = re.compile(
    _any(
        r"\((?:已|全部|基本)?[^()]*(?:完成|销号|办结|整改到位)[^()]*\)",
        "(?:^|[,;。])已(?:经)?(?:完成|销号|办结|整改)",
    )
)
"""Behind a date: what became of it."""
