"""i.SAF of a month: what the file says of every kind of document, what is refused before, what changed since."""

from __future__ import annotations

import hashlib
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.models import Company, Customer, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.filings import Filing
from monet_web.models.invoices import InvoiceState
from monet_web.services.documents.exports import filings, isaf
from tests.builders import a_line, a_tax, an_integration
from tests.databases import sqlite_only
from tests.services.filed import AT_HOME, COMPANY, NOVEMBER, a_document
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.vat_sales import GERMAN, sent_to

NOW = datetime(2026, 12, 5, 8, 30, tzinfo=UTC)
WHO: dict[str, Any] = {"now": NOW, "actor": "accountant@example.com"}
NS = {"i": "http://www.vmi.lt/cms/imas/isaf"}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def schema() -> etree.XMLSchema:
    """The tax authority's own, which is not ours to give away: it lies in a folder beside the project, or nowhere."""
    found = sorted(Path(__file__).resolve().parents[2].parent.glob("*/isaf/isaf_1_2.xsd"))
    if not found:
        pytest.skip("the tax authority's isaf_1_2.xsd lies in no folder beside the project")
    return etree.XMLSchema(etree.parse(found[0]))


@pytest.fixture
def shop(session: Session) -> Integration:
    """A company that may file, with one integration."""
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
        integration = an_integration(session)
    filings.set_terms(session, part="EPARD", oss="in", names="given", **WHO)
    return integration


def taken(session: Session, tmp_path: Path, **options: Any) -> tuple[Filing, Any]:
    path = tmp_path / "isaf.xml"
    filing = isaf.take(session, NOVEMBER, path, **options, **WHO)
    return filing, etree.parse(path).getroot()


def checked(session: Session) -> isaf.Checked:
    with reading(session):
        return isaf.check(session, NOVEMBER)


def texts(node: Any, *paths: str) -> list[str | None]:
    found = []
    for path in paths:
        (one,) = node.xpath(path, namespaces=NS)
        found.append(None if one.get(NIL) == "true" else (one.text or ""))
    return found


def one_of_each(session: Session, shop: Integration) -> None:
    with writing(session):
        first = a_document(session, shop, "KL-1", [AT_HOME, ("5", "PVM3", "20.00", "1.00")])
        a_document(
            session, shop, "KL-2", [("0", "PVM13", "100.00", "0.00")], treatment="eu_company", ship_country="DE",
            supply_date=date(2026, 11, 20),
            buyer={"company": "Firma & Söhne GmbH", "vat_code": GERMAN, "country": "DE"},
        )  # fmt: skip
        a_document(
            session, shop, "KL-3", [("24", "PVM15", "10.00", "2.40"), (None, "PVM100", "0.10", "0.00")],
            treatment="oss", ship_country="EE", buyer={"country": "EE"},
        )  # fmt: skip
        a_document(
            session, shop, "KL-4", [(None, "PVM12", "11.00", "0.00")], treatment="export", ship_country="US",
            eur_rate="1.1", currency="USD", buyer={"country": "US"},
        )  # fmt: skip
        a_document(session, shop, "KL-5", [(None, "", "0.00", "0.00")])
        a_document(
            session, shop, "KL-1-K1", [("21", "PVM1", "-10.00", "-2.10")], of=first, issue_date=date(2026, 11, 24),
            supply_date=date(2026, 11, 24), buyer={"company": "UAB X", "company_code": "300000001", "country": "LT"},
        )  # fmt: skip
        a_document(session, shop, "KL-6", issue_date=date(2026, 10, 31))
        a_document(session, shop, "KL-7", state=InvoiceState.IN_JOURNAL)
        a_document(session, shop, "KL-8", [(None, "", "5.00", "0.00")], treatment="not_payer")


