"""The kinds of sales that a Shopify shop of ours has, each a function of its place, its moment and a source of chance.

Names, goods and prices are made up. Each kind is one that accounting has to tell from the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from monet_web.demo.shopify.changes import cancel, refund
from monet_web.demo.shopify.documents import Document, cents, value
from monet_web.demo.shopify.sales import Person, Piece, Sale

D = Decimal


@dataclass(frozen=True, slots=True)
class Till:
    """Where a sale is made: its position, its moment, how late it may be changed, and what chance decides."""

    position: int
    created: datetime
    until: datetime
    chance: random.Random

    def refund(self, document: Document, hours: int, **how: Any) -> None:
        """So many hours later something is given back, if that long has passed."""
        if (at := self.created + timedelta(hours=hours)) <= self.until:
            refund(document, at=at, **how)

    def sale(self, pieces: list[Piece], buyer: Person | None, **more: Any) -> Sale:
        return Sale(self.position, self.created, pieces, buyer, self.until, **more)

    def person(self, country: str = "LT") -> Person:
        return self.chance.choice([person for person in PEOPLE if person.country == country])

    def goods(self, most: int = 3, rate: Decimal | None = D(21)) -> list[Piece]:
        """Different goods, one to four of each."""
        chosen = self.chance.sample(GOODS, self.chance.randint(1, most))
        return [Piece(title, sku, price, self.chance.choice((1, 1, 1, 2, 3, 4)), rate) for title, sku, price in chosen]


GOODS: Final[tuple[tuple[str, str, Decimal], ...]] = (
    ("Kėdė", "SH-KEDE", D("49.99")),
    ("Stalas", "SH-STALAS", D("120.00")),
    ("Lempa", "SH-LEMPA", D("30.00")),
    ("Vaza", "SH-VAZA", D("14.50")),
    ("Antklodė", "SH-ANTKLODE", D("64.90")),
    ("Puodelis „Rytas“", "SH-PUODELIS", D("8.95")),
    ("Lentyna", "SH-LENTYNA", D("39.33")),
    ("Žvakė", "SH-ZVAKE", D("5.49")),
)
BOOK: Final = ("Knyga „Marių krantas“", "SH-KNYGA", D("12.40"))
COURSE: Final = ("Keramikos pamoka (vaizdo įrašas)", "SH-PAMOKA", D("25.00"))
PEOPLE: Final[tuple[Person, ...]] = (
    Person("Ona", "Pavyzdienė", "Gedimino pr. 1", "Vilnius", "01103"),
    Person("Jonas", "Bandomasis", "Laisvės al. 20-4", "Kaunas", "44240"),
    Person("Rūta", "Šiaulytė", "Tilžės g. 5", "Šiauliai", "76298"),
    Person("Mantas", "Žemaitis", "Herkaus Manto g. 8", "Klaipėda", "92138"),
    Person("Jānis", "Paraugs", "Brīvības iela 3", "Rīga", "LV-1010", "LV"),
    Person("Mari", "Näidis", "Pikk 7", "Tallinn", "10123", "EE"),
    Person("Anna", "Muster", "Hauptstr. 12", "Berlin", "10115", "DE"),
    Person("Kari", "Eksempel", "Storgata 9", "Oslo", "0155", "NO"),
)


def plain(till: Till) -> Document:
    return till.sale(till.goods(), till.person(), shipping=D("3.90")).document()


def discounted(till: Till) -> Document:
    """A code of the whole order, shared over its lines, and a line with a discount of its own."""
    pieces = till.goods(3)
    pieces.append(Piece("Padėklas", "SH-PADEKLAS", D("19.99"), 2, own_discount=D("4.00")))
    return till.sale(pieces, till.person(), shipping=D("3.90"), off=D("7.77"), code="RUDUO").document()


def german(till: Till) -> Document:
    """Prices to which the tax is added, in a shop whose own prices hold it."""
    return till.sale(
        till.goods(2, D(19)), till.person("DE"), included=False, shipping=D("9.00"), shipping_rate=D(19)
    ).document()  # fmt: skip


def latvian(till: Till) -> Document:
    return till.sale(till.goods(2), till.person("LV"), shipping=D("5.50")).document()


def estonian(till: Till) -> Document:
    return till.sale(till.goods(2, D(24)), till.person("EE"), shipping=D("5.50"), shipping_rate=D(24)).document()


def refunded_in_part(till: Till) -> Document:
    """Some pieces come back into stock."""
    document = till.sale([Piece("Lempa", "SH-LEMPA", D("30.00"), 3), *till.goods(1)], till.person()).document()
    till.refund(document, 30, pieces={0: 1}, note="grąžinta")
    return document


def broken_on_the_way(till: Till) -> Document:
    """Money back, and the goods stay where they are; later more of it."""
    document = till.sale([Piece("Vaza", "SH-VAZA", D("14.50"), 4)], till.person(), shipping=D("3.90")).document()
    till.refund(document, 26, pieces={0: 1}, restock="NO_RESTOCK", note="sudužo")
    till.refund(document, 50, pieces={0: 1}, restock="NO_RESTOCK", note="sudužo dar viena")
    return document


def refunded_in_full(till: Till) -> Document:
    document = till.sale(till.goods(1), till.person(), shipping=D("3.90")).document()
    till.refund(document, 40, pieces={0: document["lineItems"][0]["quantity"]}, shipping=True)
    return document


def good_will(till: Till) -> Document:
    """Money alone: no line, an adjustment that says how much."""
    document = till.sale(till.goods(2), till.person(), shipping=D("3.90")).document()
    till.refund(document, 40, money=D("5.00"), note="atsiprašome už vėlavimą")
    return document


def norwegian(till: Till) -> Document:
    """In the buyer's currency, exported without tax."""
    pieces = [
        Piece(one.title, one.sku, cents(one.price * D("11.73")), one.quantity, None) for one in till.goods(2, None)
    ]
    return till.sale(
        pieces, till.person("NO"),
        currency="NOK", worth=D("0.0852518085"), included=False, shipping=D("140.76"), shipping_rate=None,
    ).document()  # fmt: skip


