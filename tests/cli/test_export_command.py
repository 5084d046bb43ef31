"""`xiaohao export` and `xiaohao templates`, as an operator calls them."""

import asyncio
import csv
import io
from pathlib import Path

import pytest
from docx import Document
from python_calamine import CalamineWorkbook

from service.cli import terminal
from service.composition import running
from service.settings import Settings
from tests import backlog, commands
from tests.commands import Done
from tests.servers import Server

ITEMS = 5


@pytest.fixture(scope="module", autouse=True)
def filled(settings: Settings) -> None:
    async def fill() -> None:
        async with running(settings) as service:
            await backlog.fill(service, await backlog.found(service), ITEMS)

    asyncio.run(fill())


def xiaohao(settings: Settings, home: Path, *words: str) -> Done:
    return commands.xiaohao(Server(settings, home).environment(), home, *words)


def test_a_ledger_is_written_as_a_workbook_and_as_csv(settings: Settings, tmp_path: Path) -> None:
    run = xiaohao(settings, tmp_path, "export", "--output", "台账.xlsx", "--layout", "problems")
    assert (run.returncode, run.stdout) == (0, f"{ITEMS} items in 台账.xlsx\n"), run.stderr
    rows = CalamineWorkbook.from_path(str(tmp_path / "台账.xlsx")).get_sheet_by_index(0).to_python()
    assert rows[0][0].endswith("存在问题台账") and len(rows) == 4 + ITEMS + 1
    run = xiaohao(settings, tmp_path, "export", "--output", "out.csv", "--unit", "root", "--ledger", "late")
    assert (run.returncode, run.stdout) == (0, f"{ITEMS} items in out.csv\n"), run.stderr
    content = (tmp_path / "out.csv").read_text("utf-8-sig")
    assert [row["问题编号"] for row in csv.DictReader(io.StringIO(content))] == [row[1] for row in rows[4:-1]]
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".") or path.suffix in (".xlsx", ".csv")}
    assert left == {"台账.xlsx", "out.csv"}, "nothing half-written"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--output", "x.pdf"), "--output: a name that ends in .xlsx or .csv"),
        (("--output", "x.csv", "--sort", "title"), "--sort: due_on"),
        (("--output", "x.csv", "--unit", "nowhere"), "--unit: What it refers to does not exist"),
        (("--output", "x.csv", "--ledger", "nowhere"), "--ledger: What it refers to does not exist"),
        (("--output", "x.csv", "--tenant", "nowhere"), "no tenant nowhere"),
        (
            (
                "--output",
                "no/such/place/x.csv",
            ),
            "No such file or directory",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(settings: Settings, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    run = xiaohao(settings, tmp_path, "export", *words)
    assert run.returncode == 2 and said in run.stderr and "Traceback" not in run.stderr
    assert not list(tmp_path.glob("*.csv"))


def test_what_breaks_off_leaves_the_older_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("last week's")
    run = xiaohao(settings, tmp_path, "export", "--output", "x.csv", "--unit", "nowhere")
    assert run.returncode == 2 and (tmp_path / "x.csv").read_text() == "last week's"


def test_templates_are_written_once(settings: Settings, tmp_path: Path) -> None:
    run = xiaohao(settings, tmp_path, "templates", "mine")
    assert (run.returncode, run.stdout) == (0, "mine/notice.docx\nmine/record.docx\n"), run.stderr
    text = "\n".join(paragraph.text for paragraph in Document(str(tmp_path / "mine/notice.docx")).paragraphs)
    assert "{{ organ }}" in text and "{{ title }}" in text
    run = xiaohao(settings, tmp_path, "templates", "mine")
    assert run.returncode == 2 and "is there already" in run.stderr


def test_whoever_watches_sees_how_far_it_is(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal.err, "_force_terminal", True)
    monkeypatch.setattr(terminal.err, "is_interactive", True)
    run = xiaohao(settings, tmp_path, "export", "--output", "out.csv")
    # On a screen it is drawn over and over, and in the end taken away; what it comes to is said elsewhere.
    assert f"{ITEMS}/{ITEMS}" in run.stderr and run.stdout == f"{ITEMS} items in out.csv\n"
