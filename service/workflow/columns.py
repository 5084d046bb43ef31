"""Which column of a ledger holds what, where several could, or none says so plainly.

Of two columns with the same meaning the one counts that is called so more plainly (headings.py); what is decided here
needs to be seen beside the others.
"""

import re
import sys
from collections.abc import Callable, Mapping

from service.workflow.headings import (
    EITHER_DAY,
    INHERITED,
    REACHED_AT,
    UNRANKED,
    YES_OR_NO,
    Field,
    field_of,
    normalised,
    without_digits,
)

LISTED_TOGETHER = frozenset({Field.CO_UNITS, Field.PERSON, Field.SUPERVISING, Field.ACCEPTING, Field.CONTACT})
"""Fields that several columns may hold together, such as 配合单位(县) and 配合单位(乡镇)."""

REACHES = 2
"""Columns from somebody to how they are reached: their office may stand between."""

NAMED_PROBLEM = re.compile("问题|隐患|缺陷|表现|不[符合]|problem", re.IGNORECASE)
"""What is called a problem, and not a task or what was said of something."""

LOOKED_INTO = re.compile("(?:检查|督查|督导|考核|巡察|审计).*内容|意见")
"""检查内容 and 反馈意见 say what was looked at, not what is to be done."""

DIFFICULTIES = re.compile(
    "困难|需要?(?:上级|领导小组)?(?:协调|解决|支持)|提请(?:协调|解决)|(?:推进|整改|落实|工作|实施)(?:过程)?中(?:存在)?的?(?:主要)?问题"
)
"""存在困难和问题, 需协调解决的问题: what hinders, in a ledger that says what is to be done."""

NEXT_STEPS = re.compile("下一?步|今后")
"""下一步措施 put nothing right that stands before them."""

PLACES = re.compile("乡镇|镇街|街道|社区|学校(?:名称)?|企业(?:名称)?|场所名称|科室|处室|检查对象")
"""Who has the problem, or where it lies: who is responsible too, where no column says that."""

AREAS = re.compile("(?:行政区[域划]|属地|辖区|县市区|县区|[县市区镇乡村]|村社区)(?:名称)?")
VILLAGES = re.compile("村(?:社区)?(?:名称)?")
"""Whose territory it is: the responsible unit where no other column names one."""

COMPLAINTS = re.compile("诉求|信访|投诉|举报|来[电信访]|热线|工单|上访|反映(?:问题|事项|内容)")
"""A ledger of complaints has one of these in a heading."""

OF_WHO_COMPLAINED = re.compile(
    "联系人|(?:联系人)?(?:姓名)?[及和]?(?:联系)?(?:电话|手机|方式)(?:号码?)?|(?:联系人)?姓名|手机号"
    "|(?:家庭|现|联系)?住址|(?:家庭|联系|户籍)地址?|身份证号?码?|证件号码?"
)
"""In such a ledger whose names and numbers these are, unless somebody in charge stands before them."""

IN_CHARGE = re.compile("责任|承办|办理|处置|经办|牵头|主办|落实|整改|包案|包保|包抓|分管")
"""Units and persons that answer for something; 社区 and 企业 do not by their name."""

CLOSING_DAY = re.compile("(?!.*(?:申请|上报|报送|拟|计划)).*(?:销号|销案)(?:时间|日期)")
"""A day that says that something was struck off."""

EXTENDED_DAY = re.compile(
    "(?!.*(?:前|原因|情况|理由|是否|申请)).*(?:延期|展期|顺延|(?:调整|变更)[后为至])(?:至|到)?(?:的)?.*(?:时限|期限|时间|日期)"
)
"""A deadline that takes the place of another."""

MEASURE = re.compile("措施|举措")
"""In the heading of a deadline: it holds measures as well."""

Paths = Mapping[int, tuple[str, ...]]
"""Each column's headings from the top down."""

Ranked = dict[Field, list[tuple[int, int]]]
"""By field how sure each of its columns is, 0 being surest and what the caller said below that, and which it is."""


def columns_of(
    paths: Paths, wanted: Mapping[str, Field | None], goes_down: Callable[[int], bool]
) -> dict[Field, tuple[int, ...]]:
    """Which columns hold which field, the one that counts first.

    `wanted`: what the caller says that headings mean; `goes_down`: whether merged cells of a column stand for several
    rows.
    """
    ranked: Ranked = {}
    for column, path in paths.items():
        chosen = _wanted(path, wanted)
        if chosen is not None:
            if chosen[0] is not None:
                ranked.setdefault(chosen[0], []).append((-1, column))
        elif (known := field_of(path)) is not None:
            ranked.setdefault(known[0], []).append((known[1], column))
    _tell_units_apart(ranked, paths)
    _tell_problems_apart(ranked, paths, goes_down)
    _tell_contacts_apart(ranked, paths)
    _tell_days_apart(ranked, paths)
    _tell_states_apart(ranked, paths)
    _tell_measures_with_days(ranked, paths)
    return {field: _in_order(field, found, paths) for field, found in ranked.items()}


