"""The sales journal of documents: which accounts each is debited and credited on, in euro, balanced to the cent.

A day, store, payment method, VAT code and account make one row. Invoices and credit notes stay apart, so that a day's
turnover is not netted away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from monet_web.domain.money import ZERO, allocate, convert, round_cents
from monet_web.domain.orders import PaymentKind


class Part(StrEnum):
    """What a row is of, in the order in which a group of rows is written."""

    PAYMENT = "payment"
    SALES = "sales"
    VAT = "vat"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Numbers of accounts; none is empty. Those of sales stand on the lines."""

    receivable: str
    prepaid: str
    cash_on_delivery: str
    gift_card: str
    vat: str
    oss_vat: str
    rounding: str
    cash: str

    def of_payment(self, kind: PaymentKind) -> str:
        """Where a payment of that kind is debited."""
        return {
            PaymentKind.PREPAID: self.prepaid,
            PaymentKind.CASH_ON_DELIVERY: self.cash_on_delivery,
            PaymentKind.GIFT_CARD: self.gift_card,
            PaymentKind.CASH_WITH_RECEIPT: self.cash,
        }.get(kind, self.receivable)


@dataclass(frozen=True, slots=True)
class Sold:
    """What the lines of one rate came to on one account, in the document's currency."""

    account: str
    rate: Decimal | None
    net: Decimal


@dataclass(frozen=True, slots=True)
class Taxed:
    """The VAT of one rate and classifier code; `vat_eur` in euro, the rest in the document's currency."""

    rate: Decimal | None
    code: str
    base: Decimal
    vat_eur: Decimal


@dataclass(frozen=True, slots=True)
class Origin:
    """The invoice that a credit note or a re-issued invoice comes from, and what of its total stood in EUR around that.

    `before` and `after`: its total less its credit notes, with what was re-issued of it, without and with the document.
    """

    paid: tuple[tuple[PaymentKind, Decimal], ...]  # in its currency
    total: Decimal  # in its currency
    eur_rate: Decimal
    total_eur: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Document:
    """One document; a credit note's amounts are negative. Σ sold = Σ base; totals in euro as the document has them.

    One that has an `origin` is paid as that was, whatever `paid` says: after − before is its total in EUR.
    """

    day: date
    store: str
    payment: str
    is_credit_note: bool
    is_oss: bool
    eur_rate: Decimal
    sold: tuple[Sold, ...]
    taxed: tuple[Taxed, ...]
    paid: tuple[tuple[PaymentKind, Decimal], ...]  # in its currency
    total: Decimal  # in its currency
    net_eur: Decimal
    vat_eur: Decimal
    total_eur: Decimal
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What makes a row; sorted as it is written. `rate` is text: none and 0 are two things, and both sort."""

    day: date
    store: str
    is_credit_note: bool
    payment: str
    part: int
    account: str
    code: str
    rate: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal in EUR: one of `debit` and `credit` is above 0, the other 0."""

    day: date
    store: str
    payment: str
    is_credit_note: bool
    part: Part
    account: str
    code: str
    rate: str  # "21", "" for no tax and where there is none to name
    documents: int
    debit: Decimal
    credit: Decimal


_PARTS = tuple(Part)


def journal(documents: Iterable[Document], accounts: Accounts) -> list[Row]:
    """The rows, sorted by day and store; Σ debit = Σ credit for every day, store and payment method."""
    sums: dict[Key, list[Decimal]] = {}
    for one in documents:
        for part, account, code, rate, amount in _entries(one, accounts):
            key = Key(one.day, one.store, one.is_credit_note, one.payment, _PARTS.index(part), account, code, rate)
            sums.setdefault(key, []).append(amount)
    rows = []
    for key in sorted(sums):
        amount = sum(sums[key], ZERO)
        if amount:
            rows.append(
                Row(
                    day=key.day, store=key.store, payment=key.payment, is_credit_note=key.is_credit_note,
                    part=_PARTS[key.part], account=key.account, code=key.code, rate=key.rate,
                    documents=len(sums[key]), debit=max(amount, ZERO), credit=max(-amount, ZERO),
                )
            )  # fmt: skip
    return rows


