"""The rooms of the service and the ways between them: the contracts in pyproject.toml hold, and each can fail.

A contract that cannot fail protects nothing (a typo in a module's name is enough), so every one of them is shown a
copy of the service with one forbidden import in it and must be the one, and the only one, to object.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Trespass:
    contract: str
    """The id of the contract that must object."""
    lines: dict[str, str]
    """File below service/ -> what is written at its end."""


TRESPASSES = [
    Trespass("layers", {"store/trespass.py": "import service.outside"}),
    Trespass("layers", {"settings.py": "import service.workflow"}),
    Trespass("layers", {"console/trespass.py": "import service.api.deps"}),
    Trespass("layers", {"api/trespass.py": "import service.console.pages"}),
    Trespass("layers", {"demo/trespass.py": "import service.console.pages"}),
    Trespass("layers", {"attic.py": "# a module that has no place in the order"}),
    Trespass("pure-workflow", {"workflow/trespass.py": "import httpx"}),
    Trespass("pure-workflow", {"workflow/trespass.py": "from pydantic import BaseModel"}),
    Trespass("pure-workflow", {"workflow/trespass.py": "from service import settings"}),
    Trespass("pure-workflow", {"workflow/trespass.py": "import service.errors", "errors.py": "import httpx"}),
    Trespass("sql-in-store", {"api/trespass.py": "import sqlalchemy"}),
    Trespass("sql-in-store", {"actions/trespass.py": "from sqlmodel import select"}),
    Trespass("sql-in-store", {"console/trespass.py": "import sqlalchemy"}),
    Trespass("sql-in-store", {"cli/trespass.py": "from sqlalchemy.ext.asyncio import create_async_engine"}),
    Trespass("http-at-the-edge", {"actions/trespass.py": "from fastapi import Request"}),
    Trespass("http-at-the-edge", {"cli/trespass.py": "import starlette.requests"}),
    Trespass("store-through-actions", {"api/trespass.py": "import service.store"}),
    Trespass("store-through-actions", {"console/trespass.py": "from service.store import items"}),
    Trespass("store-through-actions", {"workers/__init__.py": "", "workers/trespass.py": "import service.store"}),
    Trespass(
        "no-cycles",
        {
            "workflow/trespass.py": "import service.workflow.accomplice",
            "workflow/accomplice.py": "import service.workflow.trespass",
        },
    ),
]

CONTRACTS: dict[str, str] = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}


def lint(place: Path) -> subprocess.CompletedProcess[str]:
    # The linter looks for `service` in its working directory first, so a copy is judged and not what is installed.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=place,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def verdicts(output: str) -> dict[str, str]:
    """The id of each contract -> KEPT or BROKEN."""
    by_name = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", output, flags=re.MULTILINE))
    return {id_: by_name[name] for id_, name in CONTRACTS.items()}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "service", tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ("outside", "workers"):  # trespasses pass through these, whether they were built yet or not
        (tmp_path / "service" / room).mkdir(exist_ok=True)
        (tmp_path / "service" / room / "__init__.py").touch()
    return tmp_path


def test_imports_keep_to_the_contracts() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_has_a_trespass() -> None:
    assert {trespass.contract for trespass in TRESPASSES} == set(CONTRACTS)


def test_the_copy_is_clean_before_the_trespass(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "trespass", TRESPASSES, ids=[f"{t.contract}-{number}" for number, t in enumerate(TRESPASSES, start=1)]
)
def test_a_forbidden_import_breaks_its_contract_and_no_other(copy: Path, trespass: Trespass) -> None:
    for name, line in trespass.lines.items():
        with (copy / "service" / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode != 0, done.stdout
    broken = {id_ for id_, verdict in verdicts(done.stdout).items() if verdict == "BROKEN"}
    assert broken == {trespass.contract}, done.stdout + done.stderr
