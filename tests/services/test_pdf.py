"""Documents on paper, read back from the PDF: every field of Article 80, both languages, whatever a store sends."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.models import Bundle, Company, CompanyLogo, Invoice, InvoiceLine, InvoiceVat
from monet_web.models.base import reading, writing
from monet_web.models.errands import ErrandState
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunState
from monet_web.services.documents.exports import bundles, paper, pdf
from monet_web.services.documents.exports.paper_words import legal_reference
from tests.builders import NOON, a_run, a_store_order, a_version, an_integration, an_invoice

Factory = sessionmaker[Session]
LETTERS = "ĄČĘĖĮŠŲŪŽ ąčęėįšųūž „kabutės“"
HOSTILE = '<script>alert("1")</script><img src="https://evil.example/x.png"> & {{ 7*7 }} \x07\u202e'
ONA = {"name": "Ona Onaitė", "line": "Gedimino pr. 1", "postcode": "01103", "city": "Vilnius", "country": "LT"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


def a_company(session: Session, **changes: Any) -> None:
    plain = {
        "name": "UAB Pavyzdys", "code": "123456789", "vat_code": "LT100001919017", "address": "Laisvės al. 1, Kaunas",
        "bank_name": "Bankas", "bank_account": "LT121000011101001000",
    }  # fmt: skip
    for key, value in {**plain, **changes}.items():
        setattr(session.get_one(Company, 1), key, value)


def a_document(session: Session, *, lines: int = 1, name: str = "Notebook", line: Any = None, **changes: Any) -> int:
    """A registered invoice of 10.00 + 2.10 a line at 21 %, of Ona."""
    number = changes.setdefault("number", "KL-1001")
    integration = an_integration(session, f"Shop {number}")
    run = a_run(session, integration, state=RunState.DONE)
    version = a_version(session, a_store_order(session, integration, f"{number}", order_number="1001"), run)
    many = Decimal(lines)
    plain = {
        "buyer": ONA, "treatment": "domestic", "net": 10 * many, "vat": Decimal("2.10") * many,
        "total": Decimal("12.10") * many, "net_eur": 10 * many, "vat_eur": Decimal("2.10") * many,
        "total_eur": Decimal("12.10") * many, "payment": "Banko pavedimas",
    }  # fmt: skip
    invoice = an_invoice(session, version, **{**plain, **changes})
    for position in range(1, lines + 1):
        figures = {
            "kind": "goods", "name": name, "sku": "KN-01", "quantity": Decimal("1.5"), "discount": Decimal(0),
            "unit_price": Decimal("6.666667"), "net": Decimal(10), "vat_rate": Decimal(21), "vat": Decimal("2.10"),
        }  # fmt: skip
        session.add(InvoiceLine(invoice_id=invoice.id, position=position, **{**figures, **(line or {})}))
    session.add(
        InvoiceVat(
            invoice_id=invoice.id, rate=(line or {}).get("vat_rate", Decimal(21)), code="PVM1", base=invoice.net,
            amount=invoice.vat, amount_eur=invoice.vat_eur,
        )
    )  # fmt: skip
    session.flush()
    return invoice.id


def drawn(session: Session, invoice_id: int, language: str = "lt") -> PdfReader:
    with reading(session):
        papers, logo = paper.load(session, [invoice_id]), paper.logo(session)
    return PdfReader(io.BytesIO(pdf.draw(papers, logo, language)))


def text_of(reader: PdfReader) -> str:
    """What it says, on one line: a PDF breaks lines where the paper ends."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ").split())


def made(session: Session, **changes: Any) -> int:
    with writing(session):
        a_company(session)
        return a_document(session, **changes)


def test_an_invoice_shows_what_article_80_asks_for(session: Session) -> None:
    said = text_of(drawn(session, made(session, supply_date=date(2026, 11, 20))))
    for wanted in (
        "PVM sąskaita faktūra", "KL-1001", "Išrašymo data", "2026-11-23", "Tiekimo data", "2026-11-20",
        "UAB Pavyzdys", "123456789", "LT100001919017", "Laisvės al. 1, Kaunas", "LT121000011101001000", "Bankas",
        "Ona Onaitė", "Gedimino pr. 1, 01103, Vilnius, LT", "Notebook", "KN-01", "1,5 vnt.", "6,666667", "21 %",
        "Apmokestinamoji vertė, EUR", "10,00 EUR", "2,10 EUR", "12,10 EUR", "Banko pavedimas", "psl. 1 / 1",
        "Užsakymas 1001",
    ):  # fmt: skip
        assert wanted in said, wanted
    assert "Kopija" not in said
    assert "Invoice" not in said


