"""Encrypting and signing, while somebody changes the keys."""

from pathlib import Path
from uuid import UUID

import pytest

from service.outside import keys_file
from service.outside.keys_file import KeysUnusable
from service.outside.vault import ID_BYTES, Vault, verifier
from service.workflow.notes import Key

PLACE = {"tenant_id": UUID(int=1), "table": "items", "row": UUID(int=2)}
ELSEWHERE = [PLACE | {"tenant_id": UUID(int=3)}, PLACE | {"table": "imports"}, PLACE | {"row": UUID(int=3)}]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    keys_file.make(tmp_path / "keys.json")
    return Vault(tmp_path / "keys.json")


def test_what_was_encrypted_is_read_at_its_place_and_at_no_other(vault: Vault) -> None:
    sealed = vault.encrypt("李女士 13800000000", **PLACE)
    assert "李女士".encode() not in sealed and vault.encrypt("李女士 13800000000", **PLACE) != sealed
    assert vault.decrypt(sealed, **PLACE) == "李女士 13800000000"
    for place in ELSEWHERE:
        with pytest.raises(KeysUnusable, match="does not belong here"):
            vault.decrypt(sealed, **place)


@pytest.mark.parametrize("changed", [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:20], lambda b: b[:ID_BYTES]])
def test_what_was_changed_is_not_read(vault: Vault, changed: object) -> None:
    sealed = vault.encrypt("x", **PLACE)
    with pytest.raises(KeysUnusable, match="was changed"):
        vault.decrypt(changed(sealed), **PLACE)  # type: ignore[operator]


def test_what_no_key_of_the_file_encrypted_is_not_read(vault: Vault) -> None:
    for sealed in (b"", b"abc", bytes(60)):
        with pytest.raises(KeysUnusable, match="no key"):
            vault.decrypt(sealed, **PLACE)


def test_a_process_that_runs_takes_up_what_another_does_to_the_file(vault: Vault, tmp_path: Path) -> None:
    old, other = vault.encrypt("old", **PLACE), Vault(tmp_path / "keys.json")
    added = other.add(signing=False)
    assert vault.encrypt("x", **PLACE)[:ID_BYTES] == old[:ID_BYTES], "a key that was added does not encrypt yet"
    other.put_first(added)
    assert vault.encrypt("x", **PLACE)[:ID_BYTES].hex() == added == vault.data_fingerprints[0]
    assert vault.decrypt(other.encrypt("new", **PLACE), **PLACE) == "new"
    assert vault.decrypt(old, **PLACE) == "old"
    other.drop([old[:ID_BYTES].hex()])
    vault.refresh()
    with pytest.raises(KeysUnusable, match="no key"):
        vault.decrypt(old, **PLACE)


def test_a_new_key_is_found_first_by_what_it_encrypted(vault: Vault, tmp_path: Path) -> None:
    other = Vault(tmp_path / "keys.json")
    other.put_first(other.add(signing=False))
    assert vault.decrypt(other.encrypt("new", **PLACE), **PLACE) == "new"


def test_a_file_of_somebody_else_or_none_is_left_alone(vault: Vault, tmp_path: Path) -> None:
    path, sealed = tmp_path / "keys.json", vault.encrypt("x", **PLACE)
    for spoil in (path.unlink, lambda: path.write_text("{"), lambda: (path.unlink(), keys_file.make(path))):
        spoil()  # type: ignore[operator]
        assert vault.decrypt(vault.encrypt("y", **PLACE), **PLACE) == "y"
        assert vault.encrypt("y", **PLACE)[:ID_BYTES] == sealed[:ID_BYTES]


def test_each_key_that_signs_is_told_apart(vault: Vault, tmp_path: Path) -> None:
    (first,) = vault.log_fingerprints
    second = Vault(tmp_path / "keys.json").add(signing=True)
    keys = [Key("xiaohao", vault.public(each)) for each in (first, second)]
    for key, other in (keys, keys[::-1]):
        signature = vault.sign(key.public, b"message")
        assert verifier(key)(signature, b"message")
        assert not verifier(other)(signature, b"message") and not verifier(key)(signature, b"massage")
    with pytest.raises(KeysUnusable, match=r"lacks the key that signs the log now \(00000000\)"):
        vault.public("00000000")
