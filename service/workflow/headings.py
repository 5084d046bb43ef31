"""What the columns of ledgers are called: data. A ledger that is read amiss is mended by a line here.

A heading is met without blanks, line breaks, brackets and what stands in them (`normalised`). First the whole heading
is looked up among NAMES, then the PATTERNS are tried from the top.
"""

import re
import unicodedata
from enum import StrEnum


class Field(StrEnum):
    """What a column holds. `problem`, `unit` and `deadline` are what a ledger is known by."""

    SOURCE_NO = "source_no"
    PROBLEM = "problem"
    TITLE = "title"
    GOAL = "goal"
    MEASURES = "measures"
    LEAD_UNIT = "lead_unit"
    UNIT = "unit"
    CO_UNITS = "co_units"
    SUPERVISING = "supervising"
    ACCEPTING = "accepting"
    PERSON = "person"
    DEADLINE = "deadline"
    STATUS = "status"
    STRUCK_OFF = "struck_off"
    CLOSED_ON = "closed_on"
    FOUND_ON = "found_on"
    LISTED_ON = "listed_on"
    CATEGORY = "category"
    SEVERITY = "severity"
    SOURCE = "source"
    CONTACT = "contact"
    PLACE = "place"
    REMARK = "remark"


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


NAMES: dict[Field, tuple[str, ...]] = {
    Field.SOURCE_NO: _names("序号 编号 序 号 项目编号 问题编号 任务编号 问题序号 整改序号 隐患编号 No NO"),
    Field.PROBLEM: _names(
        "问题 反馈问题 存在问题 存在的问题 问题表述 问题描述 问题内容 具体问题 主要问题 问题清单 问题隐患 隐患 "
        "隐患描述 隐患内容 隐患问题 存在隐患 安全隐患 火灾隐患 整改任务 整改事项 整改内容 反馈意见 发现问题 "
        "发现的问题 检查发现问题 督察发现问题 突出问题 存在主要问题 存在的主要问题 问题表现 具体表现 问题及表现 "
        "查摆问题 任务内容 工作任务 审计发现问题 巡察反馈问题 信访问题 诉求内容 反映问题 problem description"
    ),
    Field.TITLE: _names("问题标题 问题名称 隐患名称 问题概要 标题 事项名称 title"),
    Field.GOAL: _names("整改目标 目标 整改要求 整改标准 目标要求 工作目标 预期目标 goal"),
    Field.MEASURES: _names(
        "整改措施 措施 具体措施 主要措施 整改举措 整改方案 督办措施 治理措施 工作措施 整改具体措施 处理措施 "
        "整改建议 整改意见 防范措施 解决措施 整改办法 measures"
    ),
    Field.LEAD_UNIT: _names("牵头单位 牵头部门 牵头责任单位 整改牵头单位 主办单位 主责单位 第一责任单位 牵头"),
    Field.UNIT: _names(
        "责任单位 整改责任单位 责任部门 责任主体 整改实施主体 整改主体 整改单位 承办单位 实施主体 实施单位 "
        "隐患单位 责任科室 责任地区 责任单位及部门 单位名称 被检查单位 受检单位 单位 场所名称 企业名称 责任乡镇 "
        "责任村 所属单位 落实单位 责任分工 责任 unit responsible_unit"
    ),
    Field.CO_UNITS: _names("配合单位 协办单位 配合部门 协助单位 责任配合单位 参与单位 协同单位 会办单位 配合 co_units"),
    Field.SUPERVISING: _names(
        "督办单位 督导单位 监管单位 督促单位 主管部门 主管单位 行业主管部门 监管部门 挂牌督办单位 督察单位"
    ),
    Field.ACCEPTING: _names("验收单位 销号单位 验收部门 核查单位 核验单位 验收销号单位"),
    Field.PERSON: _names(
        "责任人 责任领导 整改责任人 直接责任人 具体责任人 包抓领导 责任人员 分管领导 牵头领导 负责人 第一责任人 "
        "包保责任人 整改责任领导 经办人 person"
    ),
    Field.DEADLINE: _names(
        "整改时限 完成时限 整改期限 时限 期限 完成期限 整改完成时限 限期 时限要求 整改时间 办理时限 办结时限 "
        "计划完成时间 拟完成时间 要求完成时间 预计完成时间 整改完成期限 治理期限 时间节点 完成时间节点 截止日期 "
        "截止时间 到期日期 deadline due_on"
    ),
    Field.STATUS: _names(
        "完成情况 整改进展 整改情况 进展情况 完成状态 整改状态 整改完成情况 落实情况 办理情况 进展 状态 整改结果 "
        "整改落实情况 目前进展 当前进展 工作进展 整改进度 进度 办理结果 整改成效 是否完成 是否整改 是否完成整改 "
        "是否整改完成 status"
    ),
    Field.STRUCK_OFF: _names(
        "是否销号 销号情况 销号 是否已销号 销号状态 是否办结 是否验收销号 是否完成销号 是否完成验收销号"
    ),
    Field.CLOSED_ON: _names(
        "销号时间 销号日期 办结时间 实际完成时间 验收时间 完成销号时间 办结日期 整改完成时间 完成时间 完成日期"
    ),
    Field.FOUND_ON: _names("发现时间 检查时间 发现日期 检查日期 反馈时间 督察时间 反馈日期 found_on"),
    Field.LISTED_ON: _names(
        "登记日期 登记时间 交办时间 交办日期 列入时间 建账时间 下发时间 下达时间 挂牌时间 入账时间 listed_on"
    ),
    Field.CATEGORY: _names("问题类别 类别 问题类型 类型 隐患类别 隐患类型 问题分类 分类 领域 category"),
    Field.SEVERITY: _names("严重程度 隐患等级 隐患级别 问题等级 等级 风险等级 问题级别 severity"),
    Field.SOURCE: _names("问题来源 来源 反馈来源 线索来源 任务来源 检查名称 文号 来文 来源渠道 source"),
    Field.CONTACT: _names("反映人 信访人 投诉人 举报人 来访人 诉求人 联系方式 联系电话 反映人电话"),
    Field.PLACE: _names("地点 地址 位置 点位 问题地点 隐患部位 具体位置 检查地点 部位 所在地"),
    Field.REMARK: _names("备注 说明 备考 注 remark"),
}
"""The first of the names of a field are the surest: of two columns with the same meaning that one counts."""

