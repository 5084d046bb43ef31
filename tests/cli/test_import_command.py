"""`xiaohao import`: a ledger from the command line, dry unless told."""

import asyncio
import os

from python_calamine import load_workbook

from service.cli import terminal
from service.demo import desk
from tests import commands, invariants
from tests.api.helpers import every_page
from tests.servers import ROOT

REAL = desk.FILES / "01_督察整改措施清单.xlsx"


def run(settings, home, *words):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "COLUMNS": "200",
        "XIAOHAO_DATA_DIR": str(settings.data_dir), "XIAOHAO_DATABASE_URL": settings.database_url,
    }  # fmt: skip
    return commands.xiaohao(environment, home, "import", *words)


async def ran(settings, home, *words):
    return await asyncio.to_thread(run, settings, home, *words)


async def test_a_ledger_is_shown_then_imported_then_known(world, settings, tmp_path):
    options = ("--unknown-units", "create", "--refused", tmp_path / "refused.xlsx")
    done = await ran(settings, tmp_path, REAL, *options)
    assert done.returncode == 1, done.stderr
    assert "16 accepted, 4 refused, 2 warned, 11 ignored, 16 created" in done.stdout
    assert "Nothing was written: this was a dry run." in done.stdout
    assert "J 整改时限 -> deadline" in done.stdout and "数据字典: not read (hidden)" in done.stdout
    assert "与第 8 行同单位、同问题、同时限" in done.stdout
    assert await every_page(world.admin, "/v1/items") == []
    rows = load_workbook(tmp_path / "refused.xlsx").get_sheet_by_index(0).to_python()
    assert [row[-1] for row in rows] == [
        "退回原因", "没有问题内容", "日期不存在，或晚于今天", "没有责任单位", "与第 8 行同单位、同问题、同时限",
    ]  # fmt: skip
    done = await ran(settings, tmp_path, REAL, "--apply", *options)
    assert done.returncode == 1 and "16 created, 0 unchanged" in done.stdout
    assert len(await every_page(world.admin, "/v1/items")) == 16
    done = await ran(settings, tmp_path, REAL, "--apply", *options)
    assert "0 created, 16 unchanged" in done.stdout
    assert await invariants.contradictions(settings) == []


async def test_what_cannot_be_done_is_one_line(world, settings, kind, tmp_path):
    good = tmp_path / "good.csv"
    good.write_text("问题,责任单位\n甲,t1\n", encoding="gb18030")
    done = await ran(settings, tmp_path, good)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = (
        ((good, "--tenant", "nobody"), "no tenant nobody"),
        ((tmp_path / "none.csv",), "none.csv"),
        ((good, "--ledger", "nowhere"), "--ledger: "),
        ((good, "--parent", "nowhere", "--unknown-units", "create"), "--parent: "),
        ((good, "--column", "问题=nonsense"), "HEADING=FIELD"),
    )
    # Whatever the database, but for the first: once is enough.
    for words, said in wrong if kind == "sqlite" else wrong[:1]:
        done = await ran(settings, tmp_path, *words)
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    done = await ran(settings, tmp_path, tmp_path / "bad.csv")
    assert done.returncode == 2 and "没有找到台账表头" in done.stderr
    good.write_text("问题,责任单位\n甲,t1\n乙,\n", encoding="utf-8-sig")
    done = await ran(settings, tmp_path, good, "--all", "--apply")
    assert done.returncode == 1 and "Nothing was written: rows are refused." in done.stdout


async def test_whoever_watches_sees_how_far_it_is(world, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(terminal.err, "_force_terminal", True)
    monkeypatch.setattr(terminal.err, "is_interactive", True)
    done = await ran(settings, tmp_path, REAL, "--unknown-units", "create")
    # On a screen it is drawn over and over, and in the end taken away; what it comes to is said elsewhere.
    assert "100%" in done.stderr and "%" not in done.stdout
