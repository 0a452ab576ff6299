"""VAT codes of EU payers: shape and check digit."""

from __future__ import annotations

import pytest

from monet_web.services.books.vat_codes import vat_code_problem


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("LT119511515", "LT"),
        ("lt 119.511.515", "LT"),
        ("119511515", "LT"),
        ("LT100001919017", "LT"),
        ("EE100931558", "EE"),
        ("EE100931558", "LT"),  # registered in one country, its address in another
        ("LV40003521600", "LV"),
        ("DE136695976", "DE"),
        ("PL8567346215", "PL"),
        ("EL094259216", "GR"),
        ("GR094259216", "EL"),
        ("094259216", "GR"),
        ("XI980780684", "GB"),
        ("LT119511515", ""),
        ("GB980780684", ""),
        ("GB980780684", "GB"),  # outside the EU: not checked
        ("CHE-107.787.577", "CH"),
    ],
)
def test_a_right_vat_code_has_no_problem(code: str, country: str) -> None:
    assert vat_code_problem(code, country) is None


@pytest.mark.parametrize(
    ("code", "country", "problem"),
    [
        ("LT119511514", "LT", "checksum"),
        ("LT11951151", "LT", "length"),
        ("LT119511505", "LT", "component"),
        ("LT11951A515", "LT", "component"),
        ("119511515", "", "country"),
        ("GB980780684", "LT", "country"),
        ("", "LT", "length"),
    ],
)
def test_a_wrong_vat_code_says_what_is_wrong(code: str, country: str, problem: str) -> None:
    assert vat_code_problem(code, country) == problem