PATTERNS: tuple[tuple[Field, str], ...] = (
    (Field.STRUCK_OFF, ".*是否.*(?:销号|办结).*|.*销号(?:情况|状态|与否|结果)"),
    (Field.CLOSED_ON, ".*(?:销号|办结|实际完成|验收)(?:时间|日期)"),
    (
        Field.DEADLINE,
        ".*(?:时限|期限|限期|截止).*"
        "|.*(?:计划|拟|预计|要求|承诺|应)(?:整改|完成|办结)*(?:完成|办结|整改)(?:时间|日期|时点)",
    ),
    (Field.MEASURES, ".*(?:措施|举措)(?:及.*)?"),
    (
        Field.STATUS,
        ".*(?:进展|完成|落实|整改|办理|推进|进度)(?:的)?(?:情况|状态|状况|结果|程度|成效|进展|进度|与否)(?:说明|"
        "及成效)?"
        "|(?:完成|整改)率"
        "|是否(?:已)?(?:完成|整改).*",
    ),
    (Field.CO_UNITS, ".*(?:配合|协办|协助|协同|参与|联办|会办)(?:责任)?(?:单位|部门|科室).*"),
    (Field.LEAD_UNIT, ".*(?:牵头|主办|主责)(?:责任)?(?:单位|部门|科室|主体).*"),
    (Field.ACCEPTING, ".*(?:验收|核查|核验|销号)(?:单位|部门|主体).*"),
    (Field.SUPERVISING, ".*(?:督办|督导|督察|监管|监督|主管|指导|包抓|督查)(?:责任)?(?:单位|部门).*"),
    (
        Field.PERSON,
        ".*(?:责任|包抓|包保|分管|牵头|主要|负责|督办|整改|联系)(?:的)?(?:人|领导|人员|干部|县领导|市领导|"
        "同志)(?:及职务|姓名)?",
    ),
    (
        Field.UNIT,
        ".*(?:责任|承办|实施|整改|落实|隐患|涉及|被查|受检|被检查|存在问题|问题|所属)的?(?:单位|部门|主体|地区|"
        "科室|乡镇|镇街|村|企业|场所)(?:名称)?",
    ),
    (Field.CATEGORY, ".*(?:问题|隐患|任务|事项)?(?:类别|类型|分类)"),
    (Field.SEVERITY, ".*(?:等级|级别|严重程度)"),
    (Field.FOUND_ON, ".*(?:发现|检查|督察|巡察|反馈|审计)(?:的)?(?:问题)?(?:时间|日期)"),
    (Field.LISTED_ON, ".*(?:登记|交办|列入|挂牌|下发|下达|移交|转办|立案|建账)(?:的)?(?:时间|日期)"),
    (Field.GOAL, ".*整改(?:的)?(?:目标|要求|标准)|.*目标(?:任务)?"),
    (Field.SOURCE, ".*(?:来源|文号)"),
    (Field.PLACE, ".*(?:地点|地址|部位|位置)"),
    (Field.SOURCE_NO, ".*(?:序号|编号)"),
    (Field.TITLE, "(?:问题|隐患|事项)(?:标题|名称|概述|概要)"),
    (
        Field.PROBLEM,
        ".*(?:问题|隐患)(?:的)?(?:描述|内容|表述|情况|清单|事项|点|具体表现|表现|概况|摘要|详情|及.*)?"
        "|.*(?:整改|反馈|督办|任务)(?:任务|事项|内容|意见|问题)",
    ),
    (Field.REMARK, "(?:备注|说明).*"),
)

