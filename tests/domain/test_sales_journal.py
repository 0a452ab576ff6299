"""The sales journal: balanced to the cent whatever is sold, and every row on its account."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.money import ZERO, convert
from monet_web.domain.orders import PaymentKind
from monet_web.domain.sales_journal import Accounts, Document, Origin, Part, Row, Sold, Taxed, journal

ACCOUNTS = Accounts("2410", "2411", "2412", "2413", "4492", "4493", "6803", "2720")
PREPAID, COD, CARD = PaymentKind.PREPAID, PaymentKind.CASH_ON_DELIVERY, PaymentKind.GIFT_CARD
D = Decimal


def a_document(**changes: object) -> Document:
    """10.00 of goods and 4.00 of shipping at 21 %, 16.94 EUR, paid beforehand."""
    plain = Document(
        day=date(2026, 11, 23), store="KL", payment="Bank", is_credit_note=False, is_oss=False, eur_rate=D(1),
        sold=(Sold("5001", D(21), D(10)), Sold("5002", D(21), D(4))), taxed=(Taxed(D(21), "PVM1", D(14), D("2.94")),),
        paid=((PREPAID, D("16.94")),), total=D("16.94"), net_eur=D(14), vat_eur=D("2.94"), total_eur=D("16.94"),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def shown(rows: list[Row]) -> list[tuple[str, str, str, str, str]]:
    return [(row.part.value, row.account, row.code, f"{row.debit:.2f}", f"{row.credit:.2f}") for row in rows]


def paid_on(documents: list[Document]) -> dict[str, Decimal]:
    """Account → what its payments came to, debits above 0."""
    found: dict[str, Decimal] = {}
    for row in journal(documents, ACCOUNTS):
        if row.part is Part.PAYMENT:
            found[row.account] = found.get(row.account, ZERO) + row.debit - row.credit
    return found


def test_one_invoice_is_debited_on_its_payment_and_credited_on_sales_and_vat() -> None:
    assert shown(journal([a_document()], ACCOUNTS)) == [
        ("payment", "2411", "", "16.94", "0.00"),
        ("sales", "5001", "PVM1", "0.00", "10.00"),
        ("sales", "5002", "PVM1", "0.00", "4.00"),
        ("vat", "4492", "PVM1", "0.00", "2.94"),
    ]


def test_documents_of_a_day_store_and_payment_are_one_row_and_others_are_not() -> None:
    rows = journal([a_document(), a_document(), a_document(payment="Cash", paid=((COD, D("16.94")),))], ACCOUNTS)
    payments = [row for row in rows if row.part is Part.PAYMENT]
    assert [(row.payment, row.account, row.documents, row.debit) for row in payments] == [
        ("Bank", "2411", 2, D("33.88")), ("Cash", "2412", 1, D("16.94")),
    ]  # fmt: skip


def test_cash_that_a_till_gave_a_receipt_for_stands_on_its_own_account() -> None:
    paid = ((PaymentKind.CASH_WITH_RECEIPT, D("6.94")), (CARD, D("10.00")))
    rows = journal([a_document(payment="Till", paid=paid)], ACCOUNTS)
    assert [(row.account, row.debit) for row in rows if row.part is Part.PAYMENT] == [
        ("2413", D("10.00")), ("2720", D("6.94")),
    ]  # fmt: skip


def test_a_credit_note_stands_apart_on_the_other_sides() -> None:
    note = a_document(
        is_credit_note=True, sold=(Sold("5001", D(21), D(-10)),), taxed=(Taxed(D(21), "PVM1", D(-10), D("-2.10")),),
        total=D("-12.10"), net_eur=D(-10), vat_eur=D("-2.10"), total_eur=D("-12.10"), paid=(),
        origin=Origin(((PREPAID, D("16.94")),), D("16.94"), D(1), D("16.94"), D("16.94"), D("4.84")),
    )  # fmt: skip
    rows = [row for row in journal([a_document(), note], ACCOUNTS) if row.is_credit_note]
    assert shown(rows) == [
        ("payment", "2411", "", "0.00", "12.10"),
        ("sales", "5001", "PVM1", "10.00", "0.00"),
        ("vat", "4492", "PVM1", "2.10", "0.00"),
    ]


def test_several_payments_are_debited_each_and_what_is_not_paid_is_owed() -> None:
    both = a_document(paid=((CARD, D("6.94")), (PREPAID, D(10))))
    assert [(row.account, row.debit) for row in journal([both], ACCOUNTS) if row.debit] == [
        ("2411", D("10.00")), ("2413", D("6.94")),
    ]  # fmt: skip
    partly = a_document(paid=((CARD, D(5)), (PREPAID, D(10))))
    assert [(row.account, row.debit) for row in journal([partly], ACCOUNTS) if row.debit] == [
        ("2410", D("1.94")), ("2411", D("10.00")), ("2413", D("5.00")),
    ]  # fmt: skip
    owed = a_document(paid=())
    assert [row.account for row in journal([owed], ACCOUNTS) if row.debit] == ["2410"]


@pytest.mark.parametrize(
    ("paid", "debited"),
    [
        ([(CARD, "2.00")], [("2410", "14.94"), ("2413", "2.00")]),
        ([(PREPAID, "5.00"), (PREPAID, "1.94")], [("2410", "10.00"), ("2411", "6.94")]),
        ([(PREPAID, "20.00")], [("2410", "-3.06"), ("2411", "20.00")]),  # more than it costs is owed to the buyer
        ([(PREPAID, "16.942")], [("2411", "16.94")]),  # the store's own places
        ([(COD, "0")], [("2412", "16.94")]),  # a way of paying without an amount
        ([(CARD, "5.00"), (COD, "0")], [("2412", "11.94"), ("2413", "5.00")]),
        ([(CARD, "0"), (COD, "0")], [("2410", "16.94")]),
    ],
)
def test_amounts_say_what_each_account_is_debited_with_one_way_of_paying_too(
    paid: list[tuple[PaymentKind, str]], debited: list[tuple[str, str]]
) -> None:
    one = a_document(paid=tuple((kind, D(amount)) for kind, amount in paid))
    assert paid_on([one]) == {account: D(amount) for account, amount in debited}


def test_a_part_that_is_paid_in_another_currency_is_debited_in_euro() -> None:
    one = a_document(
        eur_rate=D(2), sold=(Sold("5001", D(21), D(28)),), taxed=(Taxed(D(21), "PVM1", D(28), D("2.94")),),
        total=D("33.88"), paid=((CARD, D(4)),),
    )  # fmt: skip
    assert paid_on([one]) == {"2410": D("14.94"), "2413": D("2.00")}


@given(st.data())
def test_credit_notes_that_leave_nothing_leave_nothing_on_any_account_of_payments(data: st.DataObject) -> None:
    paid = tuple(data.draw(st.lists(st.tuples(_kinds, _amounts), max_size=3)))
    whole = data.draw(st.decimals(min_value="0.01", max_value="500", places=2))
    rate = data.draw(st.sampled_from([D(1), D("1.0837")]))
    plain = a_document(paid=paid, total=data.draw(_amounts), total_eur=whole, net_eur=whole - D("2.94"), eur_rate=rate)
    documents, stands = [plain], whole
    for each in [*data.draw(st.lists(_amounts, max_size=3)), -whole]:
        after = ZERO if each == -whole else stands + each
        origin = Origin(paid, plain.total, rate, whole, stands, after)
        documents.append(a_document(total_eur=after - stands, net_eur=after - stands - D("2.94"), origin=origin))
        stands = after
    assert not any(paid_on(documents).values())


def test_vat_under_oss_has_an_account_of_its_own() -> None:
    rows = journal([a_document(is_oss=True)], ACCOUNTS)
    assert [row.account for row in rows if row.part is Part.VAT] == ["4493"]


def test_rounding_has_its_account() -> None:
    rows = journal([a_document(total=D("16.95"), total_eur=D("16.95"), paid=((PREPAID, D("16.95")),))], ACCOUNTS)
    assert ("rounding", "6803", "", "0.00", "0.01") in shown(rows)


def test_no_tax_is_not_nought_per_cent_and_two_codes_of_a_rate_stay_apart() -> None:
    one = a_document(
        sold=(Sold("5001", D(0), D(10)), Sold("5002", D(0), D(4)), Sold("5002", None, D("0.10"))),
        taxed=(
            Taxed(D(0), "PVM13", D(10), ZERO), Taxed(D(0), "PVM15", D(4), ZERO), Taxed(None, "PVM100", D("0.10"), ZERO),
        ),
        total=D("14.10"), net_eur=D("14.10"), vat_eur=ZERO, total_eur=D("14.10"), paid=(),
    )  # fmt: skip
    sales = [(row.account, row.code, row.rate, row.credit) for row in journal([one], ACCOUNTS) if row.credit]
    assert sales == [
        ("5001", "PVM13", "0", D(10)), ("5002", "PVM100", "", D("0.10")), ("5002", "PVM15", "0", D(4)),
    ]  # fmt: skip


_amounts = st.decimals(min_value=D("-500"), max_value=D("5000"), places=2)
_kinds = st.sampled_from(list(PaymentKind))


@st.composite
def _documents(draw: st.DrawFn) -> Document:
    """A document as the books keep them: sums per rate and code are those of its lines; the euro side is given."""
    rate = draw(st.sampled_from([D(1), D("1.0837"), D("0.8512"), D("162.55")]))
    sold, taxed = [], []
    for percent in draw(st.lists(st.sampled_from([D(21), D(5), D(0), None]), min_size=1, max_size=3, unique=True)):
        lines = draw(st.lists(st.tuples(st.sampled_from(["5001", "5002", "5003"]), _amounts), min_size=1, max_size=4))
        sold += [Sold(account, percent, net) for account, net in lines]
        codes = draw(st.integers(1, 3))
        bases = draw(st.lists(_amounts, min_size=codes - 1, max_size=codes - 1))
        bases.append(sum((net for _, net in lines), ZERO) - sum(bases, ZERO))
        taxed += [Taxed(percent, f"PVM{n}", base, draw(_amounts)) for n, base in enumerate(bases)]
    net = convert(sum((one.net for one in sold), ZERO), rate)
    vat = sum((one.vat_eur for one in taxed), ZERO)
    total = net + vat + draw(st.decimals(min_value=D("-0.05"), max_value=D("0.05"), places=2))
    paid = draw(st.lists(st.tuples(_kinds, _amounts), max_size=3))
    return a_document(
        sold=tuple(sold), taxed=tuple(taxed), eur_rate=rate, paid=tuple(paid), net_eur=net, vat_eur=vat,
        total_eur=total, total=draw(_amounts), is_credit_note=draw(st.booleans()),
        store=draw(st.sampled_from(["KL", "ŽA"])), payment=draw(st.sampled_from(["Bank", "Cash"])),
    )  # fmt: skip


@given(st.lists(_documents(), max_size=6))
def test_it_balances_to_the_cent_for_every_day_store_and_payment(documents: list[Document]) -> None:
    rows = journal(documents, ACCOUNTS)
    sides: dict[tuple[str, str, bool], Decimal] = {}
    for row in rows:
        assert (row.debit > 0) != (row.credit > 0)
        key = (row.store, row.payment, row.is_credit_note)
        sides[key] = sides.get(key, ZERO) + row.debit - row.credit
    assert not any(sides.values())
    vat = sum((row.credit - row.debit for row in rows if row.part is Part.VAT), ZERO)
    assert vat == sum((one.vat_eur for one in documents), ZERO)
    sales = sum((row.credit - row.debit for row in rows if row.part is Part.SALES), ZERO)
    assert sales == sum((one.net_eur for one in documents), ZERO)


@given(_documents())
def test_in_euro_every_account_and_every_code_has_exactly_what_the_document_says(one: Document) -> None:
    net = sum((each.net for each in one.sold), ZERO)
    one = replace(one, eur_rate=D(1), net_eur=net, total_eur=net + one.vat_eur)
    rows = [row for row in journal([one], ACCOUNTS) if row.part is Part.SALES]

    def credited(of: str, name: str) -> Decimal:
        return sum((row.credit - row.debit for row in rows if getattr(row, of) == name), ZERO)

    for account in {each.account for each in one.sold}:
        assert credited("account", account) == sum((each.net for each in one.sold if each.account == account), ZERO)
    for code in {each.code for each in one.taxed}:
        assert credited("code", code) == sum((each.base for each in one.taxed if each.code == code), ZERO)
