"""An invented county to show the service with: its units, and problems in every stage of their life.

Pure data and a deterministic generator: the same seed gives the same county. Nothing here writes anywhere; whoever
loads it lists each item and takes it to the `fate` it names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Literal, NamedTuple

from service.demo import places
from service.demo.places import COUNTY_NAME, ROOT, UnitSeed, units
from service.demo.problems import PROBLEMS

__all__ = ["COUNTY_NAME", "FATES", "ROOT", "SOURCES", "Fate", "ItemSeed", "UnitSeed", "items", "units"]

Severity = Literal["general", "serious", "critical"]
SourceKind = Literal[
    "inspection", "self_check", "opinion", "petition", "media", "meeting", "assessment", "audit", "other"
]
Fate = Literal[
    "open",
    "rectifying",
    "extended",
    "overdue",
    "escalated",
    "resumed",
    "closed",
    "reopened",
    "transferred",
    "annulled",
    "duplicate",
]


@dataclass(frozen=True, slots=True)
class ItemSeed:
    """One problem, and what is to become of it.

    `fate` is the stage it is to stand in today: "overdue" is rectifying past its deadline, "resumed" rectifying after
    an interview, "reopened" and "transferred" are once more to be claimed. A transferred item is listed against
    `responsible_unit` and goes to the first of `co_units`. `duplicate_of` is the index in the list of the earlier
    item that tells of the same problem, for the fate "duplicate" alone.
    """

    title: str
    description: str
    category: str
    severity: Severity
    source_kind: SourceKind
    source_ref: str
    responsible_unit: str
    co_units: tuple[str, ...]
    responsible_person: str
    goal: str
    measures: str
    labels: tuple[str, ...]
    listed_days_ago: int
    fate: Fate
    duplicate_of: int | None = None


class Course(NamedTuple):
    """A fate's share in a hundred, and how long ago its items were listed: each end is (time limits, days)."""

    share: int
    latest: tuple[int, int]
    earliest: tuple[int, int]


FATES: Mapping[Fate, Course] = {
    "open": Course(6, (0, 0), (0, 3)),
    "rectifying": Course(15, (0, 2), (1, -1)),
    "extended": Course(6, (1, 3), (1, 28)),
    "overdue": Course(6, (1, 3), (1, 12)),
    "escalated": Course(4, (1, 15), (1, 25)),
    "resumed": Course(4, (1, 25), (1, 60)),
    "closed": Course(46, (0, 6), (0, 540)),
    "reopened": Course(4, (0, 60), (0, 540)),
    "transferred": Course(4, (0, 1), (1, 0)),
    "annulled": Course(3, (0, 4), (0, 540)),
    "duplicate": Course(2, (0, 0), (0, 540)),
}

LIMITS: Mapping[Severity, int] = {"general": 42, "serious": 21, "critical": 7}
"""The default policy's 30, 15 and 5 working days in calendar days, holidays aside."""

GRAVITY: Mapping[str, Sequence[int]] = {"常规": (80, 17, 3), "安全": (50, 36, 14)}
"""General, serious and critical problems in a hundred of that gravity."""

SOURCES: Mapping[SourceKind, tuple[str, str]] = {
    "inspection": ("县联合检查第{m}组反馈第{n}项", "县联合检查组现场检查时发现"),
    "self_check": ("单位自查清单第{n}项", "责任单位自查时发现"),
    "opinion": ("群众意见征集第{x}号", "入户征集意见时群众反映"),
    "petition": ("信访转办第{x}号", "群众来访反映"),
    "media": ("《岫川民声》第{n}期", "县融媒体栏目报道"),
    "meeting": ("专题会议纪要第{n}号", "专题调度会上提出"),
    "assessment": ("年度考核反馈第{n}条", "年度考核组实地核查时发现"),
    "audit": ("审计报告第{n}项", "审计组核查资料和现场时发现"),
    "other": ("上级转办函第{n}号", "上级部门转来线索，经核实"),
}
"""How a source is referred to, and how a description then begins."""

TAILS = ("", "", "此前口头提醒过，没有明显进展。", "截至列入台账时仍未解决。", "群众意见较大。", "责任人表示情况属实。")
EXTRA_LABELS = ("回头看", "重点督办", "立行立改", "举一反三")


@dataclass(frozen=True, slots=True)
class Problem:
    """A heading of problems.py and one problem below it, its slots unfilled."""

    category: str
    place: str
    answerable: str
    gravity: str
    departments: Sequence[str]
    sources: Sequence[str]
    labels: Sequence[str]
    title: str
    seen: str
    goal: str
    measures: str


@cache
def problems() -> tuple[Problem, ...]:
    """Every problem of problems.py; a line out of place is a ValueError."""
    found = []
    lines = iter(PROBLEMS.strip().splitlines())
    for line in lines:
        if line.startswith("# "):
            category, place, answerable, gravity, *lists = line.removeprefix("# ").split(" | ")
            departments, sources, labels = (words.split() for words in lists)
            continue
        seen = next(lines)
        goal, measures = next(lines).split(" | ")
        found.append(
            Problem(category, place, answerable, gravity, departments, sources, labels, line, seen, goal, measures)
        )
    return tuple(found)


