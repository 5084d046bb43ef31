"""Units loaded from tables over HTTP and from the command line."""

import asyncio
from pathlib import Path

import pytest

from tests import commands, invariants
from tests.api.helpers import ids, ok, read, refused
from tests.servers import Server
from tests.spreadsheets import xlsx

HEAD = "编码,名称,上级编码,级别\n"
OLD = Path(__file__).resolve().parent.parent / "files" / "units.xls"


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def load(world, content, by=None, key=None, **params):
    content = (HEAD + content).encode() if isinstance(content, str) else content
    headers = {"Idempotency-Key": key} if key else {}
    return await (by or world.admin).post(
        "/v1/units/import", files={"file": ("单位.csv", content)}, params=params, headers=headers
    )


async def tree(world):
    found = await read(world.admin, f"/v1/units/{world.units['root']}/tree", depth=10)
    names = {node["id"]: node["code"] for node in found["items"]}
    return {node["code"]: (names.get(node["parent_id"]), node["name"], node["level"]) for node in found["items"]}


def counts(report):
    return tuple(report[name] for name in ("created", "updated", "moved", "unchanged"))


async def test_a_table_makes_the_tree_and_a_second_time_nothing(world, settings):
    table = "qx01,青溪村,qx,村\nqx,青溪镇,root,镇\nsw,水务局,root,部门\n"
    report = ok(await load(world, table))
    assert counts(report) == (3, 0, 0, 0) and not report["dry_run"] and not report["truncated"]
    assert [(row["row"], row["code"], row["status"]) for row in report["rows"]] == [
        (2, "qx01", "created"), (3, "qx", "created"), (4, "sw", "created"),
    ]  # fmt: skip
    found = await tree(world)
    assert found["qx01"] == ("qx", "青溪村", "village") and found["sw"] == ("root", "水务局", "department")
    unit = await read(world.admin, f"/v1/units/{report['rows'][0]['unit_id']}")
    assert (unit["code"], unit["version"]) == ("qx01", 1)
    again = ok(await load(world, table))
    assert counts(again) == (0, 0, 0, 3) and again["rows"] == []
    told = (await invariants.everything(settings)).by_unit()
    assert [event["type"] for event in told[next(u for u in told if str(u) == unit["id"])]] == ["unit.created"]


async def test_what_differs_is_renamed_and_moved_with_its_items(world):
    ok(await load(world, "ma,甲镇,root,镇\nmb,乙镇,root,镇\nmv,丙村,ma,村\n"))
    item = await world.item(responsible_unit="mv")
    report = ok(await load(world, "mv,丙社区,mb,村\nma,甲街道,root,\nmc,丁镇,root,镇\nmd,戊村,mc,\nmb,乙镇,mc,镇\n"))
    assert counts(report) == (2, 1, 2, 0)
    found = await tree(world)
    assert (found["mv"], found["ma"]) == (("mb", "丙社区", "village"), ("root", "甲街道", "town"))
    assert (found["mb"], found["md"]) == (("mc", "乙镇", "town"), ("mc", "戊村", "other"))
    assert await ids(await world.person("viewer", "mc")) == [item["id"]]
    assert await ids(await world.person("viewer", "ma")) == []
    present = await read(world.admin, f"/v1/items/{item['id']}")
    by_code = {unit["code"]: unit["id"] for unit in (await read(world.admin, "/v1/units", limit=200))["items"]}
    assert (present["supervising_unit_id"], present["version"]) == (by_code["mb"], 2)


async def test_an_item_follows_to_a_parent_that_the_same_table_makes(world):
    ok(await load(world, "fv,己村,t1,村\n"))
    item = await world.item(responsible_unit="fv")
    ok(await load(world, "fv,己村,fn,村\nfn,庚镇,root,镇\n"))
    present = await read(world.admin, f"/v1/items/{item['id']}")
    assert (await read(world.admin, f"/v1/units/{present['supervising_unit_id']}"))["code"] == "fn"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("e1,名,root,\ne1,名,root,\n", [("/rows/3/code", "repeated")]),
        ("e1,名,nowhere,\n", [("/rows/2/parent", "unknown_reference")]),
        ("e1,名,e2,\ne2,名,e1,\n", [("/rows/2/parent", "cycle"), ("/rows/3/parent", "cycle")]),
        ("t1,一镇,t1v1,\n", [("/rows/2/parent", "cycle")]),
        (",名,root,\n\ne2,,,星系\n", [
            ("/rows/2/code", "missing"), ("/rows/4/name", "missing"), ("/rows/4/level", "not_allowed"),
        ]),
        ("e1,名,,\n", [("/rows/2/parent", "missing")]),
    ],
)  # fmt: skip
async def test_one_fault_and_nothing_is_done(world, table, expected):
    before = await tree(world)
    answer = await load(world, f"{table}good,好,root,\n")
    refused(answer, "invalid_request", *expected)
    assert await tree(world) == before


async def test_a_dry_run_says_what_would_come_of_it(world):
    before = await tree(world)
    report = ok(await load(world, "dr,干镇,root,镇\nt1,一街道,root,\nt2v1,二镇一村,dr,\n", dry_run=True))
    assert counts(report) == (1, 1, 1, 0) and report["dry_run"]
    assert report["rows"][0]["unit_id"] is None and report["rows"][1]["unit_id"] == world.units["t1"]
    assert await tree(world) == before


