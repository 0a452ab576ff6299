"""Which month or quarter the address of a report asks for, the ones beside it, and files as answers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import send_file
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from monet_web.domain.isaf import FIRST_DAY
from monet_web.domain.quarters import Quarter, quarter_of, read_quarter
from monet_web.domain.windows import local_day
from monet_web.models.base import now_utc
from monet_web.models.company import Company

Kept = TypeVar("Kept")
_LAST_YEAR = 2099


def month_of(text: str) -> date | None:
    """`2026-11` as its first day, None for anything else and for months before i.SAF 1.2."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first if first >= FIRST_DAY and first.year <= _LAST_YEAR else None


def last_month(session: Session) -> date:
    """The month that is filed next: the one before this. Inside a transaction."""
    return before(today(session).replace(day=1))


def before(first: date) -> date:
    """The month before."""
    return (first - timedelta(days=1)).replace(day=1)


def after(first: date) -> date:
    """The month after."""
    return (first + timedelta(days=31)).replace(day=1)


def quarter(text: str) -> Quarter | None:
    """`2026-Q4`, None for anything else."""
    found = read_quarter(text)
    return found if found is not None and FIRST_DAY.year < found.year <= _LAST_YEAR else None


def quarter_to_file(session: Session) -> Quarter:
    """That of last month: it is declared in the month after its end. Inside a transaction."""
    return quarter_of(last_month(session))


def today(session: Session) -> date:
    """The company's. Inside a transaction."""
    return local_day(now_utc(), ZoneInfo(session.get_one(Company, 1).time_zone))


def as_download(name: str, mimetype: str, write: Callable[[Path], Kept]) -> ResponseReturnValue:
    """What `write` puts into a file, as an answer with that name."""
    with tempfile.TemporaryDirectory(prefix="monet-") as folder:
        path = Path(folder) / name
        write(path)
        file = path.open("rb")  # the file lives on until the answer is sent, its name goes with the folder
    return send_file(file, mimetype=mimetype, as_attachment=True, download_name=name)
