"""What a start does not wait for: each of these costs every process of `monet run` a tenth of a second or more."""

from __future__ import annotations

import subprocess
import sys

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from monet_web.config import CHECKOUT
from monet_web.services.office import passwords

SPREADSHEETS = {"openpyxl", "xlsxwriter", "PIL"}


def loaded_by(module: str) -> set[str]:
    """Names of all modules that importing one loads, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(told.stdout.split())


def test_a_page_waits_for_no_spreadsheets_and_no_drawing() -> None:
    loaded = loaded_by("monet_web.app")
    assert "sqlalchemy" in loaded
    assert loaded.isdisjoint(SPREADSHEETS | {"weasyprint"})


def test_a_worker_loads_no_pages_and_no_spreadsheets() -> None:
    loaded = loaded_by("monet_web.jobs")
    assert "sqlalchemy" in loaded
    assert loaded.isdisjoint(SPREADSHEETS | {"weasyprint", "monet_web.app", "flask_limiter", "flask_wtf"})
    assert not [name for name in loaded if name.startswith("monet_web.blueprints")]


def test_a_wrong_password_of_nobody_costs_what_one_of_somebody_costs() -> None:
    hasher = PasswordHasher()
    assert not hasher.check_needs_rehash(passwords._OF_NOBODY)  # the same costs
    real, nobody = passwords.hashed("a password of somebody").split("$"), passwords._OF_NOBODY.split("$")
    assert [len(part) for part in real] == [len(part) for part in nobody]
    with pytest.raises(VerifyMismatchError):  # checked to its end, not refused as no hash at all
        hasher.verify(passwords._OF_NOBODY, "a password of somebody")
