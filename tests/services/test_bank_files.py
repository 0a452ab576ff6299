"""Files as banks publish them (D8): what counts on which day, and files that are none or broken."""

from __future__ import annotations

import contextlib
import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import CurrencyRate
from monet_web.models.base import reading
from monet_web.services.books import bank_files, rates
from tests.builders import NOON

DAILY = b"Date, USD, JPY, BGN, \n20 November 2026, 1.1527, 178.41, N/A, \n"
HISTORY = b"Date,USD,JPY,CYP,\n2026-11-20,1.1527,178.41,N/A,\n2026-11-19,1.1514,178.02,N/A,\n"
ECB_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<Cube><Cube time='2026-11-20'><Cube currency='USD' rate='1.1527'/><Cube currency='JPY' rate='178.41'/></Cube></Cube>
</gesmes:Envelope>"""
LB_XML = """<?xml version="1.0" encoding="utf-8"?>
<FxRates xmlns="http://www.lb.lt/WebServices/FxRates"><FxRate><Tp>{kind}</Tp><Dt>2026-11-20</Dt>
<CcyAmt><Ccy>EUR</Ccy><Amt>1</Amt></CcyAmt><CcyAmt><Ccy>USD</Ccy><Amt>1.1527</Amt></CcyAmt></FxRate></FxRates>"""
MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 20)


def read(data: bytes) -> bank_files.BankFile:
    found = bank_files.read(data)
    assert found is not None
    return found


def zipped(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize("data", [DAILY, HISTORY, ECB_XML, zipped("eurofxref.csv", DAILY), b"\xef\xbb\xbf" + HISTORY])
def test_the_ecb_publishes_on_friday_what_counts_from_monday(data: bytes) -> None:
    found = read(data)
    assert found.bank == bank_files.ECB
    assert found.rates["USD", MONDAY] == Decimal("1.1527")
    assert found.rates["JPY", MONDAY] == Decimal("178.41")
    assert not {code for code, _ in found.rates} & {"BGN", "CYP", "EUR"}


def test_a_history_has_every_day() -> None:
    assert read(HISTORY).rates["USD", FRIDAY] == Decimal("1.1514")


@pytest.mark.parametrize(("kind", "day"), [("LT", FRIDAY), ("EU", MONDAY)])
def test_the_bank_of_lithuania_says_which_kind_of_rate_it_is(kind: str, day: date) -> None:
    found = read(LB_XML.format(kind=kind).encode())
    assert (found.bank, found.rates) == (bank_files.LB, {("USD", day): Decimal("1.1527")})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"date,currency,rate\n2026-11-20,USD,1.1\n",
        b"Date;USD\n",
        b"\xff\xfe\x00",
        zipped("xl/workbook.xml", b"") * 2,
    ],
)
def test_what_is_no_banks_file_is_left_to_others(data: bytes) -> None:
    assert bank_files.read(data) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"Date,USD\nyesterday,1.1\n", "row 2 has no day, but “yesterday”"),
        (b"Date,USD\n2026-11-20,-1\n", "USD in row 2 has no rate, but “-1”"),
        (b"Date,USD\n2026-11-20,1.1.1\n", "no rate"),
        (b"Date,USD\n", "holds no rate"),
        (b"<html><body>Sign in", "no XML"),
        (b"<html><body>Sign in</body></html>", "holds no rate"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "no XML"),
        (LB_XML.format(kind="LT").replace("EUR", "LTL").encode(), "no rate of the euro"),
        (LB_XML.format(kind="LT").replace("2026-11-20", "").encode(), "has no day"),
    ],
)  # fmt: skip
def test_a_broken_file_says_where(data: bytes, said: str) -> None:
    with pytest.raises(BrokenRule, match=said) as error:
        bank_files.read(data)
    assert "date,currency,rate" in str(error.value.fix)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: b"Date,USD\n" + text.encode()))
def test_nothing_but_a_broken_rule_is_raised(data: bytes) -> None:
    with contextlib.suppress(BrokenRule):
        bank_files.read(data)


def test_a_banks_file_is_loaded_and_an_invoice_of_sunday_takes_fridays_rate(session: Session) -> None:
    done = rates.import_rates(session, HISTORY, source="eurofxref-hist.csv", now=NOON, actor="test")
    assert (done.added, done.changed, done.same) == (4, 0, 0)
    with reading(session):
        assert {row.source for row in session.scalars(select(CurrencyRate))} == {bank_files.ECB}
        asked = [("USD", date(2026, 11, 22)), ("USD", MONDAY)]
        found = rates.eur_rates(session, asked)
    assert [found[pair] for pair in asked] == [Decimal("1.1514"), Decimal("1.1527")]
