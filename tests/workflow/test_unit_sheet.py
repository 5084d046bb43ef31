"""A table of units: its headings, its faults, and the order in which it is followed."""

import itertools
import random
from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.errors import Refused
from service.workflow import unit_sheet
from service.workflow.organisation import Unit
from service.workflow.unit_sheet import UnitRow, plan, read_rows

NOW = datetime(2026, 3, 11, tzinfo=UTC)
HEAD = ["编码", "名称", "上级编码", "级别"]


def faults(table, *, among=(), head=HEAD):
    with pytest.raises(Refused) as refused:
        planned(table, among=among, head=head)
    assert refused.value.code == "invalid_request"
    return [(error.pointer, error.code) for error in refused.value.errors]


def planned(table, *, among=(), head=HEAD):
    serial = itertools.count(1000)
    return plan(read_rows([[head, *table]]), [*among, ROOT], new_id=lambda: UUID(int=next(serial)), now=NOW)


def unit(number, code, parent, *, active=True, level="other", name="镇"):
    return Unit(UUID(int=number), code, name, parent.id if parent else None, level, active, 1, NOW, NOW)


ROOT = unit(1, "root", None, level="county", name="县")
TOWN = unit(2, "t1", ROOT, level="town", name="一镇")
OTHER = unit(3, "t2", ROOT, level="town", name="二镇")
VILLAGE = unit(4, "v1", TOWN, level="village", name="一村")
ENDED = unit(5, "old", ROOT, active=False)


# -- headings and cells


@pytest.mark.parametrize(
    "head",
    [
        ["编码", "名称", "上级编码", "级别"],
        ["单位编码*", "单位名称（必填）", "上级单位编码", "层级"],
        ["Code", "Name", "parent_code", "Level"],
        ["代 码", "单位", "上级", "类别："],
    ],
    ids=str,
)
def test_headings_are_known_by_what_they_mean(head):
    assert read_rows([[head, ["qx", "青溪镇", "root", "乡镇"]]]) == [UnitRow(2, "qx", "青溪镇", "root", "town")]


def test_columns_stand_in_any_order_beside_others_and_under_a_title():
    table = [
        ["清河县组织单元一览表"],
        [],
        ["序号", "上级", "名称", "编码"],
        ["1", "root", "青溪镇", "qx"],
        [""],
        ["2", "qx", "村", "v"],
    ]
    assert read_rows([[["说明"]], table]) == [
        UnitRow(4, "qx", "青溪镇", "root", None),
        UnitRow(6, "v", "村", "qx", None),
    ]


@pytest.mark.parametrize("sheets", [[], [[]], [[["编码", "名称"]]], [[["a"]] * 10 + [HEAD]]], ids=str)
def test_a_table_without_headings_is_refused(sheets):
    with pytest.raises(Refused) as refused:
        read_rows(sheets)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/file", "no_header")]


@pytest.mark.parametrize(
    ("word", "level"),
    [("县", "county"), ("镇", "town"), ("乡镇", "town"), ("街道", "town"), ("村", "village"), ("社区", "village"),
     ("部门", "department"), ("其他", "other"), ("Village", "village"), ("", None)],
)  # fmt: skip
def test_levels_are_known_by_their_words(word, level):
    (row,) = read_rows([[HEAD, ["qx", "青溪", "root", word]]])
    assert row.level == level


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (["", "青溪", "root", ""], [("code", "missing")]),
        (["q x", "青溪", "root", ""], [("code", "bad_format")]),
        (["镇", "青溪", "root", ""], [("code", "bad_format")]),
        (["x" * 65, "青溪", "root", ""], [("code", "too_long")]),
        (["qx", "", "root", ""], [("name", "missing")]),
        (["qx", "青\n溪", "root", ""], [("name", "control_char")]),
        (["qx", "青" * 201, "root", ""], [("name", "too_long")]),
        (["qx", "青溪", "", ""], [("parent", "missing")]),
        (["qx", "青溪", "nowhere", ""], [("parent", "unknown_reference")]),
        (["qx", "青溪", "old", ""], [("parent", "unknown_reference")]),
        (["qx", "青溪", "一镇", ""], [("parent", "bad_format")]),
        (["qx", "青溪", "qx", ""], [("parent", "cycle")]),
        (["qx", "青溪", "root", "星系"], [("level", "not_allowed")]),
        (["", "", "root", "星系"], [("code", "missing"), ("name", "missing"), ("level", "not_allowed")]),
        (["root", "清河县", "t1", ""], [("parent", "not_allowed")]),
    ],
)
def test_what_is_wrong_in_a_row_is_pointed_at(row, expected):
    wrong = [(f"/rows/3/{field}", code) for field, code in expected]
    assert faults([["ok", "好", "root", ""], row], among=[TOWN, ENDED]) == wrong