def _in_order(field: Field, found: list[tuple[int, int]], paths: Paths) -> tuple[int, ...]:
    """The columns of a field: all where they are listed together, else the surest, with what overrules it before it."""
    if field in LISTED_TOGETHER:
        surer = [each for each in found if each[0] < INHERITED] or found
        return tuple(column for _, column in sorted(surer, key=lambda each: each[1]))
    rank, surest = min(found)
    if rank < 0:
        return (surest,)
    if field == Field.DEADLINE:
        # 延期后整改时限, where something stands there.
        later = sorted((column for _, column in found if EXTENDED_DAY.fullmatch(_own(paths, column))), reverse=True)
        rest = [each for each in found if each[1] not in later]
        return (*later, *([min(rest)[1]] if rest else ()))
    if field == Field.STATUS:
        # 8月进展情况, 9月进展情况: the last that says something.
        words = without_digits(_own(paths, surest))
        if words != _own(paths, surest):
            alike = [column for _, column in found if without_digits(_own(paths, column)) == words]
            return tuple(sorted(alike, reverse=True))
    return (surest,)


def _own(paths: Paths, column: int) -> str:
    return normalised(paths[column][-1])


def _tell_problems_apart(ranked: Ranked, paths: Paths, goes_down: Callable[[int], bool]) -> None:
    """What is called a problem comes before a task, an opinion or the contents of something, and what hinders a task
    after either. Of the rest one that is merged over several rows heads a group of those beside it."""
    found = ranked.get(Field.PROBLEM, [])
    if len(found) < 2 or min(found)[0] < 0:
        return
    begun = _first(ranked, Field.UNIT, Field.LEAD_UNIT, Field.DEADLINE, Field.STATUS)
    hindering = [each for each in found if DIFFICULTIES.search(_own(paths, each[1])) and begun < each[1]]
    rest = [each for each in found if each not in hindering]
    named = [each for each in rest if NAMED_PROBLEM.search(_own(paths, each[1]))]
    tasks = [each for each in rest if each not in named]
    if named and tasks and _met_with(ranked, paths, tasks, named):
        named = []
    looked_into = [each for each in tasks if LOOKED_INTO.search(_own(paths, each[1]))]
    if len(looked_into) < len(tasks):
        tasks = [each for each in tasks if each not in looked_into]
    found = named or tasks or hindering
    single = [each for each in found if not goes_down(each[1])] if len(found) > 1 else []
    ranked[Field.PROBLEM] = single or found


def _met_with(ranked: Ranked, paths: Paths, tasks: list[tuple[int, int]], named: list[tuple[int, int]]) -> bool:
    """Whether problems are what a task has met with since: 重点任务, 责任单位, 进展情况, 存在问题.

    Where 整改措施 or a deadline stands behind them they are the problems that the ledger is about.
    """
    states = _first(ranked, Field.STATUS)
    charged = _first(ranked, Field.UNIT, Field.LEAD_UNIT, Field.DEADLINE)
    problems = min(map(_place, named))
    task = min((each for each in tasks if not LOOKED_INTO.search(_own(paths, each[1]))), key=_place, default=None)
    if task is None or not task[1] < charged < states < problems:
        return False
    put_right = [
        column
        for field in (Field.MEASURES, Field.DEADLINE)
        for _, column in ranked.get(field, ())
        if not NEXT_STEPS.search(_own(paths, column))
    ]
    return all(column < problems for column in put_right)


def _first(ranked: Ranked, *fields: Field) -> int:
    """The first column of one of these fields; behind all where there is none."""
    return min((column for field in fields for _, column in ranked.get(field, ())), default=sys.maxsize)


def _place(each: tuple[int, int]) -> int:
    return each[1]


