"""A document drawn again shows the company as it was then; one that would lack what the law asks for is not drawn."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import AuditEntry, Company, CompanyDetails
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.services.documents.exports import bundles, paper, pdf
from monet_web.services.office import company
from tests.builders import NOON
from tests.services.test_pdf import a_company, a_document

MOVED = {"address": "Gedimino pr. 9, Vilnius", "vat_code": "LT119511515"}
DAY = timedelta(days=1)


def change(session: Session, values: dict[str, str], at: datetime, *, everywhere: bool = False) -> None:
    company.set_values(session, values, everywhere=everywhere, now=at, actor="ona")


def sellers(session: Session, *ids: int) -> list[tuple[str, str, str]]:
    with reading(session):
        return [(one.seller.name, one.seller.address, one.seller.vat_code) for one in paper.load(session, ids)]


def registered(session: Session, number: str, at: datetime | None, **changes: Any) -> int:
    with writing(session):
        return a_document(session, number=number, registered_at=at, **changes)


def test_a_reprint_shows_the_company_as_it_was_when_the_document_was_registered(session: Session) -> None:
    with writing(session):
        a_company(session)
    change(session, {"name": "UAB Antras"}, NOON)
    change(session, MOVED, NOON + 2 * DAY)
    ids = [registered(session, f"KL-{n}", NOON + (2 * n - 1) * DAY) for n in range(3)]
    assert sellers(session, *ids) == [
        ("UAB Pavyzdys", "Laisvės al. 1, Kaunas", "LT100001919017"),
        ("UAB Antras", "Laisvės al. 1, Kaunas", "LT100001919017"),
        ("UAB Antras", "Gedimino pr. 9, Vilnius", "LT119511515"),
    ]


def test_at_the_very_moment_of_the_change_the_new_details_hold(session: Session) -> None:
    with writing(session):
        a_company(session)
    change(session, MOVED, NOON)
    assert sellers(session, registered(session, "KL-1", NOON)) == [("UAB Pavyzdys", *MOVED.values())]


def test_the_pro_forma_of_what_waits_shows_today_s(session: Session) -> None:
    with writing(session):
        a_company(session)
    change(session, MOVED, NOON)
    waiting = registered(session, "KL-1", None, state=InvoiceState.IN_JOURNAL)
    assert sellers(session, waiting) == [("UAB Pavyzdys", *MOVED.values())]


def test_what_was_empty_is_filled_in_on_earlier_documents_too(session: Session) -> None:
    with writing(session):
        a_company(session, address="")
    change(session, {"name": "UAB Antras"}, NOON)
    change(session, {"address": "Gedimino pr. 9, Vilnius"}, NOON + DAY)
    assert sellers(session, registered(session, "KL-1", NOON - DAY), registered(session, "KL-2", NOON)) == [
        ("UAB Pavyzdys", "Gedimino pr. 9, Vilnius", "LT100001919017"),
        ("UAB Antras", "Gedimino pr. 9, Vilnius", "LT100001919017"),
    ]


def test_a_mistake_is_mended_everywhere_and_leaves_what_was_right_then(session: Session) -> None:
    with writing(session):
        a_company(session)
    change(session, {"name": "UAB Antras"}, NOON)
    change(session, {"address": "Laisvės al. 11, Kaunas", "name": "UAB Antrasis"}, NOON + DAY, everywhere=True)
    assert sellers(session, registered(session, "KL-1", NOON - DAY), registered(session, "KL-2", NOON)) == [
        ("UAB Pavyzdys", "Laisvės al. 11, Kaunas", "LT100001919017"),
        ("UAB Antrasis", "Laisvės al. 11, Kaunas", "LT100001919017"),
    ]
    with reading(session):
        newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert newest is not None
        assert newest.after is not None
        assert newest.after["everywhere"] is True


def test_what_no_document_shows_keeps_nothing(session: Session) -> None:
    with writing(session):
        a_company(session)
    change(session, {"revenue_account": "5003", "language": "lt"}, NOON)
    with reading(session):
        assert session.scalar(select(func.count()).select_from(CompanyDetails)) == 0


@pytest.mark.parametrize("key", ["name", "vat_code", "address"])
def test_a_vat_invoice_without_what_article_80_asks_of_the_seller_is_not_drawn(session: Session, key: str) -> None:
    with writing(session):
        a_company(session, **{key: ""})
        id_ = a_document(session)
    with pytest.raises(BrokenRule, match="name, VAT code and address") as refused:
        bundles.file_of(session, [id_], ending="pdf", language="lt")
    assert "under Settings" in str(refused.value.fix)
    with pytest.raises(BrokenRule, match="name, VAT code and address"):
        bundles.begin(session, [id_], ending="zip", language="lt", now=NOON, actor="ona")
    filled = {"name": "UAB Pavyzdys", "vat_code": "LT119511515", "address": "Vilnius"}
    change(session, {key: filled[key]}, NOON)
    text = PdfReader(io.BytesIO(bundles.file_of(session, [id_], ending="pdf", language="lt"))).pages[0].extract_text()
    assert filled[key] in text


def test_a_company_that_pays_no_vat_needs_its_name(session: Session) -> None:
    with writing(session):
        a_company(session, name="", vat_code="", address="")
        session.execute(update(Company).values(vat_payer=False))
        id_ = a_document(session, vat=0, vat_eur=0, treatment="not_payer")
    with pytest.raises(BrokenRule, match="An invoice must show the company's name"):
        bundles.file_of(session, [id_], ending="pdf", language="lt")
    with pytest.raises(BrokenRule, match="An invoice must show the company's name"):
        bundles.begin(session, [id_], ending="zip", language="lt", now=NOON, actor="ona")
    change(session, {"name": "Ona Onaitė"}, NOON)
    assert bundles.file_of(session, [id_], ending="pdf", language="lt").startswith(b"%PDF")


def test_the_pro_forma_is_no_invoice_and_is_drawn_all_the_same(session: Session) -> None:
    with writing(session):
        id_ = a_document(session, state=InvoiceState.IN_JOURNAL)
    with reading(session):
        papers = paper.load(session, [id_])
    assert pdf.draw(papers, None, "lt").startswith(b"%PDF")


def test_what_the_store_called_a_line_is_printed_and_not_what_its_item_is_called_now(session: Session) -> None:
    from tests.builders import an_item

    with writing(session):
        a_company(session)
        item = an_item(session, "MUG-NEW")
        first = a_document(session, line={"item_id": item.id})
        second = a_document(session, number="KL-2", line={"item_id": item.id, "sku": ""})
    with reading(session):
        codes = [one.lines[0].code for one in paper.load(session, [first, second])]
    assert codes == ["KN-01", "MUG-NEW"]
