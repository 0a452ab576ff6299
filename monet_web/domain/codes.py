"""Codes of companies: how they are written, and the check digit of Lithuanian company codes.

VAT codes of other countries have rules of their own: `services.vat_codes` asks a library for them.
"""

from __future__ import annotations

import re

_COMPANY_CODE_DIGITS = 9
_SEPARATORS = re.compile(r"[\s.\-–/]+")


def normalise_vat_code(code: str) -> str:
    """A VAT code as it is compared and filed: capitals, without spaces, dots, dashes and slashes."""
    return _SEPARATORS.sub("", code).upper()


def full_vat_code(code: str, country: str) -> str:
    """A VAT code with its prefix: one typed without it is taken for one of `country` (ISO code); Greece files as EL."""
    code = normalise_vat_code(code)
    if not code:
        return ""
    if not code[:2].isalpha():
        prefix = country.strip().upper()
        code = ("EL" if prefix == "GR" else prefix) + code
    return "EL" + code[2:] if code.startswith("GR") else code


def normalise_company_code(code: str) -> str:
    """A company code without the spaces, dots and dashes people put into it."""
    return _SEPARATORS.sub("", code)


def company_code_problem(code: str) -> str | None:
    """What is wrong with a Lithuanian company code: None, `length` (not nine digits), `checksum` (mistyped).

    The last digit is the sum of the first eight times 1…8, modulo 11; if that is 10, of the first eight
    times 3…9, 1, modulo 11; if that is 10 again, 0. (The same rule as for the VAT code of a legal person.)
    """
    digits = normalise_company_code(code)
    if len(digits) != _COMPANY_CODE_DIGITS or not (digits.isascii() and digits.isdigit()):
        return "length"
    return None if digits[-1] == str(_control_digit(digits[:-1])) else "checksum"


def _control_digit(digits: str) -> int:
    for weights in ((1, 2, 3, 4, 5, 6, 7, 8), (3, 4, 5, 6, 7, 8, 9, 1)):
        remainder = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        if remainder < 10:
            return remainder
    return 0