def _tell_contacts_apart(ranked: Ranked, paths: Paths) -> None:
    """联系电话 beside 责任人 is no complainant's: it is kept under its heading. In doubt it is; and in a ledger of
    complaints so are 联系人, 住址 and the like, unless they stand behind a unit or a person in charge."""
    if any(COMPLAINTS.search(_own(paths, column)) for column in paths):
        charged = [
            column
            for field in (Field.UNIT, Field.LEAD_UNIT, Field.PERSON)
            for _, column in ranked.get(field, ())
            if IN_CHARGE.search(_own(paths, column))
        ]
        for column in paths:
            before = max((each for each in charged if each < column), default=None)
            if OF_WHO_COMPLAINED.fullmatch(_own(paths, column)) and (before is None or column - before > REACHES):
                _assign(ranked, Field.CONTACT, column)
    found = ranked.get(Field.CONTACT, [])
    persons = [column for _, column in ranked.get(Field.PERSON, ())]
    own = [column for _, column in found if not REACHED_AT.fullmatch(_own(paths, column))]
    kept = []
    for rank, column in found:
        person = max((each for each in persons if each < column), default=None)
        nearer = any(person is not None and person < each < column for each in own)
        if column in own or rank < 0 or person is None or nearer or column - person > REACHES:
            kept.append((rank, column))
    if found:
        ranked[Field.CONTACT] = kept
    if not kept:
        ranked.pop(Field.CONTACT, None)


def _tell_days_apart(ranked: Ranked, paths: Paths) -> None:
    """完成时间 is when it is to be done, unless the ledger has both."""
    if Field.DEADLINE in ranked:
        return
    found = ranked.get(Field.CLOSED_ON, [])
    either = [each for each in found if each[0] >= 0 and _own(paths, each[1]) in EITHER_DAY]
    _move(ranked, Field.CLOSED_ON, Field.DEADLINE, either)


def _tell_states_apart(ranked: Ranked, paths: Paths) -> None:
    """是否完成 beside 整改情况 says whether it is struck off; where a column of its own says that it is kept beside."""
    found = ranked.get(Field.STATUS, [])
    bare = [each for each in found if each[0] >= 0 and YES_OR_NO.fullmatch(_own(paths, each[1]))]
    if bare and len(bare) < len(found):
        if Field.STRUCK_OFF in ranked:
            ranked[Field.STATUS] = [each for each in found if each not in bare]
        else:
            _move(ranked, Field.STATUS, Field.STRUCK_OFF, bare)


def _tell_measures_with_days(ranked: Ranked, paths: Paths) -> None:
    """整改措施及时限 holds both, unless either has a column of its own."""
    found = ranked.get(Field.DEADLINE, [])
    both = [each for each in found if each[0] >= 0 and MEASURE.search(_own(paths, each[1]))]
    if both and Field.MEASURES not in ranked:
        ranked[Field.MEASURES] = both
    if both and len(both) < len(found):
        ranked[Field.DEADLINE] = [each for each in found if each not in both]


def _tell_units_apart(ranked: Ranked, paths: Paths) -> None:
    """乡镇, 企业 and 科室 say where something is, where another column says who is responsible; where none does they
    are, and so is 镇（街道）."""
    found = ranked.get(Field.UNIT, [])
    places = [each for each in found if each[0] >= 0 and PLACES.fullmatch(_own(paths, each[1]))]
    if places and (len(places) < len(found) or Field.LEAD_UNIT in ranked):
        ranked[Field.UNIT] = [each for each in found if each not in places]
        if not ranked[Field.UNIT]:
            del ranked[Field.UNIT]
    if Field.UNIT in ranked or Field.LEAD_UNIT in ranked:
        return
    held = {column for columns in ranked.values() for _, column in columns}
    areas = [column for column in paths if column not in held and AREAS.fullmatch(_own(paths, column))]
    above_villages = [column for column in areas if not VILLAGES.fullmatch(_own(paths, column))]
    if areas:
        # Of 市, 县, 镇 the nearest.
        ranked[Field.UNIT] = [(INHERITED, max(above_villages) if above_villages else min(areas))]


def _assign(ranked: Ranked, target: Field, column: int) -> None:
    """Give a column to a field, whatever it was before; not where the caller said what it is."""
    for field, found in list(ranked.items()):
        for each in found:
            if each[1] == column:
                if each[0] < 0:
                    return
                _move(ranked, field, target, [each])
                return
    ranked.setdefault(target, []).append((UNRANKED, column))


def _move(ranked: Ranked, source: Field, target: Field, moved: list[tuple[int, int]]) -> None:
    if moved and source != target:
        ranked.setdefault(target, []).extend(moved)
        ranked[source] = [each for each in ranked[source] if each not in moved]
        if not ranked[source]:
            del ranked[source]


def _wanted(path: tuple[str, ...], wanted: Mapping[str, Field | None]) -> tuple[Field | None] | None:
    for name in (" / ".join(path), path[-1]):
        for heading, field in wanted.items():
            if heading == name or normalised(heading) == normalised(name):
                return (field,)
    return None
