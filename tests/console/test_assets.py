"""The console's own files: what names them, how long they are kept, and that an installed service has them too."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from service.console import assets

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "service/console/static"


@pytest.fixture(scope="module")
def kind() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


def address(name: str, version: str | None = None) -> str:
    return f"/console/static/{version or assets.digest()}/{name}"


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
async def test_a_file_is_kept_for_ever_under_the_name_of_its_content(world, name):
    guest = world.with_key(None)
    answer = await guest.get(address(name))
    assert answer.status_code == 200 and answer.content == (STATIC / name).read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == assets.TYPES[name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff" and "set-cookie" not in answer.headers
    again = await guest.get(address(name), headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


async def test_under_the_name_of_another_release_it_must_be_asked_for_again(world):
    answer = await world.with_key(None).get(address("console.css", "0" * 16))
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "..", "%2e%2e%2fpages.py", "..%2fpages.py", "__init__.py"])
async def test_nothing_else_is_served(world, name):
    assert (await world.with_key(None).get(address(name))).status_code == 404


def test_nothing_is_loaded_from_elsewhere():
    for path in STATIC.iterdir():
        # A namespace is a name, not an address.
        text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"(https?:)?//[\w.-]+\.\w", text), path
        assert "@import" not in text and "url(" not in text, path
        assert "innerHTML" not in text and "eval(" not in text and "document.write" not in text, path


def test_modules_load_only_what_is_there():
    for path in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', path.read_text()):
            assert (STATIC / name).exists(), (path.name, name)


def test_a_wheel_has_templates_and_files(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "static"):
        wanted = {f"service/console/{folder}/{path.name}" for path in (ROOT / "service/console" / folder).iterdir()}
        assert wanted and wanted <= inside
