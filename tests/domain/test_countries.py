"""Codes of countries are those of ISO 3166-1; what stores and VAT codes write instead means one of them."""

from __future__ import annotations

import pytest
from babel import Locale

from monet_web.domain.countries import ISO, iso_country
from monet_web.domain.vat import EU

# Unicode names these besides: reserved and private codes, unions, parts of countries.
NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}


def test_the_codes_are_those_that_unicode_names() -> None:
    named = {str(code) for code in Locale("en").territories if len(str(code)) == 2}
    assert named - NO_COUNTRIES - ISO == set()
    assert ISO - named == set()
    assert len(ISO) == 249
    assert EU <= ISO


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("LT", "LT"), (" lt ", "LT"), ("EL", "GR"), ("GR", "GR"), ("UK", "GB"), ("XI", "GB"), ("IC", "ES"),
        ("EA", "ES"), ("ZZ", ""), ("XK", ""), ("", ""), ("LTU", ""), ("L1", ""),
    ],
)  # fmt: skip
def test_a_code_is_read_as_the_country_it_means(code: str, country: str) -> None:
    assert iso_country(code) == country
