"""What the documentation shows is what the service does: the walk of both READMEs runs as it is written.

The commands go to bash unchanged, against a server started as `make run` starts it; only the address and the data
directory are told, by the variables that the walk itself reads.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service import settings as service_settings
from service.settings import Settings
from service.workflow import figures, machine
from tests.documents import ROOT, between, fenced
from tests.servers import Server

READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
WALK_TAKES_AT_MOST = 300
NEXT = "---- next block ----"

each_readme = pytest.mark.parametrize("readme", READMES)


class DemoServer(Server):
    options = ("--demo",)


@pytest.fixture(scope="module")
def demo(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    for needed in ("bash", "curl"):
        if shutil.which(needed) is None:
            pytest.skip(f"the walk needs {needed}")
    if subprocess.run(["date", "-d", "+1 day"], capture_output=True).returncode:
        pytest.skip("the walk needs GNU date")
    with DemoServer(settings, tmp_path_factory.mktemp("demo")) as server:
        yield server


def walked(readme: str, demo: DemoServer, home: Path) -> list[list[Any]]:
    """What each block of the walk answered: a list of JSON documents for every block."""
    script = home / "walk.sh"
    script.write_text("".join(f"{block}echo '{NEXT}'\n" for block in fenced(readme, "sh walk")))
    run = subprocess.run(
        ["bash", "-euo", "pipefail", str(script)],
        cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "BASE": demo.url,
            "DATA": str(demo.settings.data_dir),
        },
        capture_output=True,
        text=True,
        timeout=WALK_TAKES_AT_MOST,
    )
    assert run.returncode == 0 and not run.stderr, run.stdout + run.stderr
    *blocks, rest = run.stdout.split(f"{NEXT}\n")
    assert not rest
    return [[json.loads(line) for line in block.splitlines() if line] for block in blocks]


@each_readme
def test_the_walk_does_what_it_says(readme: str, demo: DemoServer, tmp_path: Path) -> None:
    answers = iter(walked(readme, demo, tmp_path))

    (me,) = next(answers)
    assert [grant["role"] for grant in me["grants"]] == ["supervisor"]
    assert "item:decide" in me["permissions"]

    (late,) = next(answers)
    assert len(late["items"]) == 2
    for each in late["items"]:
        assert re.fullmatch(r"督察-\d{4}-\d{4}", each["number"])
        assert each["overdue"] and each["deadline"]["due_on"] < "2026"

    talked, notices = next(answers)
    told = [event["type"] for event in talked["items"]]
    assert told[:2] == ["item.created", "item.claimed"]
    assert {"item.escalated", "interview.scheduled", "interview.recorded", "item.resumed"} <= set(told)
    assert "interview" in {notice["kind"] for notice in notices["items"]}
    assert all(re.fullmatch(r"督察.〔\d{4}〕\d+号", notice["number"]) for notice in notices["items"])

    (listed,) = next(answers)
    assert (listed["state"], listed["version"], listed["cycle"]) == ("open", 1, 1)
    due = date.fromisoformat(listed["deadline"]["due_on"])
    assert timedelta(days=19) <= due - datetime.now(UTC).date() <= timedelta(days=21)

    (claimed,) = next(answers)
    assert (claimed["id"], claimed["state"], claimed["version"]) == (listed["id"], "rectifying", 2)
    assert claimed["claim"]["signed_by"] == "李明"

    (reported,) = next(answers)
    assert (reported["item_id"], reported["percent"], reported["side"]) == (listed["id"], 40, "responsible")

    (extended,) = next(answers)
    assert (extended["state"], extended["extension_count"], extended["version"]) == ("extended", 1, 4)
    assert date.fromisoformat(extended["deadline"]["due_on"]) == due + timedelta(days=15)

    finished, refused, refused_in_english, prospects = next(answers)
    assert finished["percent"] == 100
    shown = {language: json.loads(fenced(name, "json refused")[0]) for name, language in READMES.items()}
    assert as_shown(refused) == as_shown(shown["zh"])
    assert as_shown(refused_in_english) == as_shown(shown["en"])
    close = next(each for each in prospects["items"] if each["trigger"] == "close")
    assert (close["allowed"], close["code"], close["guard"]) == (False, "guard_refused", "four_eyes")
    assert len(prospects["items"]) == 8

    (closed,) = next(answers)
    assert (closed["state"], closed["resolution"], closed["version"]) == ("closed", "rectified", 6)
    assert closed["lamp"] is None and closed["closed_days_late"] == 0

    (overdue,) = next(answers)
    assert len(overdue["items"]) == 2 and overdue["next_cursor"]
    first, second = overdue["items"]
    assert first["days_overdue"] >= second["days_overdue"] > 0
    for each in overdue["items"]:
        assert each["waiting_for"] in ("responsible", "supervising")
        assert each["item"]["overdue"] if each["kind"] == "item" else each["kind"] in ("interview", "receipt")

    (found,) = next(answers)
    assert len(found["items"]) == 2
    assert all(
        "饮水" in json.dumps(each, ensure_ascii=False) and each["state"] == "rectifying" for each in found["items"]
    )

    (history,) = next(answers)
    assert [(event["type"], event["item_version"]) for event in history["items"]] == [
        ("item.created", 1),
        ("item.claimed", 2),
        ("item.progressed", 3),
        ("item.extended", 4),
        ("item.progressed", 5),
        ("item.closed", 6),
    ]
    assert next(answers, None) is None, "a block of the walk is not looked at"


def as_shown(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem without what differs from one request to the next."""
    assert re.fullmatch(r"/v1/items/[0-9a-f-]{36}/transitions", problem["instance"])
    assert re.fullmatch(r"[0-9a-f]{32}", problem["request_id"])
    return {name: value for name, value in problem.items() if name not in ("instance", "request_id")}


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = READMES
    assert fenced(english, "sh walk") == fenced(chinese, "sh walk")
    assert fenced(english, "sh") == fenced(chinese, "sh")


@each_readme
def test_the_commands_of_make_are_there(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "".join(fenced(readme, "sh"))))
    assert named == {"run", "test"} and named <= targets


@pytest.mark.parametrize("document", [*READMES, "docs/states.md"])
def test_the_diagram_is_the_machine_s_own(document: str) -> None:
    assert between(document, "diagram") == f"```mermaid\n{machine.mermaid()}```\n", "print it with `xiaohao diagram`"


@pytest.mark.parametrize(("document", "language"), [*READMES.items(), ("docs/deployment.md", "en")])
def test_the_settings_are_those_there_are(document: str, language: str) -> None:
    assert between(document, "settings") == service_settings.table(language), "print it with `xiaohao settings`"


def test_the_figures_are_those_there_are() -> None:
    assert between("docs/statistics.md", "figures") == figures.table("en"), "print it with `xiaohao definitions`"


def test_every_setting_is_explained_in_both_languages() -> None:
    english, chinese = service_settings.table("en").splitlines(), service_settings.table("zh").splitlines()
    assert len(english) == len(chinese) == len(Settings.model_fields) + 2
    for line in chinese[2:]:
        assert re.search(r"[\u4e00-\u9fff]", line), line
    for line in english[2:]:
        assert not line.endswith("|  |"), line


@pytest.mark.parametrize("document", [*READMES, *(str(each.relative_to(ROOT)) for each in ROOT.glob("docs/*.md"))])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert ((ROOT / document).parent / target).exists(), target