def test_english_alone_and_both_on_one(session: Session) -> None:
    id_ = made(session)
    english = text_of(drawn(session, id_, "en"))
    assert "VAT invoice" in english
    assert "sąskaita" not in english
    assert "6.666667" in english
    both = text_of(drawn(session, id_, "both"))
    for wanted in ("PVM sąskaita faktūra / VAT invoice", "Pardavėjas / Seller", "psl. / page 1 / 1", "6,666667"):
        assert wanted in both
    with pytest.raises(BrokenRule, match="“de” is no language of documents"):
        drawn(session, id_, "de")


def test_every_lithuanian_letter_is_text_in_the_pdf(session: Session) -> None:
    assert LETTERS in text_of(drawn(session, made(session, name=LETTERS)))


def test_a_currency_invoice_says_its_vat_in_euro_and_the_rate(session: Session) -> None:
    id_ = made(
        session, currency="USD", eur_rate=Decimal("1.1"), net_eur=Decimal("9.09"), vat_eur=Decimal("1.91"),
        total_eur=Decimal("11.00"),
    )  # fmt: skip
    said = text_of(drawn(session, id_))
    for wanted in ("1 EUR = 1,1 USD", "PVM eurais", "1,91 EUR", "9,09 EUR", "11,00 EUR", "12,10 USD"):
        assert wanted in said, wanted


def test_the_copy_of_a_store_says_so(session: Session) -> None:
    said = text_of(drawn(session, made(session, issued_by_store=True), "both"))
    assert "Kopija / Copy" in said
    assert "The e-shop gave the buyer the original." in said


def test_who_pays_no_vat_gives_a_plain_invoice_without_a_word_of_rates(session: Session) -> None:
    id_ = made(
        session, treatment="not_payer", vat=Decimal(0), total=Decimal(10),
        line={"vat_rate": None, "vat": Decimal(0)},
    )  # fmt: skip
    said = text_of(drawn(session, id_))
    assert said.startswith("Sąskaita faktūra ")
    assert "PVM sąskaita" not in said
    assert "PVM tarifas" not in said
    assert "LT100001919017" not in said
    assert "Pardavėjas nėra PVM mokėtojas." in said


def test_vat_that_was_charged_all_the_same_is_never_hidden(session: Session) -> None:
    said = text_of(drawn(session, made(session, treatment="not_payer")))
    assert "PVM sąskaita faktūra" in said
    assert "2,10 EUR" in said


@pytest.mark.parametrize(
    ("treatment", "rate", "code", "words"),
    [
        ("eu_company", "0", "PVM13", "49 str. 1 d."),
        ("eu_company", "0", "PVM15", "Atvirkštinis apmokestinimas: PVM įstatymo 13 str. 2 d."),
        ("eu_company", None, "", "49 str. 1 d."),
        ("export", "0", "PVM12", "41 str."),
        ("domestic", "0", "PVM25", "Atvirkštinis apmokestinimas: PVM įstatymo 96 str."),
        ("domestic", "0", "PVM5", "20–33, 112 str."),
        ("domestic", None, "PVM100", "Ne PVM objektas."),
        ("oss", "19", "PVM15", "DE PVM, deklaruojamas"),
        ("not_payer", None, "", "nėra PVM mokėtojas"),
        ("domestic", "21", "PVM1", None),
        ("eu_home", "21", "PVM1", None),
    ],
)
def test_a_rate_without_our_vat_names_the_law(treatment: str, rate: str | None, code: str, words: str | None) -> None:
    found = legal_reference(treatment, None if rate is None else Decimal(rate), code, "DE")
    if words is None:
        assert found is None
    else:
        assert found is not None
        assert words in found.lt
        assert found.en != found.lt


def test_a_credit_note_names_its_invoice(session: Session) -> None:
    with writing(session):
        a_company(session)
        invoice_id = a_document(session)
        note: dict[str, Any] = {
            "kind": InvoiceKind.CREDIT_NOTE,
            "net": Decimal(-10),
            "vat": Decimal("-2.10"),
            "total": Decimal("-12.10"),
        }
        id_ = a_document(
            session, number="KL-1001-K1", credits_invoice_id=invoice_id, issue_date=date(2026, 11, 24), **note
        )
    said = text_of(drawn(session, id_))
    assert said.startswith("Kreditinė PVM sąskaita faktūra")
    assert "Kredituojama sąskaita KL-1001, 2026-11-23" in said
    assert "\u221212,10 EUR" in said