def test_the_file_holds_the_month_s_registered_vat_invoices_and_nothing_else(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    one_of_each(session, shop)
    filing, root = taken(session, tmp_path)
    numbers = root.xpath("//i:Invoice/i:InvoiceNo/text()", namespaces=NS)
    assert numbers == ["KL-1", "KL-2", "KL-3", "KL-4", "KL-5", "KL-1-K1"]
    assert (filing.documents, filing.left_out, filing.file_name) == (6, 0, "isaf.xml")
    assert filing.sha256 == hashlib.sha256((tmp_path / "isaf.xml").read_bytes()).hexdigest()
    assert filing.size == (tmp_path / "isaf.xml").stat().st_size
    assert [one.name for one in tmp_path.iterdir()] == ["isaf.xml"]


def test_the_head_says_whose_which_part_and_which_month(session: Session, shop: Integration, tmp_path: Path) -> None:
    _, root = taken(session, tmp_path)
    head = "/i:iSAFFile/i:Header/i:FileDescription/i:"
    assert texts(
        root, *(head + name for name in ("FileVersion", "FileDateCreated", "DataType", "RegistrationNumber")),
        head + "NumberOfParts", head + "PartNumber", head + "SelectionCriteria/i:SelectionStartDate",
        head + "SelectionCriteria/i:SelectionEndDate",
    ) == ["iSAF1.2", "2026-12-05T10:30:00", "S", "123456789", None, "EPARD", "2026-11-01", "2026-11-30"]  # fmt: skip
    # A month without a document has no empty list, which the structure forbids.
    assert root.xpath("//i:SourceDocuments", namespaces=NS) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("KL-1", ["ND", "ND", "LT", "Ona Onaitė", "2026-11-23", "SF", "", None]),
        ("KL-2", ["DE136695976", None, None, "Firma & Söhne GmbH", "2026-11-23", "SF", "", "2026-11-20"]),
        ("KL-4", ["ND", "ND", "US", "Ona Onaitė", "2026-11-23", "SF", "", None]),
        ("KL-1-K1", ["ND", "300000001", "LT", "UAB X", "2026-11-24", "KS", "", None]),
    ],
)
def test_each_buyer_date_and_kind_is_said(
    session: Session, shop: Integration, tmp_path: Path, number: str, said: list[str | None]
) -> None:
    one_of_each(session, shop)
    _, root = taken(session, tmp_path)
    (found,) = root.xpath("//i:Invoice[i:InvoiceNo=$number]", namespaces=NS, number=number)
    codes = found.xpath("i:CustomerInfo/i:RegistrationNumber/text()", namespaces=NS) or [None]
    paths = ("i:CustomerInfo/i:VATRegistrationNumber", "i:CustomerInfo/i:Country", "i:CustomerInfo/i:Name")
    vat_code, country, name = texts(found, *paths)
    rest = texts(found, "i:InvoiceDate", "i:InvoiceType", "i:SpecialTaxation", "i:VATPointDate")
    assert [vat_code, *codes, country, name, *rest] == said


