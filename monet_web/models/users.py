"""The people who sign in, and the links that let them in the first time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from monet_web.models.base import Base, Id, Moment, Sealed, kept_by_value


class Role(StrEnum):
    """Each may do what the one before it may (H1)."""

    VIEWER = "viewer"
    OFFICE = "office"
    ACCOUNTANT = "accountant"
    ADMINISTRATOR = "administrator"


class User(Base):
    """One person; `email` is folded. No password until the first link was used."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(kept_by_value(Role))
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    second_factor: Mapped[dict[str, str] | None] = mapped_column(Sealed)
    language: Mapped[str] = mapped_column(String(2), default="")
    theme: Mapped[str] = mapped_column(String(10), default="")
    session_version: Mapped[int] = mapped_column(Integer, default=1)  # raised to sign out everywhere
    created_at: Mapped[datetime] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)

    def __repr__(self) -> str:
        return f"<User {self.id} {self.role}>"


class LoginLink(Base):
    """A one-time link: only the hash of its token is kept."""

    __tablename__ = "login_links"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship(lazy="joined")
