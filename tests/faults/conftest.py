"""Fixtures of tests with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.faults.office import Office


@pytest.fixture
def office(database_url: str, session: Session, tmp_path: Path) -> Office:
    """An office without integrations and goods."""
    return Office(database_url, session, tmp_path)