def dollars(till: Till) -> Document:
    """A Lithuanian buyer who pays in dollars: Lithuanian tax, another currency."""
    pieces = [Piece(one.title, one.sku, cents(one.price * D("1.16")), one.quantity) for one in till.goods(2)]
    return till.sale(pieces, till.person(), currency="USD", worth=D("0.8620689655"), shipping=D("4.52")).document()


def with_code(till: Till) -> Document:
    """A company whose VAT code an app put into the order's attributes."""
    person = Person("Ona", "Pavyzdienė", "Savanorių pr. 10", "Vilnius", "03116", company="UAB Pavyzdys")
    attributes = {"PVM kodas": "LT100001234510", "Įmonės kodas": "300000003"}
    return till.sale(till.goods(2), person, shipping=D("3.90"), attributes=attributes).document()


def of_company(till: Till) -> Document:
    """Sold to a company of Estonia with a VAT code of its own: no tax."""
    company = {
        "__typename": "PurchasingCompany",
        "company": {"id": "gid://shopify/Company/1", "name": "OÜ Näide", "externalId": "14000005"},
        "location": {
            "id": "gid://shopify/CompanyLocation/1",
            "name": "Tallinn",
            "externalId": None,
            "taxSettings": {"taxRegistrationId": "EE100931558", "taxExempt": True},
        },
    }
    return till.sale(
        till.goods(3, None), till.person("EE"), included=False, company=company,
        shipping=D("5.50"), shipping_rate=None, source="shopify_draft_order",
    ).document()  # fmt: skip


def books(till: Till) -> Document:
    """Two rates on one order."""
    title, sku, price = BOOK
    return till.sale([Piece(title, sku, price, 2, D(5)), *till.goods(2)], till.person(), shipping=D("3.90")).document()


def lesson(till: Till) -> Document:
    """Nothing to ship."""
    title, sku, price = COURSE
    return till.sale([Piece(title, sku, price, 1, ships=False)], till.person()).document()


def card_sold(till: Till) -> Document:
    """A gift card: a voucher, no tax yet."""
    card = Piece("Dovanų kuponas", "SH-KUPONAS", D("50.00"), 1, None, is_gift_card=True, ships=False)
    return till.sale([card], till.person()).document()


def card_used(till: Till) -> Document:
    """A gift card pays a part, a bank card the rest."""
    return till.sale(
        till.goods(2), till.person(), shipping=D("3.90"),
        gateways=[("gift_card", "Gift card", D("10.00")), ("shopify_payments", "Shopify Payments", None)],
    ).document()  # fmt: skip


def tipped(till: Till) -> Document:
    """A tip that is in the sums alone."""
    return till.sale(till.goods(1), till.person(), tip=D("2.50"), source="pos").document()


def tipped_as_line(till: Till) -> Document:
    """A tip that is a line too."""
    tip = Piece("Tip", "", D("3.00"), 1, None, is_tip=True, ships=False, has_product=False)
    return till.sale([*till.goods(1), tip], till.person(), source="pos").document()


