"""VAT of documents: what an import books, what waits for evidence, what stands on the document afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import LineKind, OrderLine, Refund, RefundLine
from monet_web.models import AuditEntry, Company, Invoice, VatConfirmation, Warehouse
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.items import ItemKind
from monet_web.services.books import evidence, vat_codes
from monet_web.services.documents import decide, mend
from monet_web.services.documents.waiting import Which
from monet_web.services.importing.vat import eu_sales
from tests.builders import NOON, a_charge, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.vat_sales import GERMAN, estonian, exported, sent_to, to_german_company

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]


def company(session: Session, **values: Any) -> None:
    with writing(session):
        session.execute(update(Company).values(**values))


def found(invoice: Invoice) -> list[tuple[str, str]]:
    return [(one.code, one.subject) for one in invoice.found]


def rows(invoice: Invoice) -> list[tuple[str | None, str, str, str]]:
    return [
        (None if row.rate is None else f"{row.rate:f}", row.code, f"{row.base:.2f}", f"{row.amount:.2f}")
        for row in invoice.vat_rows
    ]


def registered(session: Session) -> list[str | None]:
    return [one.number for one in invoices(session) if one.state is InvoiceState.REGISTERED]


def test_a_sale_at_home_has_treatment_and_codes_by_rate_and_supply(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        an_item(session, "KURSAS", keeps_stock=False)
        an_item(session, "KN-01", on_hand=5)
    lines = (
        a_line(),
        a_line(external_id="12", sku="KURSAS", product_id="2", taxes=(a_tax("12", "1.20"),)),
        a_line(external_id="13", taxes=(a_tax("5", "0.50"),)),
    )
    put(store, an_order(lines=lines, charges=(a_charge(kind=LineKind.DEPOSIT, net=Decimal("0.10"), taxes=()),)))
    import_all(session_factory, integrate(session))
    (invoice,) = invoices(session)
    assert (invoice.state, invoice.treatment, invoice.evidence) == (InvoiceState.REGISTERED, "domestic", None)
    assert rows(invoice) == [
        ("21", "PVM1", "10.00", "2.10"), ("12", "PVM58", "10.00", "1.20"), ("5", "PVM3", "10.00", "0.50"),
        (None, "PVM100", "0.10", "0.00"),
    ]  # fmt: skip


def test_one_rate_with_two_codes_is_two_rows(session: Session, session_factory: Factory, store: Shop) -> None:
    with writing(session):
        an_item(session, "KURSAS", keeps_stock=False)
        an_item(session, "KN-01", on_hand=5)
    vat_codes.add_code(
        session, treatment="domestic", percent=Decimal("21.0"), supply="service", code="pvm99",
        valid_from=date(2026, 1, 1), now=NOW, actor="test",
    )  # fmt: skip
    put(store, an_order(lines=(a_line(), a_line(external_id="12", sku="KURSAS", product_id="2"))))
    import_all(session_factory, integrate(session))
    (invoice,) = invoices(session)
    assert rows(invoice) == [("21", "PVM1", "10.00", "2.10"), ("21", "PVM99", "10.00", "2.10")]
    assert (invoice.net, invoice.vat) == (Decimal("20.00"), Decimal("4.20"))


def test_a_sale_to_an_eu_company_waits_until_an_accountant_confirms_its_code(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, to_german_company(), to_german_company("1002", "136695976"))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert [found(one) for one in invoices(session)] == [[("vat_number_unconfirmed", GERMAN)]] * 2
    evidence.confirm_by_hand(
        session, GERMAN, day=date(2026, 11, 24), number="WAPIAAAAX1", now=NOW, actor="jonas@example.com"
    )
    done = mend.check_again(session, codes=("vat_number_unconfirmed",), now=NOW, actor="test")
    assert (done.checked, done.registered) == (2, 2)
    first, second = invoices(session)
    assert (first.treatment, second.treatment) == ("eu_company", "eu_company")
    assert first.evidence == {"vat_code": {"code": GERMAN, "day": "2026-11-24", "how": "hand", "number": "WAPIAAAAX1"}}
    assert rows(first) == [(None, "PVM13", "10.00", "0.00")]
    with reading(session):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "vat_code_asked")).one()
    assert (entry.actor, entry.after) == (
        "jonas@example.com",
        {"vat_code": GERMAN, "valid": True, "day": "2026-11-24", "how": "hand", "number": "WAPIAAAAX1", "reason": ""},
    )


def test_the_newest_answer_about_a_code_counts(session: Session, session_factory: Factory, store: Shop) -> None:
    def said(valid: bool | None, hour: int) -> None:
        at = datetime(2026, 11, 24, hour, tzinfo=UTC)
        evidence.keep(
            session,
            VatConfirmation(vat_code=GERMAN, valid=valid, day=at.date(), how="vies", asked_at=at, asked_by="VIES"),
        )

    put(store, to_german_company())
    import_all(session_factory, integrate(session, accounting_type="amounts", register_automatically="no"))
    for valid, hour, code in ((True, 1, None), (False, 2, "vat_number_refused"), (None, 3, "vat_number_refused")):
        said(valid, hour)
        mend.check_again(session, now=NOW, actor="test")
        (invoice,) = invoices(session)
        assert [one.code for one in invoice.found if one.code != "posting_manual"] == ([code] if code else [])


@pytest.mark.parametrize(
    ("code", "number", "reason", "day", "what"),
    [
        ("DE136695977", "W1", "", date(2026, 11, 24), "can't be a VAT code"),
        (GERMAN, "", " ", date(2026, 11, 24), "number of the consultation"),
        (GERMAN, "W1", "", date(2026, 11, 26), "still to come"),
    ],
)
def test_a_confirmation_by_hand_needs_a_possible_code_a_reason_and_a_past_day(
    session: Session, code: str, number: str, reason: str, day: date, what: str
) -> None:
    with pytest.raises(BrokenRule, match=what):
        evidence.confirm_by_hand(session, code, day=day, number=number, reason=reason, now=NOW, actor="test")
    with reading(session):
        assert session.scalars(select(VatConfirmation)).all() == []


def test_an_export_waits_for_its_customs_declaration_and_keeps_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, exported(), exported("1002"))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    first, second = invoices(session)
    assert found(first) == found(second) == [("export_unproven", "US")]
    assert evidence.exported_order(session, "1001") == first.store_order_id
    with pytest.raises(BrokenRule, match="can't be the number of a customs declaration"):
        evidence.prove_export(session, first.store_order_id, mrn="12345", now=NOW, actor="test")
    evidence.prove_export(session, first.store_order_id, mrn="26lt vr1000 ex123451", now=NOW, actor="test")
    evidence.prove_export(session, second.store_order_id, reason="CN22 of the post", now=NOW, actor="test")
    mend.check_again(session, codes=("export_unproven",), now=NOW, actor="test")
    first, second = invoices(session)
    assert (first.state, first.treatment, first.evidence) == (
        InvoiceState.REGISTERED, "export", {"export": {"mrn": "26LTVR1000EX123451"}},
    )  # fmt: skip
    assert second.evidence == {"export": {"reason": "CN22 of the post"}}
    assert rows(first) == [(None, "PVM12", "10.00", "0.00")]


def test_an_order_that_waits_for_no_declaration_is_named(session: Session) -> None:
    with pytest.raises(BrokenRule, match="No invoice of order 7 waits"):
        evidence.exported_order(session, "7")
    with pytest.raises(BrokenRule, match="not here any more"):
        evidence.prove_export(session, 7, mrn="26LTVR1000EX123451", now=NOW, actor="test")


def test_the_companys_days_decide_between_oss_and_our_own_vat(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, estonian(), sent_to("EE", number="1002"))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    first, second = invoices(session)
    assert (found(first), first.treatment) == ([("oss_off", "EE 24")], "eu_home")
    assert (second.state, second.treatment, rows(second)[0][1]) == (InvoiceState.REGISTERED, "eu_home", "PVM1")
    company(session, oss_from=date(2026, 11, 1))
    mend.check_again(session, now=NOW, actor="test")
    first, _ = invoices(session)
    assert (first.state, first.treatment) == (InvoiceState.REGISTERED, "oss")
    assert rows(first) == [("24", "PVM15", "10.00", "2.40")]


def test_who_is_no_vat_payer_books_without_vat_and_not_with_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company(session, vat_from=date(2026, 12, 1))
    put(store, an_order(), an_order(external_id="9002", number="1002", lines=(a_line(taxes=()),)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    with_vat, without = invoices(session)
    assert found(with_vat) == [("not_vat_payer", "")]
    assert (without.state, without.treatment, rows(without)) == (
        InvoiceState.REGISTERED, "not_payer", [(None, "", "10.00", "0.00")],
    )  # fmt: skip


def test_an_invoice_dated_before_the_company_was_a_payer_waits_and_passes_with_another_date(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company(session, vat_from=date(2026, 11, 1))
    paid = datetime(2026, 10, 31, 10, tzinfo=UTC)
    put(store, an_order(placed_at=paid, paid_at=paid, shipped_at=datetime(2026, 11, 2, 10, tzinfo=UTC)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    (waits,) = invoices(session)
    assert (waits.state, waits.issue_date, found(waits)) == (
        InvoiceState.IN_JOURNAL, date(2026, 10, 31), [("issued_not_payer", "")],
    )  # fmt: skip
    mend.check_again(session, codes=("issued_not_payer",), dated=date(2026, 11, 24), now=NOW, actor="test")
    (done,) = invoices(session)
    assert (done.state, done.issue_date, done.treatment) == (
        InvoiceState.REGISTERED, date(2026, 11, 24), "domestic",
    )  # fmt: skip


def test_the_sale_that_crosses_the_years_threshold_waits(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company(session, eu_threshold=Decimal("25.00"))
    integration = integrate(session, accounting_type="amounts")
    put(store, *(sent_to("EE", number=str(1000 + n)) for n in range(4)))
    import_all(session_factory, integration)
    assert [found(one) for one in invoices(session)] == [[], [], [("eu_threshold", "2026")], [("eu_threshold", "2026")]]
    with reading(session):
        assert eu_sales(session, (2026,)).of_year(2026) == Decimal("40.00")
        assert eu_sales(session, (2025,)).of_year(2025) == 0
    # Drafted anew they are not counted twice.
    company(session, eu_threshold=Decimal("40.00"))
    mend.check_again(session, codes=("eu_threshold",), now=NOW, actor="test")
    assert len(registered(session)) == 4


def test_a_threshold_is_counted_over_the_pages_of_a_run(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company(session, eu_threshold=Decimal("25.00"))
    store.PAGE = 1
    put(store, *(sent_to("EE", number=str(1000 + n)) for n in range(3)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert [len(one.found) for one in invoices(session)] == [0, 0, 1]


def test_goods_from_a_warehouse_abroad_are_booked_by_hand(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
        session.execute(update(Warehouse).values(country="PL"))
    put(store, an_order())
    import_all(session_factory, integrate(session))
    (invoice,) = invoices(session)
    assert found(invoice) == [("vat_by_hand", "warehouse_abroad")]


def test_an_items_vat_class_that_names_a_scheme_stops(session: Session, session_factory: Factory, store: Shop) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5, vat_class="Maržos schema")
    put(store, an_order())
    import_all(session_factory, integrate(session))
    (invoice,) = invoices(session)
    assert found(invoice) == [("vat_by_hand", "margin")]


def test_a_missing_code_that_is_added_lets_what_waits_through(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, an_order(lines=(a_line(taxes=()),)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    (invoice,) = invoices(session)
    assert found(invoice) == [("classifier_missing", "domestic none goods")]
    vat_codes.add_code(
        session, treatment="domestic", percent=None, supply="both", code="PVM5", valid_from=date(2026, 1, 1),
        source="Art. 20", now=NOW, actor="test",
    )  # fmt: skip
    mend.check_again(session, codes=("classifier_missing",), now=NOW, actor="test")
    (invoice,) = invoices(session)
    assert rows(invoice) == [(None, "PVM5", "10.00", "0.00")]


def test_the_same_code_again_is_replaced_and_each_change_is_in_the_trail(session: Session) -> None:
    for code, last in (("PVM5", None), ("PVM5", None), ("PVM14", date(2026, 12, 31))):
        vat_codes.add_code(
            session, treatment="domestic", percent=Decimal("0.0"), supply="", code=code, valid_from=date(2026, 1, 1),
            valid_to=last, now=NOW, actor="test",
        )  # fmt: skip
    with reading(session):
        added = [one.row for one in vat_codes.list_codes(session, "LT") if not one.is_builtin]
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "vat_code_set")).all()
    assert [(row.code, row.percent, row.valid_to) for row in added] == [("PVM14", Decimal(0), date(2026, 12, 31))]
    assert [(entry.after or {})["code"] for entry in trail] == ["PVM5", "PVM14"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"treatment": "gift"}, "treatment"),
        ({"treatment": "not_payer"}, "treatment"),
        ({"supply": "air"}, "supply"),
        ({"percent": Decimal(101)}, "percent"),
        ({"percent": Decimal("NaN")}, "percent"),
        ({"code": "21"}, "code"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to"),
    ],
)
def test_a_code_that_can_not_be_is_refused_at_its_field(session: Session, changes: dict[str, Any], field: str) -> None:
    values: dict[str, Any] = {
        "treatment": "oss",
        "percent": Decimal(0),
        "supply": "",
        "code": "PVM15",
        "valid_from": date(2026, 1, 1),
    }
    with pytest.raises(BrokenRule) as refused:
        vat_codes.add_code(session, **{**values, **changes}, now=NOW, actor="test")
    assert refused.value.field == field


def test_a_buyers_corrected_code_is_the_one_that_is_confirmed(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, to_german_company(vat_code=""))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    (invoice,) = invoices(session)
    assert found(invoice) == [("eu_untaxed", "DE")]
    which = Which(code="eu_untaxed", subject="DE")
    decide.correct_buyer(session, which, GERMAN, now=NOW, actor="test")
    mend.check_again(session, now=NOW + timedelta(minutes=1), actor="test")
    (invoice,) = invoices(session)
    assert found(invoice) == [("vat_number_unconfirmed", GERMAN)]


def test_a_company_of_another_state_that_was_charged_under_oss_waits_until_a_person_says_which(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company(session, oss_from=date(2026, 1, 1))
    integration = integrate(session, accounting_type="amounts")
    taxed = (a_line(taxes=(a_tax("24", "2.40"),)),)
    put(store, sent_to("EE", vat_code="EE100594102", number="1", lines=taxed))
    put(store, sent_to("EE", number="2", lines=taxed))
    import_all(session_factory, integration)
    firm, consumer = invoices(session)
    assert (firm.state, found(firm)) == (InvoiceState.IN_JOURNAL, [("company_charged", "EE100594102")])
    assert (consumer.state, consumer.treatment) == (InvoiceState.REGISTERED, "oss")


DEPOSIT = a_line(
    external_id="12", kind=LineKind.DEPOSIT, name="Deposit", sku="", product_id="8", net=Decimal("10.00"), taxes=()
)
COURSE = a_line(external_id="12", sku="KURSAS", product_id="9", net=Decimal("10.00"), taxes=())


@pytest.mark.parametrize(("second", "code"), [(COURSE, "PVM15"), (DEPOSIT, "PVM100")])
def test_what_is_given_back_of_one_line_is_filed_under_that_lines_code(
    session: Session, session_factory: Factory, store: Shop, second: OrderLine, code: str
) -> None:
    with writing(session):
        an_item(session, "KURSAS", kind=ItemKind.SERVICE, keeps_stock=False)
        an_item(session, "KN-01", on_hand=5)
    evidence.confirm_by_hand(session, GERMAN, day=date(2026, 11, 23), number="W1", now=NOW, actor="test")
    lines = (a_line(net=Decimal("90.00"), taxes=()), second)
    refunds = tuple(
        Refund(key, NOON + timedelta(hours=20), net, lines=(RefundLine(line, kind, "", Decimal(pieces), net),))
        for key, line, kind, pieces, net in (
            ("501", "12", second.kind, 1, Decimal("4.00")), ("502", "11", LineKind.GOODS, 1, Decimal("30.00")),
        )
    )  # fmt: skip
    put(store, sent_to("DE", vat_code=GERMAN, lines=lines, refunds=refunds))
    import_all(session_factory, integrate(session, refunds="automatic"))
    sale, first, other = invoices(session)
    assert rows(sale) == [(None, "PVM13", "90.00", "0.00"), (None, code, "10.00", "0.00")]
    assert rows(first) == [(None, code, "-4.00", "0.00")]
    assert rows(other) == [(None, "PVM13", "-30.00", "0.00")]
