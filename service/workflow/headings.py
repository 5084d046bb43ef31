"""What the columns of ledgers are called: data. A ledger that is read amiss is mended by a line here.

A heading is met without blanks, line breaks, the number before it, brackets and what stands in them, unless that says
whose or when (`normalised`). First the whole heading is looked up among NAMES, then the PATTERNS are tried from the
top.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache


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
        "查摆问题 任务内容 工作任务 审计发现问题 巡察反馈问题 信访问题 诉求内容 反映问题 重点任务 督查内容 检查内容 "
        "意见建议 意见和建议 建议内容 提案内容 案由 重点工作 不符合项 problem description"
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
        "责任村 所属单位 落实单位 责任分工 责任股室 责任街道 所在乡镇 检查对象 受检查单位 责任 部门 镇街 乡镇 "
        "街道 社区 学校 学校名称 企业 科室 处室 "
        "unit responsible_unit"
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
        "截止时间 到期日期 到期日 时间要求 完成节点 整改节点 deadline due_on"
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
        "销号时间 销号日期 办结时间 实际完成时间 验收时间 完成销号时间 办结日期 整改完成时间 整改完成日期 "
        "完成整改时间 完成时间 完成日期 整改日期"
    ),
    Field.FOUND_ON: _names("发现时间 检查时间 发现日期 检查日期 反馈时间 督察时间 反馈日期 found_on"),
    Field.LISTED_ON: _names(
        "登记日期 登记时间 交办时间 交办日期 列入时间 建账时间 下发时间 下达时间 挂牌时间 入账时间 listed_on"
    ),
    Field.CATEGORY: _names("问题类别 类别 问题类型 类型 隐患类别 隐患类型 问题分类 分类 领域 category"),
    Field.SEVERITY: _names("严重程度 隐患等级 隐患级别 问题等级 等级 风险等级 问题级别 severity"),
    Field.SOURCE: _names("问题来源 来源 反馈来源 线索来源 任务来源 检查名称 文号 来文 来源渠道 source"),
    Field.CONTACT: _names("反映人 信访人 投诉人 举报人 来访人 诉求人 联系方式 联系电话"),
    Field.PLACE: _names("地点 地址 位置 点位 问题地点 隐患部位 具体位置 检查地点 部位 所在地"),
    Field.REMARK: _names("备注 说明 备考 注 remark"),
}
"""The first of the names of a field are the surest: of two columns with the same meaning that one counts."""

_DONE = "(?:整改|完成|办结|销号|验收|整治|治理|解决|办理|限改)"
_DAY = "(?:时间|日期|时点|节点)"
_BODY = "(?:单位|部门|科室|股室|处室|党组织|党支部|支部|主体)"
_STATE = "(?:情况|状态|状况|结果|程度|成效|进展|进度|与否)(?:说明|及成效)?"
_OVER = "(?:完成|整改|闭环|化解|解决|到位)"
_YES_OR_NO = f"(?:整改|问题|隐患|目前)?是否(?:已)?(?:经)?{_OVER}.*|(?:整改|问题|隐患)是否{_OVER}.*"

PATTERNS: tuple[tuple[Field, str], ...] = (
    (
        Field.CONTACT,
        "(?!被).*(?:举报|投诉|信访|来访|反映|诉求|上访|来电|来信|求助|申诉)(?:联系)?(?:人|者|群众)"
        "(?!.*(?:诉求|问题|内容|事项|情况|事由|意见|满意|是否|答复)).*"
        "|.*(?:举报|投诉|信访|来访|反映|诉求|来电)(?:电话|号码|手机|联系方式).*",
    ),
    (
        Field.UNIT,
        ".*被(?:挂牌)?(?:督办|督查|督导|督察|检查|抽查|巡察|审计|考核|监管|投诉|举报|反映)(?:责任)?"
        f"(?:{_BODY}|地区|乡镇|镇街|对象|企业|场所)(?:名称)?",
    ),
    (Field.STRUCK_OFF, ".*是否.*(?:销号|销案|办结).*|.*(?:销号|销案)(?:情况|状态|与否|结果)"),
    (
        Field.DEADLINE,
        f".*(?:时限|期限|限期|截止|时间节点|时间要求).*|.*限[改办]{_DAY}|到期(?:时间|日期?)"
        f"|.*(?:计划|拟定?|预[计期定]|要求|承诺|应|规定|期望|目标|最晚|最迟|责令){_DONE}+{_DAY}",
    ),
    (Field.CLOSED_ON, f".*(?:销号|销案|办结|验收){_DAY}|.*实际{_DONE}*{_DAY}"),
    (Field.MEASURES, ".*(?:措施|举措)(?:及.*)?"),
    (
        Field.STATUS,
        f".*(?:进展|完成|落实|整改|办理|推进|进度)(?:的)?{_STATE}|.*进展|(?:完成|整改)率|{_YES_OR_NO}",
    ),
    (
        Field.STATUS,
        f"(?!.*(?:人员?|案件|[问追]责|处罚)).*(?:处理|处置|化解|解决|闭环|整改效果)(?:的)?{_STATE}",
    ),
    (Field.STATUS, f".*(?:复查|验收|核查)(?:的)?{_STATE}|(?:问题|隐患|事项|工单|目前)状态"),
    (Field.ACCEPTING, f"(?:验收|销号|核查|核验)+(?:牵头|主办|责任)*{_BODY}.*"),
    (Field.SUPERVISING, f"(?:督导|督办|督查|监管|监督)(?:牵头|主办|责任)*{_BODY}.*"),
    (Field.CO_UNITS, f".*(?:配合|协办|协助|协同|参与|联办|会办)(?:责任|整改|落实)?{_BODY}.*"),
    (Field.LEAD_UNIT, f".*(?:牵头|主办|主责)(?:责任|整改|落实)?{_BODY}.*"),
    (Field.ACCEPTING, f".*(?:验收|核查|核验|销号){_BODY}.*"),
    (Field.SUPERVISING, ".*(?:督办|督导|督察|监管|监督|主管|指导|包抓|督查)(?:责任)?(?:单位|部门).*"),
    (
        Field.UNIT,
        f"(?:.*(?:责任|整改|承办|实施|落实))?{_BODY}[及和与或]其?(?:责任|负责|整改|主要|直接|分管|包抓)*(?:人|人员|领导)"
        f"|.*(?:责任|整改|承办|实施|落实){_BODY}责任(?:人|人员|领导)",
    ),
    (
        Field.PERSON,
        ".*(?:责任|包抓|包保|包案|包联|挂点|挂联|分管|牵头|主要|负责|督办|整改|联系|承办|办理|[县市]级)(?:的)?(?:人|领导|人员|干部|县领导|市领导|"
        "同志)(?:[及和](?:职务|电话|联系电话|联系方式)+|姓名)?",
    ),
    (
        Field.UNIT,
        ".*(?:责任|承办|办理|处置|实施|整改|落实|隐患|涉及|被查|受检查?|生产经营|存在问题|问题|所属|所在)的?"
        f"(?:{_BODY}|地区|乡镇|镇街|街道|社区|村|企业|场所)(?:名称)?",
    ),
    (Field.CATEGORY, ".*(?:问题|隐患|任务|事项)?(?:类别|类型|分类)"),
    (Field.SEVERITY, ".*(?:等级|级别|严重程度)"),
    (Field.FOUND_ON, f".*(?:发现|检查|督察|督查|巡察|巡查|排查|抽查|暗访|反馈|审计|来电|来件)(?:的)?(?:问题)?{_DAY}"),
    (
        Field.LISTED_ON,
        f".*(?:登记|交办|列入|挂牌|下发|下达|移交|转办|立案|建账|受理|派单|派发|推送)(?:的)?{_DAY}",
    ),
    (Field.GOAL, ".*整改(?:的)?(?:目标|要求|标准)|.*目标(?:任务)?"),
    (Field.SOURCE, ".*(?:来源|文号)"),
    (Field.PLACE, ".*(?:地点|地址|部位|位置)"),
    (Field.SOURCE_NO, ".*(?:序号|编号)"),
    (Field.TITLE, "(?:问题|隐患|事项)(?:标题|名称|概述|概要)"),
    (
        Field.PROBLEM,
        ".*(?:问题|隐患)(?:的)?(?:描述|内容|表述|(?:基本|具体|详细|简要)?情况|清单|事项|点|具体表现|表现|概况|摘要|详情|简述|详述|要点|现状|"
        "(?:及|和|与|以及).*|不足)?"
        "|.*(?:整改|反馈|督办|任务|信访|投诉|举报|反映)(?:任务|事项|内容|意见|问题|诉求)"
        "|.*(?:交办|督查|督办|议定|批示|工作|任务|工单|诉求|承诺|违[法规纪])(?:任务|事项|内容|名称|事实|行为|描述)"
        "|.*(?:不符合项|不合格项|风险点?|缺陷)(?:描述|内容|情况)",
    ),
    (Field.REMARK, "(?:备注|说明).*"),
)

GENERAL = frozenset(_names("单位 部门 姓名 名称 时间 日期 情况 内容 说明 人员 领导 状态 描述 类别"))
"""Headings that mean something only together with the one above them."""

OF_PROBLEMS = re.compile(
    r"问\s*题|隐\s*患|任\s*务|事\s*项|内\s*容|意\s*见|表\s*现|标\s*题|建\s*议|案\s*由|诉\s*求|工\s*[单作]|违\s*[法规纪]"
    r"|不\s*[符合]|风\s*险|缺\s*陷|problem|description|title",
    re.IGNORECASE,
)
"""What is found in every heading of a column of problems: rows without it are told at a glance."""

OF_A_TIME = re.compile(
    r"(?:\d{4}年)?(?:\d{1,2}月份?|\d季度)?(?:工作|整改|目前|进展|完成|落实|推进|办理|计划|任务|目标)\D{0,12}"
)
"""9月进展情况, 2023年工作进展: headings though they begin with a digit."""

FILLED_IN = re.compile(r"[^(（\[【:：]+(?:[(（][^()（）:：]*[)）])?[:：]\s*[^\s:：]")
"""填报单位（盖章）：县水利局 is no heading, 存在问题： is one."""

NO_FIELD = re.compile(r".*(?:开始|起始|启动|开工)(?:时间|日期)?|起|.*(?:总数|数量|个数|件数|条数|项数|处数)")
"""When something begins, and how many there are: what no item has, whatever stands above it."""

ASKED = re.compile("是否|有无|能否|与否")
"""是否重大隐患 is no problem: what says yes or no names nothing."""

EITHER_DAY = frozenset(_names("整改完成时间 整改完成日期 完成整改时间 完成时间 完成日期 整改日期"))
"""When it is to be done, unless the ledger says that beside it: then when it was."""

YES_OR_NO = re.compile(f"(?:目前|当前)?(?:完成|整改|办理|办结)?(?:状态|与否)|{_YES_OR_NO}")
"""Of several columns about the status those that say no more than whether it is done."""

REACHED_AT = re.compile("(?:联系)?(?:电话|方式|手机)(?:号码)?|手机号|联系人(?:电话|方式)")
"""How to reach somebody: whom, says the column to the left."""

NOT_KEPT = frozenset(_names("工作表 行号 退回原因 Sheet Row Whyrefused"))
"""Columns that a workbook of refused rows has beside those of the ledger."""

_BRACKETS = re.compile(r"[(（\[【](.*?)[)）\]】]")
_COUNTED_IN = re.compile(r"[(（\[【]\s*(?:单位[:：])?\s*(天|日|个?工作日|自然日|个月|小时|周)\s*[)）\]】]$")
_COUNTED = re.compile(r"[(（\[【]\s*(?:单位[:：])?\s*(?:个|件|项|处|条|数|宗|起|家|户|%|％)\s*[)）\]】]")
_ROLE = re.compile("(牵头|主办|主责|配合|协办|协助|协同|参与|会办|计划|拟|预计|要求|应|实际)(?:单位|部门|完成)?")
_NUMBERED = re.compile(r"\d{1,2}[.、．](?=\D)|[一二三四五六七八九十]{1,3}、")
_NOISE = re.compile(r"[\s*＊:：、,，。.·/\\_\u200b-\u200d\ufeff\-—]+")

_EXACT = {name: field for field, names in NAMES.items() for name in names}
_PATTERNS = tuple((field, re.compile(pattern), at) for at, (field, pattern) in enumerate(PATTERNS))
_RANKS = {name: rank for names in NAMES.values() for rank, name in enumerate(names)}
_COUNTABLE = frozenset({Field.PROBLEM, Field.TITLE, Field.MEASURES})
_NAMING = _COUNTABLE | {Field.UNIT, Field.LEAD_UNIT, Field.CO_UNITS, Field.PERSON}

UNRANKED = 1_000
"""A column that is known by a pattern: of two the one whose pattern stands before the other's is surer."""