GENERAL = frozenset(_names("单位 部门 姓名 名称 时间 日期 情况 内容 职务 电话 说明 人员 领导 状态 描述 类别"))
"""Headings that mean something only together with the one above them."""

NOT_KEPT = frozenset(_names("工作表 行号 退回原因 Sheet Row Whyrefused"))
"""Columns that a workbook of refused rows has beside those of the ledger."""

_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_NOISE = re.compile(r"[\s*＊:：、,，。.·/\\_\u200b-\u200d\ufeff\-—]+")

_EXACT = {name: field for field, names in NAMES.items() for name in names}
_PATTERNS = tuple((field, re.compile(pattern)) for field, pattern in PATTERNS)
_RANKS = {name: rank for names in NAMES.values() for rank, name in enumerate(names)}

UNRANKED = 1_000
MAX_PATTERN = 16
"""Characters of a heading that a pattern may meet: what is longer is a sentence about a problem."""


def normalised(heading: str) -> str:
    """The words of a heading: half-width, without blanks, punctuation and what stands in brackets."""
    plain = unicodedata.normalize("NFKC", heading)
    return _NOISE.sub("", _BRACKETS.sub("", plain)) or _NOISE.sub("", plain)


def field_of(path: tuple[str, ...]) -> tuple[Field, int] | None:
    """What a column holds, by its headings from the top down, and how sure that is: 0 is surest."""
    words = [each for each in map(normalised, path) if each]
    if not words:
        return None
    own, above = words[-1], "".join(words[:-1])
    if own in GENERAL and above:
        # 责任分工 / 单位 is the responsible unit, 验收 / 单位 is not.
        candidates = [above + own, above, own]
    else:
        candidates = [own, *([above + own, above] if above else [])]
    for candidate in candidates:
        if candidate in _EXACT:
            return _EXACT[candidate], _RANKS[candidate]
        if len(candidate) <= MAX_PATTERN:
            for field, pattern in _PATTERNS:
                if pattern.fullmatch(candidate):
                    return field, UNRANKED
    return None


def called_plainly(path: tuple[str, ...]) -> bool:
    """Whether a column bears one of the NAMES."""
    return bool(path) and normalised(path[-1]) in _EXACT