def _entries(one: Document, accounts: Accounts) -> Iterable[tuple[Part, str, str, str, Decimal]]:
    """(part, account, code, rate, amount) with debits above 0: their sum is 0. One entry a key."""
    found: dict[tuple[Part, str, str, str], Decimal] = {}

    def add(part: Part, account: str, code: str, rate: Decimal | None, amount: Decimal) -> None:
        key = (part, account, code, "" if rate is None else f"{rate.normalize():f}")
        found[key] = found.get(key, ZERO) + amount

    for kind, amount in _paid(one):
        add(Part.PAYMENT, accounts.receivable if kind is None else accounts.of_payment(kind), "", None, amount)
    for account, code, rate, amount in _sold(one):
        add(Part.SALES, account, code, rate, -amount)
    for row in one.taxed:
        add(Part.VAT, accounts.oss_vat if one.is_oss else accounts.vat, row.code, row.rate, -row.vat_eur)
    add(Part.ROUNDING, accounts.rounding, "", None, -(one.total_eur - one.net_eur - one.vat_eur))
    for key, amount in found.items():
        if amount:
            yield (*key, amount)


def _paid(one: Document) -> list[tuple[PaymentKind | None, Decimal]]:
    """The total in euro by how it is paid; None: owed by the buyer."""
    origin = one.origin
    if origin is None:
        return _debited(one)
    whole = _debited(origin)
    # In proportion to what stands, and not to each document's total: so it ends at 0 on every account with the last.
    both = zip(_part(whole, origin.after, origin.total_eur), _part(whole, origin.before, origin.total_eur), strict=True)
    return [(kind, after - before) for (kind, _), (after, before) in zip(whole, both, strict=True)]


def _debited(one: Document | Origin) -> list[tuple[PaymentKind | None, Decimal]]:
    """By the amounts that are said; the rest in the one way that no amount is said of, else it is owed."""
    by_kind: dict[PaymentKind | None, Decimal] = {}
    for kind, amount in one.paid:
        by_kind[kind] = by_kind.get(kind, ZERO) + amount
    said = sum(by_kind.values(), ZERO)
    # Stores keep more places of an amount than an invoice has.
    if said and one.total in (said, round_cents(said)) and min(by_kind.values()) >= 0:
        return list(zip(by_kind, allocate(one.total_eur, list(by_kind.values())), strict=True))
    untold = [kind for kind, amount in by_kind.items() if not amount]
    in_eur = {kind: convert(amount, one.eur_rate) for kind, amount in by_kind.items()}
    rest = untold[0] if len(untold) == 1 else None
    in_eur[rest] = one.total_eur - sum(in_eur.values(), ZERO)
    return list(in_eur.items())


def _part(whole: Sequence[tuple[PaymentKind | None, Decimal]], amount: Decimal, total: Decimal) -> list[Decimal]:
    """`amount` in proportion to the parts of `total`, whatever their signs; all of it: exactly these parts."""
    largest = max(range(len(whole)), key=lambda at: (abs(whole[at][1]), -at))
    shares = [round_cents(each * amount / total) if total else ZERO for _, each in whole]
    shares[largest] += amount - sum(shares, ZERO)
    return shares


def _sold(one: Document) -> list[tuple[str, str, Decimal | None, Decimal]]:
    """(account, code, rate, net in euro): their sum is the document's net in euro, each code's its base."""
    cells: list[tuple[str, str, Decimal | None, Decimal]] = []
    for rate in dict.fromkeys(row.rate for row in one.taxed):
        sold = [(row.account, row.net) for row in one.sold if row.rate == rate]
        codes = [(row.code, row.base) for row in one.taxed if row.rate == rate]
        cells += [(account, code, rate, net) for account, code, net in _spread(sold, codes)]
    if not cells:
        return []
    in_eur = [convert(net, one.eur_rate) for *_, net in cells]
    # Each cell is rounded alone; what that leaves of the document's net goes to the largest.
    largest = max(range(len(cells)), key=lambda at: (abs(in_eur[at]), -at))
    in_eur[largest] += one.net_eur - sum(in_eur, ZERO)
    return [(account, code, rate, eur) for (account, code, rate, _), eur in zip(cells, in_eur, strict=True)]


def _spread(
    sold: Sequence[tuple[str, Decimal]], codes: Sequence[tuple[str, Decimal]]
) -> list[tuple[str, str, Decimal]]:
    """Accounts spread over codes of one rate in their order; every account's sum and every code's base stays exact."""
    cells = []
    at, left = 0, codes[0][1]
    for account, net in sold[:-1]:
        rest = net
        while at < len(codes) - 1 and abs(rest) >= abs(left):
            cells.append((account, codes[at][0], left))
            rest -= left
            at += 1
            left = codes[at][1]
        cells.append((account, codes[at][0], rest))
        left -= rest
    # The last account takes what every code still has: both sides come to the same sum.
    cells += [(sold[-1][0], code, base) for code, base in [(codes[at][0], left), *codes[at + 1 :]]]
    return [cell for cell in cells if cell[2]]
