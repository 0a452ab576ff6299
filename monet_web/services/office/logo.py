"""The company's logo on documents: a small picture, drawn anew from its points so that nothing else of a file stays."""

from __future__ import annotations

import io
from datetime import datetime

from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.company import CompanyLogo
from monet_web.services import audit

LARGEST = 1024 * 1024  # bytes of the file
_MOST_POINTS = 4000  # a side; a picture that would take gigabytes to open is never opened
_KEPT = (1200, 600)  # points that 45 × 20 mm need in print, twice over
_FIELD = "logo"


def get(session: Session) -> CompanyLogo | None:
    """The picture, None when there is none. Inside a transaction."""
    return session.get(CompanyLogo, 1, populate_existing=True)


def put(session: Session, body: bytes, *, now: datetime, actor: str) -> None:
    """Keep a PNG or JPEG of at most LARGEST bytes instead of what was there. Raises BrokenRule (field `logo`)."""
    picture, size = _drawn_anew(body)
    with writing(session):
        row = get(session)
        if row is None:
            row = CompanyLogo(id=1)
            session.add(row)
        row.media_type, row.body = "image/png", picture
        audit.record(
            session, at=now, actor=actor, action="logo_changed", subject_kind="company", subject_id=1,
            after={"logo": f"{size[0]} × {size[1]}"},
        )  # fmt: skip


def remove(session: Session, *, now: datetime, actor: str) -> bool:
    """Documents have no logo from now on; False when they had none."""
    with writing(session):
        row = get(session)
        if row is None:
            return False
        session.delete(row)
        audit.record(session, at=now, actor=actor, action="logo_removed", subject_kind="company", subject_id=1)
    return True


def _drawn_anew(body: bytes) -> tuple[bytes, tuple[int, int]]:
    """The picture as a PNG, and its size in points."""
    from PIL import Image, UnidentifiedImageError

    if not body:
        raise BrokenRule("The file is empty.", fix="Choose a PNG or JPEG picture.", field=_FIELD)
    if len(body) > LARGEST:
        raise BrokenRule(
            f"The file has {len(body) // 1024:,} KB; a logo may have {LARGEST // 1024:,} KB.",
            fix="Save it smaller: 1200 points across are enough for print.", field=_FIELD,
        )  # fmt: skip
    if b"<svg" in body[:2000].lower():
        # A drawing in SVG is a page of its own, which may hold scripts and ask for other files.
        raise BrokenRule("An SVG drawing is not taken.", fix="Save it as PNG, 1200 points across.", field=_FIELD)
    try:
        with Image.open(io.BytesIO(body), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > _MOST_POINTS:
                raise BrokenRule(
                    f"The picture is {picture.width} × {picture.height} points.",
                    fix=f"Save it with at most {_MOST_POINTS} a side.", field=_FIELD,
                )  # fmt: skip
            drawn = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise BrokenRule(
            "The file is no PNG or JPEG picture, or only part of one.", fix="Choose another file.", field=_FIELD
        ) from None
    drawn.thumbnail(_KEPT)
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue(), drawn.size
