"""VAT of a page: what its treatments rest on is loaded at once, then each draft is treated in its turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.checks import KnownItem
from monet_web.domain.invoices import Draft
from monet_web.domain.money import ZERO, convert
from monet_web.domain.orders import Charge, Order, OrderLine, Unreadable
from monet_web.domain.territories import Place, place_of
from monet_web.domain.treated import Known, Treated, buyer_code, treat
from monet_web.domain.treatment import SalesOfDays, Treatment
from monet_web.models.invoices import Invoice
from monet_web.services.books import evidence
from monet_web.services.importing.booking import Booking


class _Treatable(Protocol):
    """What of `prepare.Prepared` is looked at."""

    remembered: Any
    draft: Draft | None
    living: Any
    items: list[KnownItem | None]
    eur_rate: Decimal | None
    kept: Any

    def place(self, booking: Booking, index: int) -> Any: ...


class PageVat:
    """Treats the drafts of one page; each sale that counts against the year's threshold counts for those after it."""

    def __init__(self, session: Session, booking: Booking, drafted: Sequence[_Treatable]) -> None:
        """Inside a transaction; three statements at most, whatever the page."""
        self._booking = booking
        drafts = [one.draft for one in drafted if one.draft is not None]
        self._confirmations = evidence.confirmations(session, {code for draft in drafts if (code := buyer_code(draft))})
        abroad = [one for one in drafted if one.draft is not None and _place(one.draft, booking) is Place.OUTSIDE]
        self._proofs = evidence.proofs(session, [one.remembered.store_order_id for one in abroad])
        self._sales = _sales_of_others(session, booking, drafted, drafts)

    def treat(self, one: _Treatable) -> Treated:
        """Of one order whose draft, items and exchange rate are known."""
        assert one.draft is not None  # noqa: S101 - chosen so by the caller
        booking, draft = self._booking, _with_words_of_store(one.draft, one.remembered.order)
        treated = treat(
            draft,
            one.items,
            Known(
                company=booking.company_vat,
                codes=booking.vat_codes,
                rates=booking.rates,
                confirmation=self._confirmations.get(buyer_code(draft)),
                proof=self._proofs.get(one.remembered.store_order_id),
                order_ref=str(one.remembered.store_order_id),
                sales=self._sales,
                eur_rate=one.eur_rate,
                warehouse_country=_warehouse_country(booking, one, len(draft.lines)),
                unknown_rates_stop=booking.settings.vat_rate_check == "stop",
                is_reissued=one.kept is not None and one.kept.reissues is not None,
            ),
        )
        if treated.counts is not None:
            self._sales.add(draft.supply_date, treated.counts)
        return treated


def vat_rows(draft: Draft, codes: Sequence[str], invoice_id: int, rate: Decimal | None) -> list[dict[str, Any]]:
    """The rows of `invoice_vat`: by rate, in the draft's order, and within it by code; their sums are the draft's."""
    rows: list[dict[str, Any]] = []
    for of_rate in draft.vat:
        by_code: dict[str, tuple[Decimal, Decimal]] = {}
        for line, code in zip(draft.lines, codes, strict=True):
            if line.vat_rate == of_rate.rate:
                base, amount = by_code.get(code, (ZERO, ZERO))
                by_code[code] = base + line.net, amount + line.vat
        rows += [
            {
                "invoice_id": invoice_id, "rate": of_rate.rate, "code": code, "base": base, "amount": amount,
                "amount_eur": convert(amount, rate) if rate else None,
            }
            for code, (base, amount) in by_code.items()
        ]  # fmt: skip
    return rows


def eu_sales(session: Session, years: Iterable[int], *, without: Iterable[int] = ()) -> SalesOfDays:
    """What is sold to consumers of other EU states with our own VAT, waiting invoices and credit notes included.

    `without`: ids of invoices that are just being drafted anew. Inside a transaction, one statement.
    """
    years = sorted(set(years))
    if not years:
        return SalesOfDays()
    found = (
        select(Invoice.supply_date, func.sum(Invoice.net_eur).label("net"))
        .where(
            Invoice.treatment == Treatment.EU_HOME.value,
            Invoice.supply_date.between(date(years[0], 1, 1), date(years[-1], 12, 31)),
            Invoice.id.not_in(list(without)),
        )
        .group_by(Invoice.supply_date)
    )
    return SalesOfDays({row.supply_date: row.net or ZERO for row in session.execute(found)})


def _sales_of_others(
    session: Session, booking: Booking, drafted: Sequence[_Treatable], drafts: Sequence[Draft]
) -> SalesOfDays:
    days = {
        draft.supply_date
        for draft in drafts
        if _place(draft, booking) is Place.EU and not booking.company_vat.is_in_oss_on(draft.supply_date)
    }
    years = {year for day in days for year in (day.year, day.year - 1)}
    return eu_sales(session, years, without=[one.living.id for one in drafted if one.living is not None])


def _place(draft: Draft, booking: Booking) -> Place:
    return place_of(draft.ship_country, draft.ship_postcode, booking.country)


def _warehouse_country(booking: Booking, one: _Treatable, lines: int) -> str:
    """The country abroad that goods of the order start from, "" when none does."""
    if not booking.is_goods or not booking.warehouses_abroad:
        return ""
    ids = [one.place(booking, index).id for index in range(max(lines, 1))]
    return next((booking.warehouses_abroad[each] for each in ids if each in booking.warehouses_abroad), "")


def _with_words_of_store(draft: Draft, order: Order | Unreadable) -> Draft:
    """A draft made from the tables knows neither the postcode of delivery nor what the store calls its taxes."""
    if isinstance(order, Unreadable):
        return draft
    if not draft.ship_postcode:
        postcode = order.ship_to.postcode if order.ship_to.country else order.buyer.address.postcode
        draft = replace(draft, ship_postcode=postcode)
    if any(line.tax_label for line in draft.lines):
        return draft
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    labels = {row.external_id[:120]: " ".join(tax.label for tax in row.taxes) for row in rows}
    if not any(labels.values()):
        return draft
    lines = tuple(replace(line, tax_label=labels.get(line.store_line_id, "")) for line in draft.lines)
    return replace(draft, lines=lines)
