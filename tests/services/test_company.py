"""The company: what may be set, and that closing a period has a reason."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import AuditEntry
from monet_web.models.base import reading
from monet_web.services.office import company
from tests.builders import NOON


def change(session: Session, *, reason: str = "", **values: str) -> list[str]:
    return company.set_values(session, values, reason=reason, now=NOON, actor="test")


def test_what_is_set_is_kept_normalised_and_in_the_trail(session: Session) -> None:
    assert change(session, name="UAB Pavyzdys", vat_code="lt 119.511.515", time_zone="europe/riga") == [
        "name", "vat_code", "time_zone",
    ]  # fmt: skip
    with reading(session):
        found = company.as_text(company.get(session))
        trail = session.scalars(select(AuditEntry)).one()
    assert (found["vat_code"], found["time_zone"]) == ("LT119511515", "Europe/Riga")
    assert trail.before == {"name": "", "vat_code": "", "time_zone": "Europe/Vilnius"}


def test_the_same_again_is_no_change(session: Session) -> None:
    change(session, name="A")
    assert change(session, name="A") == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "123456789"), ("vat_code", "LT1"), ("country", "Lietuva"), ("currency", "USD"),
        ("time_zone", "Mars/Olympus"), ("language", "de"), ("closed_until", "2026-13-01"), ("name", "x" * 201),
        ("colour", "red"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(session: Session, key: str, value: str) -> None:
    with pytest.raises(BrokenRule):
        change(session, **{key: value})


def test_closing_and_reopening_need_a_reason(session: Session) -> None:
    with pytest.raises(BrokenRule, match="need a reason"):
        change(session, closed_until="2026-10-31")
    change(session, closed_until="2026-10-31", reason="filed")
    with pytest.raises(BrokenRule, match="need a reason"):
        change(session, closed_until="")
    with reading(session):
        assert company.get(session).closed_until == date(2026, 10, 31)
