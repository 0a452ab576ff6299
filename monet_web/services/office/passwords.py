"""Passwords: hashed with Argon2, outside every transaction; a wrong one costs the same time as an unknown person."""

from __future__ import annotations

import base64
import os

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models.base import reading
from monet_web.models.users import User

_hasher = PasswordHasher()


def _of_nobody() -> str:
    """A hash of no password, as dear to check as a real one; making it costs nothing, so no start waits for it."""
    salt, digest = (
        base64.b64encode(os.urandom(length)).decode().rstrip("=") for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


# Checked when the person is unknown, so that nobody can tell by the time who is here.
_OF_NOBODY = _of_nobody()


def hashed(password: str) -> str:
    """What the database keeps."""
    return _hasher.hash(password)


def check(session: Session, *, email: str, password: str) -> User | None:
    """The person with this e-mail and password who may sign in; None otherwise. Opens a reading transaction."""
    with reading(session):
        user = session.scalars(
            select(User).where(User.email == fold(email)).execution_options(populate_existing=True)
        ).one_or_none()
    known = user is not None and bool(user.password_hash) and user.disabled_at is None
    try:
        _hasher.verify(user.password_hash if user is not None and known else _OF_NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    return user if known else None
