"""The keys of the embedded default: one file, made once, whoever comes first; read by this user alone."""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet


class KeysDamaged(Exception):
    """The file is there, but it does not hold keys. Never replaced by new ones: they would open nothing."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs sessions, and what seals (the first) and opens (all) the stores' secrets."""

    secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)


def keys_at(path: Path) -> Keys:
    """Read the keys of that file; make it (mode 0600) if it is absent.

    Of two processes that start at once one makes the file and both read it. Raises KeysDamaged, OSError.
    """
    with suppress(FileNotFoundError):
        return _read(path)
    _make(path)
    return _read(path)


def _read(path: Path) -> Keys:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        secret_key, encryption_keys = document["secret_key"], document["encryption_keys"]
        for key in encryption_keys:
            Fernet(key)
    except (ValueError, KeyError, TypeError, AttributeError):
        # The error's own text may quote a key.
        raise KeysDamaged("it does not hold the keys that were made there") from None
    if not isinstance(secret_key, str) or len(secret_key) < 32 or not encryption_keys:
        raise KeysDamaged("a key in it is missing or too short")
    return Keys(secret_key=secret_key, encryption_keys=tuple(encryption_keys))


def _make(path: Path) -> None:
    document = {
        "note": "Back this file up: without it the stores' secrets in the database can't be opened.",
        "secret_key": secrets.token_urlsafe(48),
        "encryption_keys": [Fernet.generate_key().decode("ascii")],
    }
    with _one_at_a_time(path.parent):
        if path.exists():
            return  # somebody else was first
        # mkstemp makes the file 0600; it gets its name only when it is whole and on the disk.
        descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=".keys-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(path)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    # The folder itself is locked: no lock file to leave behind, and the kernel lets go when a process dies.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
