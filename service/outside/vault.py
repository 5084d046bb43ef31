"""The keys file: data keys that encrypt what must not lie open in the database, and the key that signs the log.

Of the data keys the first encrypts, all decrypt. AES-256-GCM; every ciphertext is bound to its tenant, table and row,
so that none can be moved to another place and read there. The signing key is an Ed25519 key.
"""

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LOG = "log:"
"""What the fingerprint of a signing key begins with."""

_ID_BYTES = 4
_NONCE_BYTES = 12


class KeysUnusable(Exception):
    """The keys file is missing, unreadable, or not the one that the database was written with."""


class Vault:
    """Data keys by their id (the first bytes of the key's hash), and the key that signs checkpoints of the log."""

    def __init__(self, keys: list[bytes], signing_key: bytes) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._current = _key_id(keys[0])
        self._signer = Ed25519PrivateKey.from_private_bytes(signing_key)
        self.log_public = self._signer.public_key().public_bytes_raw()

    @property
    def fingerprints(self) -> list[str]:
        return [key_id.hex() for key_id in self._ciphers]

    @property
    def log_fingerprint(self) -> str:
        return LOG + _key_id(self.log_public).hex()

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature by the log's key."""
        return self._signer.sign(message)

    def encrypt(self, plain: str, *, tenant_id: UUID, table: str, row: UUID) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain.encode(), _place(tenant_id, table, row))
        return self._current + nonce + sealed

    def decrypt(self, sealed: bytes, *, tenant_id: UUID, table: str, row: UUID) -> str:
        """Raises KeysUnusable where no key fits, or where the ciphertext was written for another place."""
        cipher = self._ciphers.get(sealed[:_ID_BYTES])
        if cipher is None:
            raise KeysUnusable("no key in the keys file decrypts this")
        nonce, rest = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, _place(tenant_id, table, row)).decode()
        except InvalidTag:
            raise KeysUnusable("the ciphertext does not belong here, or was changed") from None


def verifier(public: bytes) -> Callable[[bytes, bytes], bool]:
    """Whether a signature is good for a message, by an Ed25519 public key of 32 bytes."""
    key = Ed25519PublicKey.from_public_bytes(public)

    def good(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return good


def load(path: Path) -> Vault:
    """The keys of an existing file. Raises KeysUnusable with one line that says what is wrong with it.

    A file from before there was a log gets a signing key.
    """
    try:
        content: Any = json.loads(path.read_text())
        if "log_keys" not in content:
            content = _add_signing_key(path)
        data_keys, log_keys = ([_decoded(key) for key in content[name]] for name in ("data_keys", "log_keys"))
        return Vault(data_keys, log_keys[0])
    except FileNotFoundError:
        raise KeysUnusable(f"{path} does not exist") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise KeysUnusable(f"{path} cannot be read as a keys file ({type(error).__name__})") from None


def make(path: Path) -> Vault:
    """A new keys file, readable by its owner only; an existing one is never overwritten."""
    content = {"data_keys": [_encoded(AESGCM.generate_key(bit_length=256))], "log_keys": [_encoded(_signing_key())]}
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        _write(file, content)
    return load(path)


def _add_signing_key(path: Path) -> Any:
    """The file's content with a signing key, made once however many processes start on it."""
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        content: Any = json.loads(path.read_text())
        if "log_keys" not in content:
            content["log_keys"] = [_encoded(_signing_key())]
            fresh = path.with_suffix(".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                _write(file, content)
            fresh.replace(path)
        return content


def _write(file: IO[str], content: Any) -> None:
    json.dump(content, file)
    file.flush()
    os.fsync(file.fileno())


def _signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decoded(key: str) -> bytes:
    return base64.b64decode(key, validate=True)


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]


def _place(tenant_id: UUID, table: str, row: UUID) -> bytes:
    return tenant_id.bytes + table.encode() + b"\0" + row.bytes
