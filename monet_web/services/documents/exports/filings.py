"""Files that were taken to be filed: each is kept with its hash, who took it when, and what it held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from monet_web.domain.errors import BrokenRule
from monet_web.domain.isaf import DEFAULT_PART, PART, Terms
from monet_web.models.base import writing
from monet_web.models.filings import Filing, FilingTerms
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields

ISAF, OSS = "isaf", "oss"
MOST_LISTED = 50
_READ_AT_ONCE = 1 << 20
_OSS = ("", "in", "out")
_NAMES = ("given", "none")


def taken(session: Session, kind: str, period: str) -> list[Filing]:
    """The files taken for a period, the newest first. Inside a transaction."""
    query = (
        select(Filing).where(Filing.kind == kind, Filing.period == period).order_by(Filing.id.desc())
        .limit(MOST_LISTED).options(defer(Filing.fingerprints))
    )  # fmt: skip
    return list(session.scalars(query))


def newest(session: Session, kind: str, period: str) -> Filing | None:
    """The file taken last for a period, with its fingerprints. Inside a transaction."""
    query = select(Filing).where(Filing.kind == kind, Filing.period == period).order_by(Filing.id.desc()).limit(1)
    return session.scalars(query).first()


def keep(
    session: Session,
    path: Path,
    *,
    kind: str,
    period: str,
    name: str,
    documents: int,
    sums: dict[str, Any],
    left_out: int = 0,
    fingerprints: bytes = b"",
    first: Callable[[Session], None] | None = None,
    now: datetime,
    actor: str,
) -> Filing:
    """Remember the file at `path` as taken. In a transaction of its own, which begins with `first`."""
    with path.open("rb") as file:
        sha256 = hashlib.sha256()
        size = 0
        while part := file.read(_READ_AT_ONCE):
            sha256.update(part)
            size += len(part)
    filing = Filing(
        kind=kind, period=period, made_at=now, made_by=actor[:200], file_name=name[:200], sha256=sha256.hexdigest(),
        size=size, documents=documents, left_out=left_out, sums=sums, fingerprints=fingerprints,
    )  # fmt: skip
    with writing(session):
        if first is not None:
            first(session)
        session.add(filing)
        session.flush()
        audit.record(
            session, at=now, actor=actor, action="file_taken", subject_kind="filing", subject_id=filing.id,
            after={"kind": kind, "period": period, "sha256": filing.sha256, "documents": documents, "name": name},
        )  # fmt: skip
    return filing


def terms(session: Session) -> Terms:
    """What was said once about i.SAF; empty where nothing was. Inside a transaction."""
    row = session.get(FilingTerms, 1, populate_existing=True)
    return Terms() if row is None else Terms(row.part, row.oss, row.names)


def set_terms(
    session: Session, *, part: str | None = None, oss: str | None = None, names: str | None = None, now: datetime,
    actor: str,
) -> Terms:  # fmt: skip
    """Say it, or correct it; None leaves a value as it is. In a transaction of its own. Raises BrokenRule."""
    wrong = {}
    if part is not None:
        part = part.strip().upper()
        if not PART.fullmatch(part):
            wrong["part"] = f"Type 1 to 20 capital letters A to Z, digits or _, as {DEFAULT_PART}."
    if oss is not None and oss not in _OSS:
        wrong["oss"] = "Choose in or out."
    if names is not None and names not in _NAMES:
        wrong["names"] = "Choose given or none."
    if wrong:
        raise WrongFields(wrong)
    with writing(session):
        row = session.get(FilingTerms, 1, populate_existing=True, with_for_update=True)
        if row is None:
            row = FilingTerms(id=1, part="", oss="", names="")
            session.add(row)
        before = {"part": row.part, "oss": row.oss, "names": row.names}
        row.part = row.part if part is None else part
        row.oss = row.oss if oss is None else oss
        row.names = row.names if names is None else names
        after = {"part": row.part, "oss": row.oss, "names": row.names}
        if after != before:
            audit.record(
                session, at=now, actor=actor, action="filing_terms_set", subject_kind="filing_terms", subject_id=1,
                before=before, after=after,
            )  # fmt: skip
    return Terms(row.part, row.oss, row.names)


def unwritable(path: Path, error: OSError) -> BrokenRule:
    """What is said of a place that can't be written to."""
    return BrokenRule(f"{path} can't be written: {error.strerror or error}.", fix="Name a folder where you may write.")