@pytest.mark.parametrize(("quantity", "is_said"), [("0", False), ("-0.5", True)])
def test_money_given_back_without_goods_says_no_quantity_and_no_price(
    session: Session, quantity: str, is_said: bool
) -> None:
    line = {"quantity": Decimal(quantity), "unit_price": Decimal(20), "net": Decimal(-10), "vat": Decimal("-2.10")}
    note: dict[str, Any] = {"net": Decimal(-10), "vat": Decimal("-2.10"), "total": Decimal("-12.10")}
    said = text_of(drawn(session, made(session, kind=InvoiceKind.CREDIT_NOTE, line=line, **note)))
    assert ("vnt." in said, "20,00" in said) == (is_said, is_said)
    assert ("\u22120,5 vnt." in said) == is_said


@pytest.mark.parametrize(
    ("kind", "quantity", "price", "net", "row"),
    [
        ("goods", "-1", "10", "-10.01", "1 Notebook KN-01 \u22121 vnt. 21 % \u221210,01"),
        ("goods", "-1", "10", "-10.00", "1 Notebook KN-01 \u22121 vnt. 10,00 21 % \u221210,00"),
        ("goods", "-3", "3.333333", "-10.00", "1 Notebook KN-01 \u22123 vnt. 3,333333 21 % \u221210,00"),
        ("discount", "-0.333333", "-10", "3.34", "1 Notebook KN-01 21 % 3,34"),
        ("discount", "-0.333333", "-10", "3.33", "1 Notebook KN-01 \u22120,333333 \u221210,00 21 % 3,33"),
    ],
)
def test_a_row_of_a_credit_note_never_contradicts_its_sum(
    session: Session, kind: str, quantity: str, price: str, net: str, row: str
) -> None:
    line = {"kind": kind, "quantity": Decimal(quantity), "unit_price": Decimal(price), "net": Decimal(net)}
    said = text_of(drawn(session, made(session, kind=InvoiceKind.CREDIT_NOTE, line=line)))
    assert row in said


def test_an_invoice_prints_every_price_as_the_law_asks(session: Session) -> None:
    said = text_of(drawn(session, made(session, line={"quantity": Decimal(1), "net": Decimal("6.68")})))
    assert "1 Notebook KN-01 1 vnt. 6,666667 21 % 6,68" in said


def test_a_waiting_invoice_is_a_pro_forma_with_or_without_number(session: Session) -> None:
    said = text_of(drawn(session, made(session, number=None, state=InvoiceState.IN_JOURNAL)))
    assert said.startswith("Išankstinė sąskaita")
    assert "Tai ne sąskaita faktūra" in said
    assert "Užsakymas 1001" in said


def test_what_a_store_sends_stays_text_and_nothing_is_fetched(session: Session) -> None:
    id_ = made(session, name=HOSTILE, buyer={**ONA, "name": HOSTILE, "line": HOSTILE}, payment=HOSTILE)
    reader = drawn(session, id_)
    said = text_of(reader)
    assert '<script>alert("1")</script>' in said
    assert "{{ 7*7 }}" in said
    assert not any("/Annots" in page for page in reader.pages)


def test_a_document_can_ask_for_nothing_but_the_logo(session: Session) -> None:
    from weasyprint.urls import FatalURLFetchingError

    fetcher = pdf._only(paper.Logo("image/png", PNG))
    assert fetcher.fetch("monet:logo").read() == PNG
    for url in ("https://evil.example/x.png", "file:///etc/passwd", "data:text/plain,x", "monet:else"):
        with pytest.raises(FatalURLFetchingError):
            fetcher.fetch(url)
    with pytest.raises(FatalURLFetchingError):
        pdf._only(None).fetch("monet:logo")


def test_the_logo_is_drawn(session: Session) -> None:
    id_ = made(session)
    assert not drawn(session, id_).pages[0].images
    with writing(session):
        session.add(CompanyLogo(id=1, media_type="image/png", body=PNG))
    assert len(drawn(session, id_).pages[0].images) == 1


def test_five_hundred_lines_break_over_pages_with_their_header(session: Session) -> None:
    reader = drawn(session, made(session, lines=500))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert len(pages) > 8
    for n, said in enumerate(pages, start=1):
        assert f"psl. {n} / {len(pages)}" in said
        assert "PVM sąskaita faktūra KL-1001" in said
    assert all("Prekė ar paslauga" in said for said in pages[:-1])
    assert sorted(int(n) for said in pages for n in re.findall(r"(\d+) Notebook", said)) == list(range(1, 501))
    assert "6 050,00 EUR" in text_of(reader)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What a block asks the database."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_many_documents_are_loaded_with_as_many_queries_as_one(session: Session, engine: Engine) -> None:
    with writing(session):
        a_company(session)
        ids = [a_document(session, number=f"KL-{n}") for n in range(1, 6)]
    counts = []
    for asked in ([ids[0]], [ids[3], ids[0], 999, ids[1]]):
        with statements(engine) as done, reading(session):
            found = [one.number for one in paper.load(session, asked)]
        counts.append(len(done))
    assert found == ["KL-4", "KL-1", "KL-2"]
    assert counts[0] == counts[1] <= 7 + 2  # what SQLite is told at the beginning


