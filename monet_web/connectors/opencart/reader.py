"""Reads one order of the bridge (2.1 to 4.1) as the canonical order, pure.

`read_order` takes an order as the bridge or a backup gives it (every column of the order, `products`, `totals`,
`vouchers`, `history`) and what is needed of the shop (`shop.context_of`). Amounts are in the shop's default currency,
four decimals; the buyer's are these times `currency_value`, exactly, rounded only when an invoice is drafted. Every
text is HTML-escaped once. OpenCart knows no refunds and no paid flag: the shop's own lists of statuses are the hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext

from monet_web.connectors.base import Json
from monet_web.connectors.foreign import Misfit, Row, amount, identity, local_moment, needed, part, rows, text
from monet_web.connectors.opencart.rows import Rows
from monet_web.connectors.opencart.shop import zone_in
from monet_web.connectors.opencart.vat import status_list
from monet_web.connectors.opencart.words import plainly, words
from monet_web.domain.money import round_to
from monet_web.domain.orders import Address, Buyer, Order, Payment, PaymentKind, Unreadable

COMPANY_CODE_FIELDS = ("įmonės kodas", "imones kodas", "company code", "company number", "registration number")
VAT_CODE_FIELDS = ("pvm mokėtojo kodas", "pvm moketojo kodas", "pvm kodas", "vat number", "vat code", "vat id", "vat")

_ZERO = Decimal(0)
_CANCELED, _REFUNDED = "7", "11"  # of a stock shop; used unless the shop itself counts them as sales
_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50


def read_order(order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One order, pure. Never raises on foreign data."""
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _Reader(order, context).order()
    except Misfit as misfit:
        found = order.get("order_id")
        external_id = str(found) if isinstance(found, (int, str)) else ""
        return Unreadable(external_id=external_id, number=external_id, reason=plainly(str(misfit), external_id))


class _Reader:
    """One order with the shop's tables."""

    def __init__(self, header: Row, info: Row) -> None:
        self.header = header
        self.info = info
        self.settings = part(info, "settings")
        self.zone = zone_in(info)
        self.factor = amount(header, "currency_value")
        if self.factor <= 0:
            raise Misfit(f"currency_value should be above 0 and is '{self.factor}'.")
        self.rows = Rows(header, info, self.factor)

    def order(self) -> Order:
        header = self.header
        external_id = identity(header, "order_id")
        used = self.rows.certificates_used
        # The `total` row is what was left to pay. The buyer owes what the goods cost, and the payments say that a
        # certificate or the store's credit paid a part of it: neither lowers the sale or its VAT.
        left_to_pay = amount(header, "total") * self.factor
        status = text(header, "order_status_id")
        complete = status_list(self.settings.get("config_complete_status"))
        is_sale = status in complete | status_list(self.settings.get("config_processing_status"))
        fields = self._fields()
        return Order(
            external_id=external_id,
            number=external_id,
            placed_at=needed(local_moment(header, "date_added", self.zone), "date_added"),
            changed_at=local_moment(header, "date_modified", self.zone),
            shipped_at=self._first_time_in(complete) if status in complete else None,
            currency=self._currency(),
            total=left_to_pay + sum((paid.amount for paid in used), _ZERO),
            total_tax=self.rows.total_tax,
            tax_totals=self.rows.tax_totals,
            status=status,
            status_label=words(header, "order_status"),
            buyer=self._buyer(fields),
            ship_to=self._address("shipping"),
            lines=self.rows.lines,
            charges=self.rows.charges,
            payments=(*used, *self._payment(left_to_pay, is_sale=is_sale)),
            is_sale=is_sale,
            is_paid=is_sale,
            is_cancelled=status == _CANCELED and not is_sale,
            is_refunded=status == _REFUNDED and not is_sale,
            shop_currency=text(self.settings, "config_currency"),
            shop_units_per_order_unit=round_to(1 / self.factor, _EXCHANGE_UNIT),
            invoice_number=self._invoice_number(),
            shop_id=text(header, "store_id"),
            note=words(header, "comment"),
            fields=fields,
        )

    def _payment(self, left: Decimal, *, is_sale: bool) -> list[Payment]:
        """How the rest is paid: text and `_code` columns before 4, an object since."""
        if not left:
            return []
        method = self.header.get("payment_method")
        if isinstance(method, Mapping):
            code, title = text(method, "code"), words(method, "name")
        else:
            code, title = text(self.header, "payment_code"), words(self.header, "payment_method")
        if code.split(".")[0] == "cod":
            kind = PaymentKind.CASH_ON_DELIVERY
        else:
            kind = PaymentKind.PREPAID if is_sale else PaymentKind.UNKNOWN
        return [Payment(method=code, title=title, amount=left, kind=kind)]

    def _first_time_in(self, statuses: frozenset[str]) -> datetime | None:
        moments = (
            local_moment(entry, "date_added", self.zone)
            for entry in rows(self.header, "history")
            if text(entry, "order_status_id") in statuses
        )
        return min((moment for moment in moments if moment), default=None)

    def _currency(self) -> str:
        code = text(self.header, "currency_code").upper()
        if not code:
            raise Misfit("currency_code is missing.")
        return code

    def _invoice_number(self) -> str:
        number = text(self.header, "invoice_no")
        return "" if number in {"", "0"} else f"{words(self.header, 'invoice_prefix')}{number}"

    def _buyer(self, fields: Mapping[str, str]) -> Buyer:
        address = self._address("payment")
        if not address.name and not address.line:  # 4.x with "payment address" switched off
            address = self._address("shipping")
        by_name = {name.casefold(): value for name, value in fields.items()}
        name = " ".join(filter(None, (words(self.header, "firstname"), words(self.header, "lastname"))))
        customer = text(self.header, "customer_id")
        return Buyer(
            name=address.name or name,
            company=address.company,
            company_code=next(filter(None, (by_name.get(usual, "") for usual in COMPANY_CODE_FIELDS)), ""),
            vat_code=next(filter(None, (by_name.get(usual, "") for usual in VAT_CODE_FIELDS)), ""),
            email=words(self.header, "email"),
            phone=words(self.header, "telephone"),
            address=address,
            external_id="" if customer == "0" else customer,
        )

    def _address(self, which: str) -> Address:
        def of(key: str) -> str:
            return words(self.header, f"{which}_{key}")

        return Address(
            name=" ".join(filter(None, (of("firstname"), of("lastname")))),
            company=of("company"),
            line=", ".join(filter(None, (of("address_1"), of("address_2")))),
            city=of("city"),
            postcode=of("postcode"),
            state=of("zone"),
            country=of("iso_code_2").upper(),
        )

    def _fields(self) -> dict[str, str]:
        """Custom fields by the names people gave them, those of the payment address first."""
        names: dict[str, str] = {}
        for definition in rows(self.info, "custom_fields"):
            key = text(definition, "custom_field_id")
            same_language = text(definition, "language_id") == text(self.header, "language_id")
            if same_language or key not in names:
                names[key] = words(definition, "name")
        found: dict[str, str] = {}
        for source in ("payment_custom_field", "custom_field", "shipping_custom_field"):
            values = self.header.get(source)
            if not isinstance(values, Mapping):  # "" or [] where nothing was filled in
                continue
            for key in values:
                value = values[key]
                value_text = words(values, key) if not isinstance(value, (list, Mapping)) else ""
                if value_text:
                    found.setdefault(names.get(str(key)) or str(key), value_text)
        return found
