"""Which column of a ledger holds what, where several could, or none says so plainly.

Of two columns with the same meaning the one counts that is called so more plainly (headings.py); what is decided here
needs to be seen beside the others.
"""

from collections.abc import Callable, Mapping

from service.workflow.headings import (
    AREAS,
    CLOSING_DAY,
    COMPLAINTS,
    DIFFICULTIES,
    EITHER_DAY,
    EXTENDED_DAY,
    INHERITED,
    MEASURE,
    NAMED_PROBLEM,
    OF_WHO_COMPLAINED,
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
    _tell_problems_apart(ranked, paths, goes_down)
    _tell_contacts_apart(ranked, paths)
    _tell_days_apart(ranked, paths)
    _tell_states_apart(ranked, paths)
    _tell_measures_with_days(ranked, paths)
    _take_areas(ranked, paths)
    return {field: _in_order(field, found, paths) for field, found in ranked.items()}


def _in_order(field: Field, found: list[tuple[int, int]], paths: Paths) -> tuple[int, ...]:
    """The columns of a field: all where they are listed together, else the surest, with what overrules it before it."""
    if field in LISTED_TOGETHER:
        surer = [each for each in found if each[0] < INHERITED] or found
        return tuple(column for _, column in sorted(surer, key=lambda each: each[1]))
    surest = min(found)[1]
    if field == Field.DEADLINE:
        # 延期后整改时限, where something stands there.
        later = [column for _, column in found if EXTENDED_DAY.search(_own(paths, column))]
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
    hindering = [each for each in found if DIFFICULTIES.search(_own(paths, each[1]))]
    named = [each for each in found if NAMED_PROBLEM.search(_own(paths, each[1])) and each not in hindering]
    tasks = [each for each in found if each not in named and each not in hindering]
    states = [column for _, column in ranked.get(Field.STATUS, ())]
    if states and tasks and min(tasks, key=_place)[1] < min(states) < min((column for _, column in named), default=-1):
        # 重点任务, 进展情况, 存在问题: what the task has met with since.
        named = []
    found = named or tasks or hindering
    single = [each for each in found if not goes_down(each[1])] if len(found) > 1 else []
    ranked[Field.PROBLEM] = single or found


def _place(each: tuple[int, int]) -> int:
    return each[1]


def _tell_contacts_apart(ranked: Ranked, paths: Paths) -> None:
    """联系电话 beside 责任人 is no complainant's: it is kept under its heading. In doubt it is; and in a ledger of
    complaints so are 联系人, 住址 and the like, unless they stand behind a unit or a person in charge."""
    if any(COMPLAINTS.search(_own(paths, column)) for column in paths):
        charged = [
            column for field in (Field.UNIT, Field.LEAD_UNIT, Field.PERSON) for _, column in ranked.get(field, ())
        ]
        for column in paths:
            if OF_WHO_COMPLAINED.fullmatch(_own(paths, column)):
                before = [
                    each for each in charged if each < column and not OF_WHO_COMPLAINED.fullmatch(_own(paths, each))
                ]
                if not before or column - max(before) > REACHES:
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
    """是否完成 beside 整改情况 says whether it is struck off, unless a column of its own does; so does 销号时间 where
    something stands there, beside a deadline that tells when it is to be done."""
    if Field.STRUCK_OFF in ranked:
        return
    found = ranked.get(Field.STATUS, [])
    bare = [each for each in found if each[0] >= 0 and YES_OR_NO.fullmatch(_own(paths, each[1]))]
    if len(bare) < len(found):
        _move(ranked, Field.STATUS, Field.STRUCK_OFF, bare)
    if Field.STRUCK_OFF not in ranked and Field.DEADLINE in ranked:
        days = [each for each in ranked.get(Field.CLOSED_ON, []) if CLOSING_DAY.search(_own(paths, each[1]))]
        if days:
            ranked[Field.STRUCK_OFF] = days


def _tell_measures_with_days(ranked: Ranked, paths: Paths) -> None:
    """整改措施及时限 holds both, unless either has a column of its own."""
    found = ranked.get(Field.DEADLINE, [])
    both = [each for each in found if each[0] >= 0 and MEASURE.search(_own(paths, each[1]))]
    if both and Field.MEASURES not in ranked:
        ranked[Field.MEASURES] = both
    if both and len(both) < len(found):
        ranked[Field.DEADLINE] = [each for each in found if each not in both]


def _take_areas(ranked: Ranked, paths: Paths) -> None:
    """Where nothing else says who is responsible, 镇（街道） does."""
    if Field.UNIT in ranked or Field.LEAD_UNIT in ranked:
        return
    held = {column for found in ranked.values() for _, column in found}
    areas = [column for column in paths if column not in held and AREAS.fullmatch(_own(paths, column))]
    if areas:
        ranked[Field.UNIT] = [(INHERITED, min(areas))]


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
