"""Encrypting, decrypting and signing by the keys file, also when its keys change while the service runs.

AES-256-GCM; every ciphertext is bound to its tenant, table and row, so that none can be moved to another place and read
there. It begins with the id of its key. Signatures are Ed25519.
"""

import hashlib
import os
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.outside import keys_file
from service.outside.keys_file import Keys, KeysUnusable
from service.workflow.notes import Key

ID_BYTES = 4
_NONCE_BYTES = 12


class Vault:
    """The keys of a file by their fingerprints, which are the first bytes of a data key's or public key's hash.

    It looks at the file each time it encrypts, and when it meets a key that it does not know: whoever rotates the keys
    need not stop the service.
    """

    def __init__(self, path: Path) -> None:
        """Raises KeysUnusable where there is no keys file."""
        self._path = path
        self._seen = _stamp(path)
        self._hold(keys_file.load(path))

    def _hold(self, keys: Keys) -> None:
        self._keys = keys
        self._ciphers = {_id(key): AESGCM(key) for key in keys.data}
        signers = [Ed25519PrivateKey.from_private_bytes(key) for key in keys.log]
        self._signers = {each.public_key().public_bytes_raw(): each for each in signers}

    @property
    def data_fingerprints(self) -> list[str]:
        """Of the data keys; the first encrypts."""
        return [key_id.hex() for key_id in self._ciphers]

    @property
    def log_fingerprints(self) -> list[str]:
        """Of the keys that sign, or have signed, or may sign one day."""
        return [_id(public).hex() for public in self._signers]

    def public(self, fingerprint: str) -> bytes:
        """The public key of 32 bytes with this fingerprint. Raises KeysUnusable where the file does not hold it."""
        if fingerprint not in self.log_fingerprints:
            self.refresh()
        for public in self._signers:
            if _id(public).hex() == fingerprint:
                return public
        raise KeysUnusable(f"{self._path} lacks the key that signs the log now ({fingerprint}): copy the present file")

    def sign(self, public: bytes, message: bytes) -> bytes:
        """An Ed25519 signature by the private key that belongs to a public key that `public` gave."""
        return self._signers[public].sign(message)

    def encrypt(self, plain: str, *, tenant_id: UUID, table: str, row: UUID) -> bytes:
        self.refresh()
        current, nonce = next(iter(self._ciphers)), os.urandom(_NONCE_BYTES)
        return current + nonce + self._ciphers[current].encrypt(nonce, plain.encode(), _place(tenant_id, table, row))

    def decrypt(self, sealed: bytes, *, tenant_id: UUID, table: str, row: UUID) -> str:
        """Raises KeysUnusable where no key fits, or where the ciphertext was written for another place."""
        if sealed[:ID_BYTES] not in self._ciphers:
            self.refresh()
        cipher = self._ciphers.get(sealed[:ID_BYTES])
        if cipher is None:
            raise KeysUnusable("no key in the keys file decrypts this")
        nonce, rest = sealed[ID_BYTES : ID_BYTES + _NONCE_BYTES], sealed[ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, _place(tenant_id, table, row)).decode()
        except (InvalidTag, ValueError):
            raise KeysUnusable("the ciphertext does not belong here, or was changed") from None

    def refresh(self) -> None:
        """Take the file's keys where it was replaced.

        One that cannot be read, or shares no key with the one before, is somebody's mistake: it is left alone, for the
        next start to refuse.
        """
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            keys = keys_file.load(self._path)
        except KeysUnusable:
            return
        if {*keys.data, *keys.log} & {*self._keys.data, *self._keys.log}:
            self._hold(keys)

    # -- changing the file

    def add(self, *, signing: bool) -> str:
        """A new key behind those that are there: it decrypts, or may sign one day. Its fingerprint."""
        if signing:
            key = keys_file.new_log_key()
            self._change(lambda held: Keys(held.data, (*held.log, key)))
            return _id_of_log_key(key).hex()
        key = keys_file.new_data_key()
        self._change(lambda held: Keys((*held.data, key), held.log))
        return _id(key).hex()

    def put_first(self, fingerprint: str) -> None:
        """Have this data key encrypt from now on."""
        self._change(
            lambda held: Keys(tuple(sorted(held.data, key=lambda key: _id(key).hex() != fingerprint)), held.log)
        )

    def drop(self, fingerprints: Collection[str]) -> None:
        """Take keys out of the file, of either kind."""
        self._change(
            lambda held: Keys(
                tuple(key for key in held.data if _id(key).hex() not in fingerprints),
                tuple(key for key in held.log if _id_of_log_key(key).hex() not in fingerprints),
            )
        )

    def _change(self, changed: Callable[[Keys], Keys]) -> None:
        self._hold(keys_file.change(self._path, changed))
        self._seen = _stamp(self._path)


def verifier(key: Key) -> Callable[[bytes, bytes], bool]:
    """Whether a signature is good for a message."""
    public = Ed25519PublicKey.from_public_bytes(key.public)

    def good(signature: bytes, message: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return good


def _id_of_log_key(key: bytes) -> bytes:
    return _id(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw())


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_ctime_ns, stat.st_size


def _id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]


def _place(tenant_id: UUID, table: str, row: UUID) -> bytes:
    return tenant_id.bytes + table.encode() + b"\0" + row.bytes