INHERITED = 2_000
"""A column that is known by the heading above it alone: one that is known by its own comes before it."""

MAX_PATTERN = 24
"""Characters of a heading that a pattern may meet: what is longer is a sentence about a problem."""


@lru_cache(maxsize=2_000)
def normalised(heading: str) -> str:
    """The words of a heading: half-width, without blanks, punctuation, a number before it and what stands in brackets.

    What the brackets of 责任单位（牵头） and 完成时间（计划） say stands before: 牵头责任单位, 计划完成时间.
    """
    plain = unicodedata.normalize("NFKC", heading).strip()
    if number := _NUMBERED.match(plain):
        plain = plain[number.end() :]
    roles = "".join(role[1] for word in _BRACKETS.findall(plain) if (role := _ROLE.fullmatch(word.strip())))
    bare = _NOISE.sub("", _BRACKETS.sub("", plain))
    return roles + bare if bare else _NOISE.sub("", plain)


def field_of(path: tuple[str, ...]) -> tuple[Field, int] | None:
    """What a column holds, by its headings from the top down, and how sure that is: 0 is surest."""
    words = [each for each in map(normalised, path) if each]
    if not words or NO_FIELD.fullmatch(words[-1]):
        return None
    own, above = words[-1], "".join(words[:-1])
    parent = _known(above)
    if parent is not None and parent[0] == Field.CONTACT:
        # Name, number and address of who complained are all for few eyes.
        return Field.CONTACT, UNRANKED
    if parent is not None and parent[0] == Field.DEADLINE and own in EITHER_DAY:
        return Field.DEADLINE, 0
    if parent is not None and REACHED_AT.fullmatch(own):
        return parent[0], INHERITED
    for candidate in _candidates(own, above):
        if (known := _known(candidate)) is not None:
            # 反馈问题（个） is how many there are.
            return None if known[0] in _COUNTABLE and _COUNTED.search(path[-1]) else known
    return (parent[0], INHERITED) if parent is not None else None