def test_one_pdf_counts_the_pages_of_each_document_alone(session: Session) -> None:
    with writing(session):
        a_company(session)
        ids = [a_document(session, number="KL-1"), a_document(session, number="KL-2", lines=60)]
    body = bundles.file_of(session, ids, ending="pdf", language="lt")
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(body)).pages]
    assert "psl. 1 / 1" in pages[0]
    assert f"psl. 1 / {len(pages) - 1}" in pages[1]


def test_a_zip_keeps_documents_whose_names_are_one_to_a_file_system(session: Session) -> None:
    with writing(session):
        a_company(session)
        ids = [a_document(session, number=number) for number in ("A/1", "a-1", "../../etc")]
    with zipfile.ZipFile(io.BytesIO(bundles.file_of(session, ids, ending="zip", language="en"))) as file:
        assert file.namelist() == ["A-1.pdf", "a-1-2.pdf", "etc.pdf"]
        assert "A/1" in text_of(PdfReader(io.BytesIO(file.read("A-1.pdf"))))


def test_a_worker_draws_many_and_only_one_worker(session: Session, session_factory: Factory) -> None:
    with writing(session):
        a_company(session)
        ids = [a_document(session, number=f"KL-{n}") for n in range(12)]
    row = bundles.begin(session, ids, ending="zip", language="lt", now=NOON, actor="ona@example.com")
    bundles.work(session_factory, row.id, clock=lambda: NOON, worker="w1")
    with reading(session):
        done = bundles.find(session, row.id)
        body = bundles.body(session, row.id)
    assert done is not None
    assert (done.state, done.written, done.error) == (ErrandState.DONE, 12, "")
    assert body is not None
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        assert len(file.namelist()) == 12
    bundles.work(session_factory, row.id, clock=lambda: NOON, worker="w2")
    with reading(session):
        again = bundles.find(session, row.id)
    assert again is not None
    assert (again.attempt, again.worker) == (1, "w1")
    bundles.begin(session, ids, ending="pdf", language="lt", now=NOON + timedelta(days=2), actor="ona@example.com")
    with reading(session):
        assert bundles.find(session, row.id) is None


def test_a_bundle_whose_worker_died_is_rung_again(session: Session) -> None:
    with writing(session):
        a_company(session)
    row = bundles.begin(session, [1], ending="zip", language="lt", now=NOON, actor="x")
    assert bundles.to_ring(session, now=NOON) == []
    assert [one.id for one in bundles.to_ring(session, now=NOON + timedelta(minutes=1))] == [row.id]
    with writing(session):
        taken = session.get_one(Bundle, row.id)
        taken.state, taken.heartbeat_at, taken.worker = ErrandState.RUNNING, NOON, "elsewhere:1"
    assert bundles.to_ring(session, now=NOON + timedelta(minutes=1)) == []
    assert [one.id for one in bundles.to_ring(session, now=NOON + timedelta(minutes=3))] == [row.id]


def test_invoices_that_are_gone_end_a_bundle_in_a_sentence(session: Session, session_factory: Factory) -> None:
    with writing(session):
        a_company(session)
    row = bundles.begin(session, [999], ending="zip", language="lt", now=NOON, actor="x")
    bundles.work(session_factory, row.id, clock=lambda: NOON, worker="w1")
    with reading(session):
        done = bundles.find(session, row.id)
    assert done is not None
    assert (done.state, done.error) == (
        ErrandState.FAILED, "The invoices are gone. Choose again: they were deleted meanwhile.",
    )  # fmt: skip


def test_a_list_has_a_limit(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(session):
        ids = [a_document(session, number=f"KL-{n}") for n in (2, 1)]
    monkeypatch.setattr(bundles, "MOST", 2)
    with reading(session):
        assert bundles.chosen(session, []) == [ids[1], ids[0]]
    monkeypatch.setattr(bundles, "MOST", 1)
    with reading(session), pytest.raises(BrokenRule, match="More than 1 documents"):
        bundles.chosen(session, [])
    with reading(session), pytest.raises(BrokenRule, match="No invoice is chosen"):
        bundles.chosen(session, [Invoice.id < 0])


def test_a_machine_without_pango_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("weasyprint"):
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BrokenRule) as caught:
        pdf.must_be_possible()
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0" in caught.value.fix


def test_a_paper_says_each_reason_once(session: Session) -> None:
    id_ = made(session, treatment="export")
    with reading(session):
        (one,) = paper.load(session, [id_])
    because = legal_reference("export", Decimal(0), "PVM12", "US")
    row = replace(one.rates[0], because=because)
    assert replace(one, rates=(row, row)).reasons == (because,)