def test_a_credit_note_of_an_earlier_month_s_sale_stays_in_its_own_month(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    october, november = date(2026, 10, 15), date(2026, 11, 24)
    with writing(session):
        sale = a_document(session, shop, "KL-1", issue_date=october, supply_date=october)
        back = ("21", "PVM1", "-10.00", "-2.10")
        a_document(session, shop, "KL-1-K1", (back,), of=sale, issue_date=november)
    _, root = taken(session, tmp_path)
    (note,) = root.xpath("//i:Invoice", namespaces=NS)
    assert texts(note, "i:InvoiceNo", "i:InvoiceDate", "i:InvoiceType", "i:VATPointDate") == [
        "KL-1-K1", "2026-11-24", "KS", None,
    ]  # fmt: skip
    accepted = schema()
    assert accepted.validate(root), accepted.error_log


def test_the_missing_rate_is_named_by_the_day_it_is_looked_up_by(session: Session, shop: Integration) -> None:
    with writing(session):
        wrong = a_document(session, shop, "KL-1", supply_date=date(2026, 11, 20))
        wrong.eur_rate = None
    (refused,) = checked(session).refused
    assert [(one.code, one.values["day"]) for one in refused.why] == [("eur_missing", "2026-11-20")]


@pytest.mark.parametrize(
    ("buyer", "said"),
    [
        ({"country": "EL"}, ["ND", "ND", "GR"]),  # Greece is EL of VAT alone
        ({"country": "UK"}, ["ND", "ND", "GB"]),
        ({"country": "XI"}, ["ND", "ND", "GB"]),
        ({"country": "ic"}, ["ND", "ND", "ES"]),
        ({"country": "GR", "vat_code": "094259216"}, ["EL094259216", None, None]),
        ({"country": "EL", "vat_code": "GR094259216", "company_code": "77"}, ["EL094259216", "77", None]),
        ({"country": "XI", "vat_code": "XI110305878"}, ["XI110305878", None, None]),
        ({"country": "UK", "vat_code": "110305878", "company_code": "77"}, ["GB110305878", "77", "GB"]),
        ({"country": "GB", "vat_code": "GB110305878"}, ["GB110305878", None, None]),
        # Nothing is said of the country beside a code of the EU, so nothing is wrong with it either.
        ({"country": "ZZ", "vat_code": GERMAN}, ["DE136695976", None, None]),
    ],
)
def test_countries_are_those_of_iso_and_letters_of_vat_codes_those_of_the_union(
    session: Session, shop: Integration, tmp_path: Path, buyer: dict[str, str], said: list[str | None]
) -> None:
    with writing(session):
        a_document(session, shop, "KL-1", buyer=buyer)
    _, root = taken(session, tmp_path)
    (found,) = root.xpath("//i:CustomerInfo", namespaces=NS)
    codes = found.xpath("i:RegistrationNumber/text()", namespaces=NS) or [None]
    vat_code, country = texts(found, "i:VATRegistrationNumber", "i:Country")
    assert [vat_code, *codes, country] == said
    accepted = schema()
    assert accepted.validate(root), accepted.error_log


def test_a_buyer_is_told_by_the_invoice_and_has_no_number_of_ours_that_a_merge_could_split(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    with writing(session):
        kept = Customer(name="UAB Kava", is_company=True, vat_code="LT100001919017")
        session.add(kept)
        session.flush()
        gone = Customer(name="Kava", is_company=True, merged_into_id=kept.id)
        session.add(gone)
        session.flush()
        buyer = {"company": "UAB Kava", "vat_code": "LT100001919017", "country": "LT"}
        for number, customer in (("KL-1", kept), ("KL-2", gone)):
            a_document(session, shop, number, buyer=buyer, customer_id=customer.id)
    _, root = taken(session, tmp_path)
    first, second = root.xpath("//i:CustomerInfo", namespaces=NS)
    assert etree.tostring(first) == etree.tostring(second)
    assert root.xpath("//i:CustomerID", namespaces=NS) == []


def totals(root: Any, number: str) -> list[list[str | None]]:
    rows = root.xpath("//i:Invoice[i:InvoiceNo=$number]//i:DocumentTotal", namespaces=NS, number=number)
    names = ("TaxableValue", "TaxCode", "TaxPercentage", "Amount", "VATPointDate2")
    return [texts(row, *(f"i:{name}" for name in names)) for row in rows]


def test_amounts_are_in_euro_by_code_and_have_no_rate_where_the_code_has_none(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    one_of_each(session, shop)
    _, root = taken(session, tmp_path)
    assert totals(root, "KL-1") == [["10.00", "PVM1", "21", "2.10", None], ["20.00", "PVM3", "5", "1.00", None]]
    assert totals(root, "KL-2") == [["100.00", "PVM13", "0", "0.00", None]]
    assert totals(root, "KL-3") == [["10.00", "PVM15", None, None, None], ["0.10", "PVM100", None, None, None]]
    assert totals(root, "KL-4") == [["10.00", "PVM12", "0", "0.00", None]]
    assert totals(root, "KL-5") == [["0.00", None, None, None, None]]
    assert totals(root, "KL-1-K1") == [["-10.00", "PVM1", "21", "-2.10", None]]


def test_a_credit_note_names_the_invoice_it_credits(session: Session, shop: Integration, tmp_path: Path) -> None:
    one_of_each(session, shop)
    _, root = taken(session, tmp_path)
    (note,) = root.xpath("//i:Invoice[i:InvoiceType='KS']", namespaces=NS)
    reference = "i:References/i:Reference/i:"
    assert texts(note, reference + "ReferenceNo", reference + "ReferenceDate") == ["KL-1", "2026-11-23"]
    assert len(root.xpath("//i:References[not(*)]", namespaces=NS)) == 5


def test_rows_of_a_foreign_currency_add_up_to_the_document(session: Session, shop: Integration, tmp_path: Path) -> None:
    # 10.00 each is 8.70 by itself, three are 26.09: the cent is taken from one of them.
    rows = [("21", "PVM1", "10.00", "2.10"), ("5", "PVM3", "10.00", "0.50"), ("12", "PVM58", "10.00", "1.20")]
    with writing(session):
        a_document(session, shop, "KL-1", rows, currency="USD", eur_rate="1.15")
    _, root = taken(session, tmp_path)
    assert [row[0] for row in totals(root, "KL-1")] == ["8.69", "8.70", "8.70"]


def test_the_file_is_what_the_tax_authority_s_schema_asks_for(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    accepted = schema()
    _, empty = taken(session, tmp_path)
    assert accepted.validate(empty), accepted.error_log
    one_of_each(session, shop)
    with writing(session):
        a_document(session, shop, "KL-9\u201c<&>", buyer={"company": "A\x00B\x1f " + "Ž" * 300, "country": "lt"})
    _, root = taken(session, tmp_path)
    assert len(root.xpath("//i:Invoice", namespaces=NS)) == 7
    assert accepted.validate(root), accepted.error_log


def test_orders_of_a_store_become_a_file_that_the_schema_accepts(
    session: Session, session_factory: sessionmaker[Session], store: type[ScriptedStore], tmp_path: Path, shop: Any
) -> None:
    put(
        store,
        sent_to("LT", number="1"),
        sent_to("LT", number="2", lines=(a_line(), a_line(external_id="12", taxes=(a_tax("5", "0.50"),)))),
        sent_to("US", number="3"),  # taxed with our own VAT
    )
    import_all(session_factory, integrate(session, "Kava", accounting_type="amounts", invoice_date="order"))
    assert {one.state for one in invoices(session)} == {InvoiceState.REGISTERED}
    accepted = schema()
    filing, root = taken(session, tmp_path)
    assert filing.documents == 3
    assert accepted.validate(root), accepted.error_log
    assert filing.sums == {
        "PVM1": {"base": "30.00", "amount": "6.30"}, "PVM3": {"base": "10.00", "amount": "0.50"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("why", "rows", "changes"),
    [
        ("number_missing", [AT_HOME], {"number": None}),
        ("number_long", [AT_HOME], {"number": "K" * 71}),
        ("vat_code_odd", [AT_HOME], {"buyer": {"vat_code": "1234", "country": ""}, "ship_country": ""}),
        ("vat_code_odd", [AT_HOME], {"buyer": {"vat_code": "LT" + "1" * 34, "country": "LT"}}),
        ("company_code_long", [AT_HOME], {"buyer": {"company_code": "1" * 36, "country": "LT"}}),
        ("vat_code_odd", [AT_HOME], {"buyer": {"vat_code": "ZZ123456", "country": "ZZ"}}),
        ("country_odd", [AT_HOME], {"buyer": {"country": "L1"}}),
        ("country_odd", [AT_HOME], {"buyer": {"country": "ZZ"}}),
        ("country_odd", [AT_HOME], {"buyer": {"country": ""}, "ship_country": "XK"}),
        ("eur_missing", [AT_HOME], {"net_eur": None}),
        ("eur_missing", [AT_HOME], {"eur_rate": None}),
        ("code_missing", [("12", "", "10.00", "1.20")], {}),
        ("code_odd", [("12", "X12", "10.00", "1.20")], {}),
        ("code_odd", [("12", "PVM1234", "10.00", "1.20")], {}),
        ("rate_odd", [("5.125", "PVM1", "10.00", "0.51")], {}),
        ("totals_differ", [AT_HOME], {"net_eur": Decimal("10.02")}),
    ],
)  # fmt: skip
def test_what_would_be_refused_is_listed_and_the_file_is_not_taken(
    session: Session, shop: Integration, tmp_path: Path, why: str, rows: Any, changes: dict[str, Any]
) -> None:
    with writing(session):
        wrong = a_document(session, shop, "KL-1", rows)
        for name, value in changes.items():
            setattr(wrong, name, value)
        a_document(session, shop, "KL-2")
    found = checked(session)
    assert (found.refused_count, found.invoices, found.is_clean) == (1, 1, False)
    assert [(one.id, [each.code for each in one.why]) for one in found.refused] == [(wrong.id, [why])]
    with pytest.raises(BrokenRule, match="1 document would be refused, first "):
        taken(session, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with reading(session):
        assert filings.taken(session, filings.ISAF, "2026-11") == []
    filing, root = taken(session, tmp_path, without_refused=True)
    assert (filing.documents, filing.left_out) == (1, 1)
    assert root.xpath("//i:InvoiceNo/text()", namespaces=NS) == ["KL-2"]


def test_a_credit_note_whose_invoice_is_not_registered_is_refused(session: Session, shop: Integration) -> None:
    with writing(session):
        waits = a_document(session, shop, "KL-1", state=InvoiceState.IN_JOURNAL)
        a_document(session, shop, "KL-1-K1", [("21", "PVM1", "-10.00", "-2.10")], of=waits)
    found = checked(session)
    assert [each.code for each in found.refused[0].why] == ["original_missing"]


def test_sales_under_oss_wait_for_somebody_to_say_where_they_go(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    one_of_each(session, shop)
    filings.set_terms(session, oss="", **WHO)
    assert [(one.number, one.why[0].code) for one in checked(session).refused] == [("KL-3", "oss_undecided")]
    filings.set_terms(session, oss="out", **WHO)
    found = checked(session)
    assert (found.is_clean, found.documents, found.not_filed) == (True, 5, 2)


def test_names_of_private_buyers_can_be_left_out_and_companies_names_stay(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    one_of_each(session, shop)
    filings.set_terms(session, names="none", **WHO)
    _, root = taken(session, tmp_path)
    names = root.xpath("//i:CustomerInfo/i:Name/text()", namespaces=NS)
    assert names == ["ND", "Firma & Söhne GmbH", "ND", "ND", "ND", "UAB X"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"code": ""}, "company_code"),
        ({"code": "12AB"}, "company_code"),
        ({"country": "LV"}, "not_lithuania"),
        ({"vat_payer": False}, "not_payer"),
        ({"vat_from": date(2026, 12, 1)}, "not_payer"),
        ({"vat_to": date(2026, 10, 31)}, "not_payer"),
    ],
)
def test_what_stands_against_the_whole_file_is_said(
    session: Session, shop: Integration, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    with writing(session):
        session.execute(update(Company).values(**changes))
    assert [one.code for one in checked(session).against] == [why]
    with pytest.raises(BrokenRule):
        taken(session, tmp_path, without_refused=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["name", "vat_code"])
def test_a_payer_whose_name_or_vat_code_nobody_filled_in_takes_no_file(
    session: Session, shop: Integration, tmp_path: Path, key: str
) -> None:
    with writing(session):
        session.execute(update(Company).values({key: " "}))
    assert [one.code for one in checked(session).against] == ["company_incomplete"]
    with pytest.raises(BrokenRule, match="its name or VAT code is not filled in") as refused:
        taken(session, tmp_path)
    assert refused.value.fix == "Type them in the settings."
    with writing(session):
        session.execute(update(Company).values(vat_payer=False))
    assert [one.code for one in checked(session).against] == ["not_payer"]


def test_a_company_that_was_a_payer_for_a_part_of_the_month_files_it(session: Session, shop: Integration) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_from=date(2026, 11, 15)))
    assert checked(session).against == []


@pytest.mark.parametrize("days", [{"vat_from": date(2026, 12, 1)}, {"vat_to": date(2026, 10, 31)}])
def test_documents_with_vat_dated_when_the_company_was_no_payer_are_filed_all_the_same(
    session: Session, shop: Integration, tmp_path: Path, days: dict[str, date]
) -> None:
    with writing(session):
        session.execute(update(Company).values(**days))
        a_document(session, shop, "KL-9", [(None, "", "5.00", "0.00")], treatment="not_payer")
    assert [one.code for one in checked(session).against] == ["not_payer"]
    with writing(session):
        sold = a_document(session, shop, "KL-1", issue_date=date(2026, 10, 20))
        a_document(session, shop, "KL-1-K1", [("21", "PVM1", "-10.00", "-2.10")], of=sold)
    assert (checked(session).against, checked(session).documents, checked(session).not_filed) == ([], 1, 1)
    filing, _ = taken(session, tmp_path)
    assert filing.documents == 1


def test_sales_under_oss_that_are_left_out_file_no_month(session: Session, shop: Integration) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_to=date(2026, 10, 31)))
        a_document(session, shop, "KL-1", [("24", "PVM15", "10.00", "2.40")], treatment="oss", ship_country="EE")
    filings.set_terms(session, oss="out", **WHO)
    assert [one.code for one in checked(session).against] == ["not_payer"]
    filings.set_terms(session, oss="in", **WHO)
    assert checked(session).against == []


def test_the_part_s_name_is_asked_before_the_first_file_and_kept(session: Session, tmp_path: Path) -> None:
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
    assert [one.code for one in checked(session).against] == ["part_missing"]
    for wrong in ("", "EPARD-1", "Ž", "A" * 21):
        with pytest.raises(BrokenRule, match="1 to 20 capital letters"):
            filings.set_terms(session, part=wrong, **WHO)
    assert filings.set_terms(session, part=" epard_2 ", **WHO).part == "EPARD_2"
    assert checked(session).against == []
    with pytest.raises(BrokenRule, match="Choose in or out"):
        filings.set_terms(session, oss="perhaps", **WHO)


def test_what_changed_since_the_file_was_taken_is_told_document_by_document(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    with writing(session):
        first = a_document(session, shop, "KL-1")
        second = a_document(session, shop, "KL-2", issue_date=date(2026, 11, 2))
        a_document(session, shop, "KL-3")
    assert checked(session).since is None
    filing, _ = taken(session, tmp_path)
    same = checked(session)
    assert same.since is not None
    assert (same.since.id, same.changes.are_none) == (filing.id, True)
    with writing(session):
        added = a_document(session, shop, "KL-0", issue_date=date(2026, 11, 1))
        session.execute(update(Invoice).where(Invoice.id == first.id).values(buyer_name="Somebody else"))
        session.execute(update(Invoice).where(Invoice.id == second.id).values(issue_date=date(2026, 10, 2)))
    changes = checked(session).changes
    assert (changes.added, changes.altered, changes.gone) == (1, 1, 1)
    assert changes.ids == {"added": [added.id], "altered": [first.id], "gone": [second.id]}
    taken(session, tmp_path)
    assert checked(session).changes.are_none
    with reading(session):
        assert [one.documents for one in filings.taken(session, filings.ISAF, "2026-11")] == [3, 3]


@sqlite_only
def test_memory_does_not_grow_with_the_month(
    session: Session, shop: Integration, tmp_path: Path, session_factory: sessionmaker[Session]
) -> None:
    def peak() -> int:
        fresh = session_factory()
        tracemalloc.start()
        isaf.take(fresh, NOVEMBER, tmp_path / "x.xml", **WHO)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        fresh.close()
        return most

    def add(first: int, last: int) -> None:
        with writing(session):
            for number in range(first, last):
                a_document(session, shop, f"KL-{number}")
        session.expunge_all()

    add(0, 1000)
    few = peak()
    add(1000, 4000)
    assert peak() < few * 2


def test_a_place_that_can_not_be_written_to_is_named(session: Session, shop: Integration, tmp_path: Path) -> None:
    with pytest.raises(BrokenRule, match="can't be written"):
        isaf.take(session, NOVEMBER, tmp_path / "nowhere" / "x.xml", **WHO)
