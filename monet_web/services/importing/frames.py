"""Frames: pieces of bytes through a pipe, each behind its length, between a run and the process that reads for it."""

from __future__ import annotations

from typing import IO

READY = b"ready"
_LENGTH = 8  # bytes of the length


def send(pipe: IO[bytes], piece: bytes) -> None:
    """Write a piece. Raises OSError when nobody reads the pipe any more."""
    pipe.write(len(piece).to_bytes(_LENGTH, "big"))
    pipe.write(piece)
    pipe.flush()


def received(pipe: IO[bytes]) -> bytes | None:
    """The next piece, waited for; None when the pipe has ended, in the middle of a piece too."""
    length = pipe.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    size = int.from_bytes(length, "big")
    piece = pipe.read(size)
    return piece if len(piece) == size else None