async def test_workbooks_old_and_new_are_read(world):
    new = xlsx(
        说明=[["本表由县委编办提供"]],
        单位=[["清河县单位表"], ["代码", "单位名称", "上级单位代码"], [202, "新表村", "t1"]],
    )
    report = ok(await load(world, new))
    assert [(row["row"], row["code"]) for row in report["rows"]] == [(3, "202")]
    assert counts(ok(await load(world, OLD.read_bytes()))) == (2, 0, 0, 0)
    assert (await tree(world))["101-1"] == ("101", "旧表村", "village")
    gb = (HEAD + "gb,国标村,t1,村\n").encode("gb18030")
    assert counts(ok(await load(world, gb))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xfe\x00\x01\x80\x81\xff", "unreadable"), (b"PK\x03\x04 no", "unreadable"), (b"a,b\n1,2\n", "no_header")],
)
async def test_what_is_no_table_of_units_is_refused(world, content, code):
    refused(await load(world, content), "invalid_request", ("/file", code))


async def test_the_form_is_held_to_its_shape(world):
    post = world.admin.post
    url = "/v1/units/import"
    refused(await post(url, json={}), "unsupported_media_type")
    refused(await post(url, files={"other": b"x"}), "invalid_request", ("/other", "unknown_field"))
    refused(await post(url, data={"file": "x"}, files={"more": b""}), "invalid_request", ("/more", "unknown_field"))
    refused(await post(url, files=[("file", b"x"), ("file", b"y")]), "invalid_request", ("/file", "repeated"))
    refused(await post(url, files={"file": ("a.csv", b"")}), "invalid_request", ("/file", "too_short"))
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(await post(url, content=b"--x\r\nno", headers=broken), "invalid_request")
    refused(await post(url, content=b"", headers=broken), "invalid_request", ("/file", "missing"))
    refused(await post(url, content=b"", headers={"Content-Type": "multipart/form-data"}), "invalid_request")
    wrong = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'
    refused(await post(url, content=wrong, headers=broken), "invalid_request", ("/file", "wrong_type"))
    refused(await world.admin.get(url), "method_not_allowed")


@pytest.mark.parametrize("role", ["supervisor", "responsible", "platform", "viewer", "auditor"])
async def test_only_an_admin_loads_units(world, role):
    refused(await load(world, "no,无,root,\n", await world.person(role)), "forbidden")


async def test_under_one_key_a_table_is_loaded_once_however_the_form_is_marked_off(world):
    table = "key,键村,t1,村\n"
    first = await load(world, table, key="table-1")
    again = await load(world, table, key="table-1")
    marks = {answer.request.headers["content-type"] for answer in (first, again)}
    assert len(marks) == 2, "each form has a boundary of its own"
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    refused(await load(world, table + "key2,键村,t1,\n", key="table-1"), "idempotency_key_reused")


async def test_of_two_tables_at_once_the_second_finds_what_the_first_made(world):
    table = "".join(f"two{n},村,t1,村\n" for n in range(200))
    reports = [ok(answer) for answer in await asyncio.gather(*(load(world, table) for _ in range(3)))]
    assert sorted(counts(report) for report in reports) == [(0, 0, 0, 200), (0, 0, 0, 200), (200, 0, 0, 0)]


async def test_a_large_table_is_told_of_in_part(world):
    table = "big,大镇,root,镇\n" + "".join(f"big{n},第{n}村,big,村\n" for n in range(1500))
    report = ok(await load(world, table))
    assert (report["created"], len(report["rows"]), report["truncated"]) == (1501, 1000, True)


# -- from the command line


def command(settings, tmp_path, *words):
    return commands.xiaohao(Server(settings, tmp_path).environment(), tmp_path, "units", *words)


async def test_the_command_loads_a_table_and_names_what_is_wrong_with_one(world, settings, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(HEAD + "cli,命令村,t1,村\n", encoding="gb18030")
    for words, said in (
        (["--dry-run"], "1 created, 0 updated, 0 moved, 0 unchanged"),
        ([], "1 created, 0 updated, 0 moved, 0 unchanged"),
        ([], "0 created, 0 updated, 0 moved, 1 unchanged"),
    ):
        done = await asyncio.to_thread(command, settings, tmp_path, str(file), *words)
        assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
    found = await invariants.everything(settings)
    (unit,) = [row["id"] for row in found["units"] if row["code"] == "cli"]
    (event,) = found.by_unit()[unit]
    assert (event["actor"]["principal_id"], event["data"]["name"]) == (None, "命令村")
    file.write_text(HEAD + "cli,命令村,nowhere,村\n")
    done = await asyncio.to_thread(command, settings, tmp_path, str(file))
    assert done.returncode == 2 and done.stderr.startswith("/rows/2/parent: ")
    done = await asyncio.to_thread(command, settings, tmp_path, str(file), "--tenant", "nobody")
    assert (done.returncode, done.stderr.strip()) == (2, "no tenant nobody")
    done = await asyncio.to_thread(command, settings, tmp_path, str(tmp_path / "none.csv"))
    assert done.returncode == 2 and "none.csv" in done.stderr
