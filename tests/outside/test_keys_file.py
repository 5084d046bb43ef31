"""The keys file: made once, replaced whole, readable by its owner only; what is wrong with one is said in a line."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.outside import keys_file
from service.outside.keys_file import Keys, KeysUnusable, new_data_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keys_file.make(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def test_it_is_its_owners_alone_also_when_it_was_replaced(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    keys_file.change(path, lambda held: Keys((*held.data, new_data_key()), held.log))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [len(keys) for keys in (keys_file.load(path).data, keys_file.load(path).log)] == [2, 1]


def test_one_that_is_there_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        keys_file.make(path)
    assert path.read_bytes() == before


def test_one_from_before_there_was_a_log_gets_a_signing_key_once(path: Path) -> None:
    content = json.loads(path.read_text())
    del content["log_keys"]
    path.write_text(json.dumps(content))
    first = keys_file.load(path)
    assert len(first.log) == 1 and keys_file.load(path) == first


def test_whoever_changes_it_at_once_with_others_takes_nothing_back(path: Path) -> None:
    added = [new_data_key() for _ in range(40)]

    def add(key: bytes) -> None:
        keys_file.change(path, lambda held: Keys((*held.data, key), held.log))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, added))
    assert set(added) <= set(keys_file.load(path).data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "JSONDecodeError"),
        ("[]", "AttributeError"),
        ("{}", "not of 32 bytes"),
        ('{"data_keys": "', "JSONDecodeError"),
        ('{"data_keys": [1]}', "TypeError"),
        ('{"data_keys": ["?"]}', "Error"),
        ('{"data_keys": ["c2hvcnQ="], "log_keys": []}', "not of 32 bytes"),
    ],
)
def test_what_is_no_keys_file_is_named(path: Path, content: str, said: str) -> None:
    path.write_text(content)
    with pytest.raises(KeysUnusable, match=f"{path} cannot be read as a keys file .*{said}"):
        keys_file.load(path)


def test_one_that_is_missing_or_cannot_be_changed_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="does not exist"):
        keys_file.load(tmp_path / "keys.json")
    with pytest.raises(KeysUnusable, match=r"cannot be changed \(No such file"):
        keys_file.change(tmp_path / "nowhere" / "keys.json", lambda held: held)
