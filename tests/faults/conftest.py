"""Fixtures of tests with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from monet_web.services.importing import claims
from tests.faults.office import Office


@pytest.fixture
def office(database_url: str, session: Session, tmp_path: Path) -> Office:
    """An office without integrations and goods."""
    return Office(database_url, session, tmp_path)


@pytest.fixture(autouse=True)
def _killed_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is the test that ends programs, as often as it likes, and never the run."""
    monkeypatch.setattr(claims, "MOST_TAKEN_BACK", 1_000_000)
