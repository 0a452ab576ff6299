"""Company codes: real and mistyped ones."""

from __future__ import annotations

import pytest

from monet_web.domain.codes import company_code_problem, normalise_company_code, normalise_vat_code


@pytest.mark.parametrize(
    "code",
    # the last two need the second row of weights, and both rows
    [
        "121215434",
        "123033512",
        "121215587",
        "188659752",
        "191630223",
        "188 659 752",
        "100003713",
        "100124110",
    ],
)
def test_a_right_company_code_has_no_problem(code: str) -> None:
    assert company_code_problem(code) is None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("121215435", "checksum"),
        ("212115434", "checksum"),
        ("12121543", "length"),
        ("1212154340", "length"),
        ("LT1212154", "length"),
        ("١٢١٢١٥٤٣٤", "length"),
        ("", "length"),
    ],
)
def test_a_wrong_company_code_says_what_is_wrong(code: str, problem: str) -> None:
    assert company_code_problem(code) == problem


def test_codes_lose_what_people_put_between_the_digits() -> None:
    assert normalise_vat_code(" lt 1000.019-19017\u00a0") == "LT100001919017"
    assert normalise_company_code(" 302 345-678 ") == "302345678"