def _candidates(own: str, above: str) -> tuple[str, ...]:
    if not above:
        return (own,)
    if _ROLE.fullmatch(own):
        # 责任单位 / 协办 is one that helps, 完成时间 / 计划 is when it is to be done.
        return own + above, above + own, own
    if own in GENERAL:
        # 责任分工 / 单位 is the responsible unit, 验收 / 单位 is not.
        return above + own, above if above in _EXACT else own, own
    return own, above + own


def _known(words: str) -> tuple[Field, int] | None:
    if words in _EXACT:
        return _EXACT[words], _RANKS[words]
    if not words or len(words) > MAX_PATTERN:
        return None
    known = next(((field, UNRANKED + at) for field, pattern, at in _PATTERNS if pattern.fullmatch(words)), None)
    return None if known is None or (known[0] in _NAMING and ASKED.search(words)) else known


def counted_in(heading: str) -> str | None:
    """In what a heading says that its numbers count: 天 of 整改期限（天）."""
    found = _COUNTED_IN.search(heading.strip())
    return found[1] if found else None


def without_digits(words: str) -> str:
    """A heading without which month or year it is about."""
    return re.sub(r"\d+", "", words)


def called_plainly(path: tuple[str, ...]) -> bool:
    """Whether a column bears one of the NAMES."""
    return bool(path) and normalised(path[-1]) in _EXACT