def items(rng: Random, count: int = 600) -> list[ItemSeed]:
    """`count` problems, the longest listed first. From 50 on every fate is there, in its share of FATES."""
    fates: list[Fate] = [fate for fate, course in FATES.items() for _ in range(course.share * count // 100)]
    fates += ["closed"] * (count - len(fates))
    firsts = [_item(rng, fate) for fate in fates if fate != "duplicate"]
    doubled = [first for first in firsts if first.fate not in ("transferred", "annulled")]
    copies = [(_copy(rng, first), first) for first in rng.sample(doubled, fates.count("duplicate"))]
    # Sorting is stable: a copy listed on the day of its original still comes after it.
    listed = sorted([*firsts, *(copy for copy, _ in copies)], key=lambda seed: -seed.listed_days_ago)
    for copy, first in copies:
        listed[listed.index(copy)] = replace(copy, duplicate_of=listed.index(first))
    return listed


def _item(rng: Random, fate: Fate) -> ItemSeed:
    problem = rng.choice(problems())
    responsible, helpers, slots = _setting(rng, problem)
    severity: Severity = rng.choices(tuple(LIMITS), GRAVITY[problem.gravity])[0]
    kind, ref, opening = _source(rng, problem.sources)
    steps = (f"{number}.{step}" for number, step in enumerate(problem.measures.split("；"), start=1))
    return ItemSeed(
        title=problem.title.format_map(slots),
        description=f"{opening}：\n{problem.seen}{rng.choice(TAILS)}".format_map(slots),
        category=problem.category,
        severity=severity,
        source_kind=kind,
        source_ref=ref,
        responsible_unit=responsible.code,
        co_units=tuple(unit.code for unit in helpers[: max(rng.choice((0, 0, 1, 1, 2)), fate == "transferred")]),
        responsible_person=places.person(responsible, deputy=rng.random() < 0.5),
        goal=problem.goal.format_map(slots),
        measures="；".join(steps).format_map(slots),
        labels=(*problem.labels, *rng.sample(EXTRA_LABELS, rng.choice((0, 0, 0, 1)))),
        listed_days_ago=_listed_days_ago(rng, fate, severity),
        fate=fate,
    )


def _copy(rng: Random, first: ItemSeed) -> ItemSeed:
    """The same problem, come in again a few days later from somewhere else."""
    kind, ref, opening = _source(rng, ())
    told = first.description.split("\n", 1)[1]
    return replace(
        first,
        title=f"再次反映：{first.title}",
        description=f"{opening}：\n{told}",
        source_kind=kind,
        source_ref=ref,
        listed_days_ago=max(0, first.listed_days_ago - rng.randint(0, 6)),
        fate="duplicate",
    )


def _setting(rng: Random, problem: Problem) -> tuple[UnitSeed, list[UnitSeed], dict[str, object]]:
    """Where it happened: the unit that answers for it, those that may help, and what fills the slots."""
    county = units()
    village = rng.choice([unit for unit in county if unit.level == "village"])
    town = next(unit for unit in county if unit.code == village.parent)
    every = [unit for unit in county if unit.level == "department"]
    departments = [unit for unit in every if unit.name in problem.departments]
    rng.shuffle(departments)
    department = rng.choice(every) if "*" in problem.departments else departments[0]
    responsible = {"村": village, "镇": town, "县": department}[rng.choice(problem.answerable)]
    helpers = [unit for unit in ([town] if problem.place != "县" else []) + departments if unit != responsible]
    nth = [unit for unit in county if unit.level == "town"].index(town)
    slots: dict[str, object] = {
        "place": {"村": town.name + village.name, "镇": town.name, "县": ""}[problem.place],
        "dept": department.name,
        "group": f"{rng.choice('一二三四五六七八九')}组",
        "river": places.RIVERS.split()[nth],
        "road": places.ROADS.split()[nth],
        "estate": rng.choice(places.ESTATES.split()),
        "firm": rng.choice(places.FIRMS.split()),
        "m": rng.randint(2, 9),
        "n": rng.randint(10, 60),
        "d": rng.randint(10, 45),
        "x": rng.randint(110, 980),
        "k": rng.randint(6, 190) * 10,
        "w": rng.randint(12, 860) / 10,
    }
    return responsible, helpers, slots


def _source(rng: Random, usual: Sequence[str]) -> tuple[SourceKind, str, str]:
    """One of the usual sources, now and then any other; its reference, and how a description opens."""
    kinds = [kind for kind in SOURCES if kind in usual]
    kind = rng.choice(kinds if kinds and rng.random() < 0.75 else list(SOURCES))
    ref, opening = SOURCES[kind]
    return kind, ref.format(m=rng.randint(1, 9), n=rng.randint(1, 60), x=rng.randint(100, 999)), opening


def _listed_days_ago(rng: Random, fate: Fate, severity: Severity) -> int:
    low, high = (limits * LIMITS[severity] + days for limits, days in FATES[fate][1:])
    return rng.randint(low, high)