def test_a_code_that_stands_twice_is_refused_where_it_stands_again():
    table = [["a", "甲", "root", ""], ["b", "乙", "a", ""], ["a", "丙", "root", ""]]
    assert faults(table) == [("/rows/4/code", "repeated")]


def test_rings_are_refused_whether_in_the_table_or_with_what_is_there():
    ring = [["a", "甲", "b", ""], ["b", "乙", "c", ""], ["c", "丙", "a", ""], ["d", "丁", "a", ""]]
    assert faults(ring) == [(f"/rows/{row}/parent", "cycle") for row in (2, 3, 4, 5)]
    assert faults([["t1", "一镇", "v1", ""]], among=[TOWN, VILLAGE]) == [("/rows/2/parent", "cycle")]


def test_no_more_faults_are_named_than_an_answer_takes():
    assert len(faults([["x y", "名", "root", ""]] * 500)) == unit_sheet.MAX_ERRORS


def test_a_table_is_bounded(monkeypatch):
    monkeypatch.setattr(unit_sheet, "MAX_UNITS", 2)
    table = [[f"u{n}", "名", "root", ""] for n in range(3)]
    assert len(planned(table[:2])) == 2
    assert faults(table) == [("/file", "too_long")]


# -- the plan


def test_what_is_the_same_is_left_alone_and_a_blank_level_says_nothing():
    same = planned(
        [["t1", "一镇", "root", ""], ["v1", "一村", "t1", "村"], ["root", "县", "", ""]], among=[TOWN, VILLAGE]
    )
    assert {each.status for each in same} == {"unchanged"}
    assert all(each.after is each.before or each.after == each.before for each in same)


def test_names_levels_and_places_change_and_an_ended_unit_stays_ended():
    table = [
        ["root", "清河县", "", ""],
        ["v1", "新村", "t2", ""],
        ["t1", "一镇", "root", "部门"],
        ["old", "旧", "root", ""],
    ]
    found = {each.after.code: each for each in planned(table, among=[TOWN, OTHER, VILLAGE, ENDED])}
    assert {code: each.status for code, each in found.items()} == {
        "root": "updated", "t1": "updated", "old": "updated", "v1": "moved",
    }  # fmt: skip
    moved = found["v1"]
    assert (moved.after.name, moved.after.parent_id, moved.after.version) == ("新村", OTHER.id, 2)
    assert (moved.old_above, moved.new_above) == ((TOWN.id, ROOT.id), (OTHER.id, ROOT.id))
    assert not found["old"].after.active


def test_two_units_change_places():
    table = [["t1", "一镇", "v1", ""], ["v1", "一村", "root", ""]]
    first, second = planned(table, among=[TOWN, VILLAGE])
    assert (first.after.code, first.old_above, first.new_above) == ("v1", (TOWN.id, ROOT.id), (ROOT.id,))
    assert (second.after.code, second.old_above, second.new_above) == ("t1", (ROOT.id,), (VILLAGE.id, ROOT.id))


def test_a_unit_moves_under_one_that_the_table_makes():
    made, moved = planned([["v1", "一村", "new", ""], ["new", "新镇", "root", "镇"]], among=[TOWN, VILLAGE])
    assert (made.status, made.number, made.after.level) == ("created", 3, "town")
    assert (moved.status, moved.new_above) == ("moved", (made.after.id, ROOT.id))


def test_any_table_of_any_tree_is_followed_step_by_step_without_a_cycle():
    """From a random tree to another one, each step as the store would take it."""
    for seed in range(60):
        chance = random.Random(seed)
        present = [ROOT]
        for number in range(2, 14):
            present.append(unit(number, f"u{number}", chance.choice(present)))
        known = [each.code for each in present[1:]] + [f"n{number}" for number in range(4)]
        chance.shuffle(known)
        parents = {code: chance.choice(["root", *known[:index]]) for index, code in enumerate(known)}
        table = [[code, "新名", parents[code], ""] for code in chance.sample(known, len(known))]
        parent_of = {each.id: each.parent_id for each in present}
        for step in planned(table, among=present[1:]):
            line, above = [], step.after.parent_id
            while above is not None:
                line.append(above)
                above = parent_of[above]
            assert step.after.id not in line, "every step leaves a tree"
            if step.status == "moved":
                assert tuple(line) == step.new_above
            parent_of[step.after.id] = step.after.parent_id
        again = planned(table, among=[step.after for step in planned(table, among=present[1:])])
        assert {step.status for step in again} == {"unchanged"}