def edited(till: Till) -> Document:
    """One of three pieces was taken off before it was shipped, and nothing was paid back: it is a refund of 0."""
    document = till.sale([Piece("Žvakė", "SH-ZVAKE", D("5.49"), 3), *till.goods(1)], till.person()).document()
    till.refund(document, 2, pieces={0: 1}, restock="CANCEL", paid_back=False)
    return document


def by_marketplace(till: Till) -> Document:
    """The marketplace owes the tax."""
    pieces = [Piece(one.title, one.sku, one.price, one.quantity, D(19), by_channel=True) for one in till.goods(2)]
    return till.sale(pieces, till.person("DE"), source="tiktok").document()


def with_duties(till: Till) -> Document:
    """Duties and a fee on top."""
    return till.sale(
        till.goods(1, None), till.person("NO"), included=False, duties=D("6.40"), fees=D("1.10"),
        shipping=D("15.00"), shipping_rate=None,
    ).document()  # fmt: skip


def cash(till: Till) -> Document:
    """Paid in cash at the till, rounded to five cents."""
    document = till.sale([Piece("Puodelis „Rytas“", "SH-PUODELIS", D("8.95")), BOOKMARK], till.person()).document()
    total = value(document["totalPriceSet"])
    rounded = (total / D("0.05")).quantize(D(1)) * D("0.05")
    return till.sale(
        [Piece("Puodelis „Rytas“", "SH-PUODELIS", D("8.95")), BOOKMARK], till.person(),
        cash_rounding=rounded - total, gateways=[("cash", "Cash", None)], source="pos",
    ).document()  # fmt: skip


def on_delivery(till: Till) -> Document:
    """Shipped, and not paid yet."""
    return till.sale(
        till.goods(2), till.person(), shipping=D("4.90"), paid_after=None,
        gateways=[("cash_on_delivery", "Cash on Delivery (COD)", None)],
    ).document()  # fmt: skip


def waiting(till: Till) -> Document:
    transfer: list[tuple[str, str, Decimal | None]] = [("bank_transfer", "Pavedimas", None)]
    return till.sale(till.goods(2), till.person(), shipping=D("3.90"), paid_after=None, gateways=transfer).document()


def authorised(till: Till) -> Document:
    return till.sale(till.goods(1), till.person(), shipping=D("3.90"), paid_after=None, authorised_only=True).document()


def cancelled(till: Till) -> Document:
    document = till.sale(till.goods(2), till.person(), shipping=D("3.90"), paid_after=None).document()
    cancel(document, at=till.created)
    return document


def test_sale(till: Till) -> Document:
    return till.sale([Piece("Testas", "", D("1.00"))], till.person(), test=True).document()


def free(till: Till) -> Document:
    """A discount of everything: nothing is owed, and the goods leave all the same."""
    return till.sale([Piece("Žvakė", "SH-ZVAKE", D("5.49"))], till.person(), off=D("5.49"), code="DOVANA").document()


def nameless(till: Till) -> Document:
    """Sold at the till to somebody."""
    return till.sale(till.goods(1), None, source="pos").document()


def many_lines(till: Till) -> Document:
    """More lines than come with an order."""
    pieces = [Piece(f"Smulkmena {number}", f"SH-S{number:02d}", D("1.11") + number * D("0.07")) for number in range(40)]
    return till.sale(pieces, till.person(), shipping=D("3.90")).document()


BOOKMARK: Final = Piece("Skirtukas", "SH-SKIRTUKAS", D("1.02"))
Kind = Callable[[Till], Document]
# How often each comes, in a hundred or so.
WEIGHTS: Final[dict[Kind, int]] = {
    plain: 26, discounted: 8, latvian: 5, estonian: 4, german: 5, books: 4, lesson: 3, with_code: 4, of_company: 2,
    refunded_in_part: 4, broken_on_the_way: 2, refunded_in_full: 2, good_will: 2, norwegian: 2, dollars: 2,
    card_sold: 2, card_used: 3, tipped: 1, tipped_as_line: 1, edited: 3, by_marketplace: 2, with_duties: 1, cash: 3,
    on_delivery: 3, waiting: 3, authorised: 1, cancelled: 2, test_sale: 1, free: 1, nameless: 2, many_lines: 1,
}  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = tuple(WEIGHTS)


def sale(position: int, created: datetime, until: datetime, seed: int) -> Document:
    """The sale at `position`: the first ones behind the made-up samples are one of each kind, the rest by chance."""
    chance = random.Random(seed * 1_000_003 + position)
    place = position - 11
    kind = KINDS[place] if 0 <= place < len(KINDS) else chance.choices(KINDS, list(WEIGHTS.values()))[0]
    return kind(Till(position, created, until, chance))


__all__ = ["GOODS", "KINDS", "Kind", "Till", "sale"]
