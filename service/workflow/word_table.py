"""The table of words: what is written in deadline cells instead of a date, and what a clerk makes of it.

Data, read from the top: the first row of which one pattern is found says what the cell means. The patterns meet texts
as `word_spelling.normalise` leaves them: half-width, without spaces, `3日内` for 三日内.
"""

import re
from dataclasses import dataclass

YEAR_MISSING = "year_missing"
EITHER = "either"
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
    "立[行即查知说整督接纠改审巡][立即力]?[行整改纠办治政]?[立即]?改|立[行说查知整督接纠改审巡交学]立[行改纠办整治决政]|立行力改",
    "立[即刻马时]|(?<![建成独设确])立改(?![进革造善])|马上|当场|即刻|即日起?(?:整改|改正|完成)",
    "即[知查行时刻交问督接整发现]{1,2}即?[改办整纠]?|接诉即办|发现即改",
    "现场(?:整改|改正|纠正)",
    "边(?:查|督|学|整|检查|巡|改|审)边(?:改|整改|纠|查|治)",
    "随(?:查|时发现)随(?:改|时)",
    "当[日天](?:整改|改正|完成|办结|内)?$|限当[日天]|同步整改",
)
FOR_EVER = _any(
    "长期|持续|常态|一直坚持|经常化|常抓|长效|长远|坚持不懈|不间断|始终|贯穿|常年|经常性|日常|永久|一以贯之|(?<![规法限约指既确固])定期(?!限)|全周期",
    "[年月周天日度][一二两三四1-9]次",
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


_ENGLISH_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"

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
    _row(ONGOING, "至今|以来|到现在"),
    _row(EITHER, rf"^(?:{_ENGLISH_MONTH}-?\d{{1,2}}|\d{{1,2}}-?{_ENGLISH_MONTH})$"),
    _row(YEAR_MISSING, r"^(?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|[12]\d|3[01])(?:[日号]?(?:之?前|以前)?)$"),
    _row(
        RELATIVE_YEAR,
        "^(?:在|于|到|至|力争|争取|整改[期时]限:?)*[今本当明后次翌来去]年",
        r"(?<!后\d)年[底末内终中初前]|全年|[上下]半年|跨年",
    ),
    _row(
        RELATIVE_MONTH,
        "(?:本|当|这个|次|下个?|上个?)(?:月|周|星期|季度|旬|学期)",
        r"(?<!\d个)月[底末内初中]|周内|[上中下]旬|季度末|学期末",
    ),
    _row(DAY_ONLY, r"^\D{0,4}\d{1,2}[日号](?!内|以内|之内)"),
    _row(
        UNSPECIFIED,
        "[规法限约指既确]定|限[期时]|及时|尽快|尽早|早日|尽速|抓紧|适时|待定|另行|视情|近期|短期|中期|远期|未定|不限|按期|按时|如期",
        "按照?.*(?:要求|时限|计划|方案|节点|进度|时序|期限|安排|时间|通知)",
        "根据.*(?:要求|安排|计划|进度|方案)",
        "时限内|期限内|时间内|以.*为准",
    ),
    _row(
        EVENT,
        "直[至到]",
        "[春夏秋冬]季|暑期|暑假|寒假|汛期|雨季|年关|[今明][冬春]|年[春夏秋冬]",
        "(?:之?前|以前|之?后|以后|期间|时|完毕|为止|之日)[。.;]?$",
        r"后,?\d{1,4}个?(?:工作日|日|天|周|星期|半?月|季度|年)",
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

EVERY = re.compile("每(?:年|季|月|周|半年)")
"""Without a year what follows comes again and again."""

STARTS = re.compile(
    "[份底末初]?(?:起|开始|以来|之?后|以后|启动|开工|之日起"
    "|(?:-|直?至|到)+(?:今|现在|目前|当前|长期|常态|永久|长远|持续|[;,。)]|$))"
)
"""Right behind a date: it says when something begins, not when it ends."""

_ORIGINS = "交办|下发|下达|印发|发文|反馈|通知|检查|发现|移交|转办|受理|登记|收到|接到|接收|接件|签收|送达|派单"
ORIGIN = re.compile(f"[^,;。]{{0,12}}?(?:{_ORIGINS})")
"""Behind a date in a cell with a term: the day from which that counts."""

_WHAT_COMES = "整改|督办|交办|通知|书|单|件|函|令|意见|问题|隐患|报告|方案|文件|任务"
AFTER_ORIGIN = re.compile(f"(?:{_ORIGINS})(?:{_WHAT_COMES})*之?后的?,?$")
"""Right before a term: 签收后5个工作日 counts from the listing, with 内 behind it or without."""

AFTER_EVENT = re.compile("(?<![今此以最])后的?,?$")
"""Right before a term, where it is no origin: 资金到位后3个月内 counts from a day that nobody knows yet."""

COUNTS = re.compile("(?:之日)?(?:起|以?后)(?:的|计算)?,?")
"""Between a day and the term that counts from it."""

AROUND_EVENT = re.compile(
    "的?(?:国庆|中秋|元旦|春节|五一|端午|清明|开学|主?汛|雨季|采暖|供暖|入冬|春耕|第\\d个?(?:周|星期)|最后1?个?(?:周|星期))"
)
"""Right behind a month or a year: which day of it, only a calendar of its own knows."""

DONE = re.compile(
    "已(?:经|于|在|按期|提前|全部|全面|基本)*[^,;。]{0,20}(?:完成|整改|办结|销号|落实|到位|验收|完毕|拆除|关闭|解决)"
)
"""In a clause: the date in it says when something was done."""

DONE_UNLESS_PLANNED = re.compile("(?:完成|销号|办结)(?:时间|日期)|(?:完成|销号|办结|整改)于|完毕$")
PLANNED = re.compile("计划|拟|预计|预期|要求|应|[须需]|限|力争|争取|确保|目标|不[迟晚]于|截[止至]|(?<![提目])前")
"""In a clause: 完成时间：2023年9月 says when something was done; 计划完成时间 says when it is to be, and so does 前."""

EXTENDED = re.compile("延期|延长|顺延|延至|延到|展期|推迟|调整[至到为]|变更[至到为]|(?<!整)改为|宽限")
EXTENDED_BY = re.compile("(?:延期|延长|顺延|推迟|展期|宽限)(?:了|期限?|时间)?")
MOVED = re.compile(r"(?:提前|调整|变更|修改|(?<!整)改)[至到为](?=[\d明次])")
"""What stands behind it counts, though it be earlier."""

OVERDUE = re.compile("逾期|超期|超时|过期|滞后|未按期|到期未")
SAID_DONE = re.compile(
    _any(
        r"\((?:已|全部|基本)?[^()]*(?:完成|销号|办结|整改到位|已整改|已解决|已落实)[^()]*\)",
        "(?:^|[,;。])已(?:经)?(?:完成|销号|办结|整改)",
    )
)
"""Behind a date: what became of it."""
