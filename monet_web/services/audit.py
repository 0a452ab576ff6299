"""The audit trail: every service that changes something says here who changed what, when, from what to what (G3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from monet_web.models.audit import AuditEntry

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one subject; `before` None: it is new, `after` None: it is gone."""

    subject_id: int
    before: Values | None = None
    after: Values | None = None


def record(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: int,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """One entry, in the caller's writing transaction. `before` and `after` must hold no secret."""
    rows(
        session,
        at=at,
        actor=actor,
        action=action,
        subject_kind=subject_kind,
        changes=[Change(subject_id, before, after)],
    )


def rows(
    session: Session, *, at: datetime, actor: str, action: str, subject_kind: str, changes: Iterable[Change]
) -> None:
    """Many entries of one action at once: one statement, whatever their number."""
    entries = [
        {
            "at": at,
            "actor": actor[:200],
            "action": action,
            "subject_kind": subject_kind,
            "subject_id": change.subject_id,
            "before": _plain(change.before),
            "after": _plain(change.after),
        }
        for change in changes
    ]
    if entries:
        session.execute(insert(AuditEntry), entries)


def _plain(value: Any) -> Any:
    """The value as JSON keeps it: exact numbers as text, times in ISO form."""
    match value:
        case None | bool() | int():
            return value
        case StrEnum():
            return value.value
        case str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in value]
        case _:
            return str(value)
