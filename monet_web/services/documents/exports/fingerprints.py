"""Which documents a file held and what it said of each, in 20 bytes a document: what changed since can then be told."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from struct import Struct

MOST_SHOWN = 50
_ROW = Struct(">IQ8s")  # day as an ordinal, id of the document, digest
_COMPRESSED_AT_ONCE = 64 * 1024

Fingerprint = tuple[date, int, bytes]


@dataclass(slots=True)
class Changes:
    """Documents by what happened to them since a file was taken: how many, and the ids of the first ones."""

    added: int = 0
    altered: int = 0
    gone: int = 0
    ids: dict[str, list[int]] = field(default_factory=lambda: {"added": [], "altered": [], "gone": []})

    @property
    def are_none(self) -> bool:
        """Nothing changed."""
        return not (self.added or self.altered or self.gone)

    def note(self, what: str, document_id: int) -> None:
        """One more; `what` is added, altered or gone."""
        setattr(self, what, getattr(self, what) + 1)
        if len(self.ids[what]) < MOST_SHOWN:
            self.ids[what].append(document_id)


def digest(said: object) -> bytes:
    """Eight bytes that differ when what is said differs; `said` is made of values with exact representations."""
    return blake2b(repr(said).encode(), digest_size=8).digest()


class Kept:
    """Packs fingerprints as they come, in order of (day, id)."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj()
        self._packed = bytearray()

    def add(self, fingerprint: Fingerprint) -> None:
        """One more document."""
        day, document_id, said = fingerprint
        self._packed += self._packer.compress(_ROW.pack(day.toordinal(), document_id, said))

    def packed(self) -> bytes:
        """All of them, to be kept; nothing can be added afterwards."""
        return bytes(self._packed + self._packer.flush())


def unpacked(packed: bytes) -> Iterator[Fingerprint]:
    """Those that were kept, in their order."""
    left = b""
    for chunk in _decompressed(packed):
        left += chunk
        whole = len(left) - len(left) % _ROW.size
        for day, document_id, said in _ROW.iter_unpack(left[:whole]):
            yield date.fromordinal(day), document_id, said
        left = left[whole:]


def _decompressed(packed: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    while packed:
        yield unpacker.decompress(packed, _COMPRESSED_AT_ONCE)
        packed = unpacker.unconsumed_tail
    yield unpacker.flush()


class Compared:
    """Compares documents that come in order of (day, id) with those of a file; both are read once."""

    def __init__(self, then: Iterable[Fingerprint]) -> None:
        self.changes = Changes()
        self._then = iter(then)
        self._next = next(self._then, None)

    def add(self, now: Fingerprint) -> None:
        """A document as it would be said now."""
        while self._next is not None and self._next[:2] < now[:2]:
            self._gone()
        if self._next is None or self._next[:2] != now[:2]:
            self.changes.note("added", now[1])
            return
        if self._next[2] != now[2]:
            self.changes.note("altered", now[1])
        self._next = next(self._then, None)

    def finished(self) -> Changes:
        """After the last document."""
        while self._next is not None:
            self._gone()
        return self.changes

    def _gone(self) -> None:
        assert self._next is not None  # noqa: S101 - asked by the callers
        self.changes.note("gone", self._next[1])
        self._next = next(self._then, None)
