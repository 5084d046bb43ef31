"""Words in the other columns of ledgers: whether something is done, how grave it is, where it comes from. Data."""

import re
import unicodedata
from functools import lru_cache

from service.workflow import word_table
from service.workflow.grid import Number
from service.workflow.states import Severity, SourceKind

_NOISE = re.compile(r"[\s,，。;；、.!！:：()（）“”\"'·]+")
_DONE = re.compile(
    r"(?:该|此|本)?(?:问题|项|任务|事项|整改任务|项目)?(?:目前)?(?:均|都|现)?"
    r"(?:(?:立行立改|立查立改|边查边改|现场|当场)(?=[已己]))?(?:已|己|巳)?(?:经)?"
    r"(?:(?<=[已己经])(?:现场|当场))?(?:按期|按时|如期|提前|全部|全面)*"
    r"(?:闭环|完成|整改|整改完成|完成整改|整改到位|整改完毕|整改落实到位|销号|办结|完结|解决|完成销号|验收销号"
    r"|完成验收销号|整改销号|完成整改销号)"
    r"(?:并|且)?(?:已)?(?:通过)?(?:验收|核查验收|验收合格|核查)?(?:并)?(?:已)?(?:予以|完成)?(?:销号)?"
    r"|是|√|✓|✔|完成|销号|办结|done|closed"
)
_DAY_ALONE = re.compile(r"(?:19|20)\d{2}[-年./]\d{1,2}(?:[-月./](?:\d{1,2}[日号]?)?)?(?:00:00:00)?")
_GOES_ON = re.compile("正在|[未尚暂]|推进|持续|进行中")
_NEGATIVE = frozenset(
    {"否", "未", "未完成", "未销号", "未整改", "未办结", "×", "✗", "x", "没有", "no", "无", "/", "-", "—", "——"}
)
_YES = frozenset(
    re.split(
        r"\s+",
        "是 √ ✓ ✔ 已 已销号 销号 已完成 完成 已办结 办结 已完结 已验收销号 验收销号 完成销号 已完成销号"
        " 同意销号 已核销 核销 1 y yes true",
    )
)


@lru_cache(maxsize=2_000)
def _plain(cell: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", cell)).lower()


def blank(cell: str) -> bool:
    """无, —, /: a mark that says that nothing stands there."""
    return _marked(word_table.NOTHING, cell)


def ditto(cell: str) -> bool:
    """同上, 〃."""
    return _marked(word_table.SAME, cell)


@lru_cache(maxsize=4_000)
def _marked(mark: re.Pattern[str], cell: str) -> bool:
    # What is longer says something.
    return len(cell) < 20 and bool(mark.fullmatch(_spaceless(cell)))


def day_alone(cell: str) -> bool:
    """Whether a cell says a day and nothing else: in the column 是否销号 that says yes."""
    return bool(cell) and (isinstance(cell, Number) or bool(_DAY_ALONE.fullmatch(_spaceless(cell))))


def _spaceless(cell: str) -> str:
    return "".join(unicodedata.normalize("NFKC", cell).split())


def struck_off(cell: str) -> bool | None:
    """What the column 是否销号 says; None where it says neither yes nor no."""
    plain = _plain(cell) if cell else ""
    if plain in _YES:
        return True
    return False if plain in _NEGATIVE else None


def done(status: str) -> bool:
    """Whether a status says that all is done, and nothing else: 基本完成 does not, nor does 具备销号条件."""
    return bool(status and _DONE.fullmatch(_plain(status)))


def goes_on(status: str) -> bool:
    """Whether a status says that something is still to be done: 正在整改, 尚未完成."""
    return bool(_GOES_ON.search(status))


def says_no(cell: str) -> bool:
    """否, 未完成, a dash: what a form has in its cells before anybody writes there."""
    return _plain(cell) in _NEGATIVE


def bare(status: str) -> bool:
    """Whether a status is a mere yes or no, which is no report of progress."""
    plain = _plain(status)
    return not plain or plain in _YES or plain in _NEGATIVE


_GRAVITY = {
    Severity.GENERAL: "一般 一般隐患 一般问题 较小 轻微 低 低风险 一般风险 general",
    Severity.SERIOUS: "较大 较重 严重 中 较大隐患 较大风险 严重问题 较重问题 serious",
    Severity.CRITICAL: "重大 特大 特别重大 重大隐患 重大问题 重大风险 特别严重 高 高风险 重大火灾隐患 critical",
}
SEVERITIES = {word: severity for severity, words in _GRAVITY.items() for word in words.split()}

SOURCES: tuple[tuple[str, SourceKind], ...] = (
    ("审计", SourceKind.AUDIT),
    ("自查|自检|自纠", SourceKind.SELF_CHECK),
    ("信访|投诉|12345|热线|举报|来信|来访", SourceKind.PETITION),
    ("媒体|曝光|舆情|网络|电视问政", SourceKind.MEDIA),
    ("考核|评估|测评|考评", SourceKind.ASSESSMENT),
    ("会议|座谈|研讨|调研", SourceKind.MEETING),
    ("意见|建议|群众|走访|反映", SourceKind.OPINION),
    ("督察|督查|巡察|巡视|检查|抽查|暗访|排查|检测|监督|反馈|回头看", SourceKind.INSPECTION),
)
"""From the top: the first whose words are found."""


def severity(cell: str) -> str | None:
    found = SEVERITIES.get(_plain(cell)) if cell else None
    return found.value if found else None


@lru_cache(maxsize=2_000)
def source_kind(cell: str) -> str:
    for pattern, kind in SOURCES:
        if re.search(pattern, cell):
            return kind.value
    return SourceKind.OTHER.value
