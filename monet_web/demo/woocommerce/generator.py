"""Any number more orders of the recorded kinds: order `index` is a pure function of the seed and the index."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Final

from monet_web.demo.woocommerce.amounts import set_quantities
from monet_web.demo.woocommerce.clock import SITE_ZONE, moment, read_utc, set_dates
from monet_web.demo.woocommerce.documents import RECORDED_ADDRESS, Document, copy, recorded

# Room between two ids for the refunds of the first (WordPress counts them on) and for one added order.
ID_STEP: Final = 4
# No date of a generated order is later than this after its creation; the recording's owner edited old orders by hand.
LONGEST_LIFE: Final = 14 * 86400

_LINE_STEP = 40
_META_STEP = 200
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A recorded order as a mould. Offsets are seconds after its creation."""

    document: Document
    refunds: tuple[Document, ...]
    status: str
    paid: int | None
    completed: int | None
    refunded: tuple[int, ...]
    lag: int

    @property
    def is_company(self) -> bool:
        return bool(self.document["billing"]["company"])


@cache
def patterns() -> tuple[Pattern, ...]:
    return tuple(_pattern(document) for document in recorded("orders"))


@dataclass(frozen=True)
class Generator:
    """Makes orders from the patterns; two with one seed make the same."""

    seed: int

    def pattern(self, index: int) -> Pattern:
        """Each run of 200 orders uses every recorded one once, in an order of its own."""
        moulds = patterns()
        block, place = divmod(index, len(moulds))
        # 73 shares no divisor with 200, so the places of a block are all different.
        return moulds[(place * 73 + (self.seed * 7919 + block * 104729) % 1000003) % len(moulds)]

    def order(self, index: int, order_id: int, created: int, until: int) -> tuple[Document, tuple[Document, ...]]:
        """(order, its refunds), with the recorded address; no date lies after `until` (seconds since 1970)."""
        pattern = self.pattern(index)
        chance = random.Random(self.seed * 1_000_003 + index)
        document = copy(pattern.document)
        refunds = copy(list(pattern.refunds))
        _set_identity(document, order_id, created, chance)
        if not pattern.is_company:
            _set_buyer(document, self.buyers, chance)
        _set_order_dates(document, pattern, created, until)
        if not refunds:
            # A refunded order keeps its quantities: its refunds then still fit to the cent.
            _set_new_quantities(document, chance)
        _set_refunds(document, refunds, order_id)
        for refund, offset in zip(refunds, pattern.refunded, strict=True):
            set_dates(refund, "date_created", min(created + offset, until))
        _set_line_ids(document, refunds, order_id)
        return document, tuple(refunds)

    @cached_property
    def buyers(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Country → names of the recorded private buyers."""
        names: dict[str, dict[tuple[str, str], None]] = {}
        for pattern in patterns():
            billing = pattern.document["billing"]
            if not pattern.is_company:
                names.setdefault(billing["country"], {})[billing["first_name"], billing["last_name"]] = None
        return {country: tuple(found) for country, found in names.items()}


def _pattern(document: Document) -> Pattern:
    created = read_utc(document["date_created_gmt"])

    def offset(text: str | None) -> int | None:
        return None if text is None else (read_utc(text) - created) % LONGEST_LIFE

    refunds = tuple(recorded("refunds").get(str(document["id"]), ()))
    # The shop answers newest first; `order.refunds` and the file agree on that.
    refunded = tuple(offset(refund["date_created_gmt"]) or 0 for refund in refunds)
    paid, completed = offset(document["date_paid_gmt"]), offset(document["date_completed_gmt"])
    lag = max(0, paid or 0, completed or 0, *refunded)
    return Pattern(document, refunds, document["status"], paid, completed, refunded, lag)


def _set_identity(document: Document, order_id: int, created: int, chance: random.Random) -> None:
    old_id, old_key = str(document["id"]), document["order_key"]
    key = "wc_order_" + "".join(chance.choices(_LETTERS, k=13))
    document["id"] = order_id
    document["order_key"] = key
    document["number"] = str(order_id)
    for meta in document["meta_data"]:
        if meta["key"] == "_order_number_formatted":
            year = moment(created).astimezone(SITE_ZONE).year
            document["number"] = meta["value"] = f"MW-{year}-{order_id:05d}"
    if document["cart_hash"]:
        document["cart_hash"] = f"{chance.getrandbits(128):032x}"
    document["payment_url"] = document["payment_url"].replace(f"/{old_id}/", f"/{order_id}/").replace(old_key, key)
    _set_links(document, f"/orders/{old_id}", f"/orders/{order_id}")


def _set_links(document: Document, old: str, new: str) -> None:
    for name, links in document["_links"].items():
        for link in links:
            if name != "customer":
                head, found, tail = link["href"].partition(old)
                link["href"] = head + (new if found else "") + tail


def _set_buyer(document: Document, buyers: dict[str, tuple[tuple[str, str], ...]], chance: random.Random) -> None:
    billing, shipping = document["billing"], document["shipping"]
    first_name, last_name = chance.choice(buyers[billing["country"]])
    goes_to_buyer = (shipping["first_name"], shipping["last_name"]) == (
        billing["first_name"],
        billing["last_name"],
    )
    for address in (billing, shipping) if goes_to_buyer else (billing,):
        address["first_name"], address["last_name"] = first_name, last_name
    billing["email"] = f"pirkejas{chance.randrange(100, 100000)}@example.test"
    if billing["phone"]:
        billing["phone"] = f"+370 6{chance.randrange(10, 99)} {chance.randrange(10000, 99999)}"
        if shipping.get("phone"):
            shipping["phone"] = billing["phone"]


def _set_order_dates(document: Document, pattern: Pattern, created: int, until: int) -> None:
    for name, offset in (
        ("date_created", 0),
        ("date_paid", pattern.paid),
        ("date_completed", pattern.completed),
        ("date_modified", pattern.lag),
    ):
        set_dates(document, name, None if offset is None else min(created + offset, until))


def _set_new_quantities(document: Document, chance: random.Random) -> None:
    had = [line["quantity"] for line in document["line_items"]]
    set_quantities(document, [chance.choice((1, 1, 1, 2, 2, 3, 4, 5, 7, 10, 12)) for _ in had])
    if Decimal(document["total"]) < 0:
        # A negative fee larger than the new goods; the recorded quantities carried it.
        set_quantities(document, had)


def _set_refunds(document: Document, refunds: list[Document], order_id: int) -> None:
    new_ids = {}
    # The oldest refund got the lowest id.
    for place, refund in enumerate(sorted(refunds, key=lambda each: int(each["id"])), start=1):
        new_ids[refund["id"]] = order_id + place
    for refund in refunds:
        old = refund["id"]
        refund["id"] = new_ids[old]
        for links in refund["_links"].values():
            for link in links:
                link["href"] = f"{RECORDED_ADDRESS}/wp-json/wc/v3/orders/{order_id}" + (
                    "" if links is refund["_links"]["up"] else "/refunds"
                )
        refund["_links"]["self"][0]["href"] += f"/{refund['id']}"
    for short in document["refunds"]:
        short["id"] = new_ids[short["id"]]


def _set_line_ids(document: Document, refunds: list[Document], order_id: int) -> None:
    """Every line and meta row gets an id of its own; a refund's line keeps pointing to the order's."""
    new_lines: dict[str, int] = {}
    next_line, next_meta = order_id * _LINE_STEP, order_id * _META_STEP
    for owner in (document, *refunds):
        for meta in owner["meta_data"]:
            meta["id"], next_meta = next_meta, next_meta + 1
        for name in ("line_items", "shipping_lines", "tax_lines", "fee_lines", "coupon_lines"):
            for line in owner.get(name, ()):
                new_lines[str(line["id"])] = next_line
                line["id"], next_line = next_line, next_line + 1
                for meta in line["meta_data"]:
                    meta["id"], next_meta = next_meta, next_meta + 1
                    if meta["key"] == "_refunded_item_id":
                        meta["value"] = meta["display_value"] = str(new_lines[str(meta["value"])])
