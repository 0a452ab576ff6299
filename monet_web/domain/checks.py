"""Checks: functions of a draft and the facts about it that return findings and never raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monet_web.domain.bank_days import accounting_day
from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Draft, DraftLine
from monet_web.domain.orders import Refund
from monet_web.domain.periods import is_closed
from monet_web.domain.settings import Settings
from monet_web.domain.treated import Treated, charge_rates
from monet_web.domain.treatment import Treatment
from monet_web.domain.vat import Rates

# What a line of a store is known by, most trusted first (A6): the kinds of aliases.
LINE_KEYS = ("variation", "product", "sku", "barcode")
NAME = "name"  # the kind of alias of a line that has none of them
_LONGEST_ALIAS = 200

DATE_BY_HAND = "date_by_hand"


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item as far as checks need it."""

    id: int
    code: str
    keeps_stock: bool
    is_service: bool = False
    vat_class: str = ""  # in the office's own words


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known around one draft; loaded for a whole page of orders at once."""

    settings: Settings
    country: str  # the company's
    rates: Rates
    items: Sequence[KnownItem | None] = ()  # one for each line of the draft; None: unknown, or a charge
    eur_rate: Decimal | None = None  # units of the draft's currency for one EUR; None: missing
    closed_until: date | None = None
    warehouse: str = ""  # its code, "" when it does not exist
    refunds: Sequence[Refund] = ()
    vat_code_problem: str = ""  # a key of findings.PROBLEMS, "" when the code is fine or not given
    company_code_problem: str = ""
    common_item_exists: bool = True
    number_by_hand: str = ""  # a number that a person typed, since the one of the settings belongs to another document
    number_of_settings: str = ""  # what the settings would give
    date_by_hand: date | None = None  # a date that a person gave, since that of the settings lies in a closed period
    date_of_settings: str = ""  # what the settings would give, as 2026-10-31
    treated: Treated | None = None  # what VAT makes of it


Check = Callable[[Draft, Facts], Iterator[Finding]]


def check(draft: Draft, facts: Facts) -> list[Finding]:
    """Every finding of every check, in the order of CHECKS, each (code, subject) once."""
    found: dict[tuple[str, str], Finding] = {}
    for one in CHECKS:
        for finding in one(draft, facts):
            found.setdefault((finding.code, finding.subject), finding)
    return list(found.values())


def line_keys(line: DraftLine) -> list[tuple[str, str]]:
    """The (kind, value) pairs a line may be known by, most trusted first; "0" is how stores write "no product"."""
    values = (
        line.variation_id,
        line.product_id if not _is_set(line.variation_id) else "",
        line.sku,
        line.barcode,
    )
    return [(kind, value) for kind, value in zip(LINE_KEYS, values, strict=True) if _is_set(value)]


def mapped_by(line: DraftLine) -> tuple[str, str]:
    """The (kind, value) that a person maps the line by: its SKU, else the store's most trusted id, else its name."""
    if line.sku:
        return "sku", line.sku[:_LONGEST_ALIAS]
    return next(iter(line_keys(line)), (NAME, line.name.strip()[:_LONGEST_ALIAS]))


def keys_to_find(line: DraftLine) -> list[tuple[str, str]]:
    """Its keys; of a line for which the store gives none its name, which finds what a person mapped by it."""
    return line_keys(line) or [(NAME, line.name.strip()[:_LONGEST_ALIAS])]


def line_name(line: DraftLine) -> str:
    """What a person calls the line: its SKU, else its name."""
    return f"SKU {line.sku}" if line.sku else f"“{line.name[:80]}”"


def _is_set(value: str) -> bool:
    return value not in ("", "0")


def _has_lines(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if not draft.lines:
        yield Finding("no_lines", values={"total": money(draft.total), "currency": draft.currency})


def _total_is_positive(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if draft.total < 0:
        yield Finding("total_negative", values={"total": money(draft.total), "currency": draft.currency})


def _figures_agree(draft: Draft, facts: Facts) -> Iterator[Finding]:
    for difference in draft.differences:
        values = {
            "store": money(difference.store),
            "lines": money(difference.lines),
            "difference": money(difference.store - difference.lines),
            "currency": draft.currency,
            "limit": money(difference.limit),
        }
        of, _space, subject = difference.of.partition(" ")
        if of == "total":
            yield Finding("total_differs", f"{values['difference']} {draft.currency}", values)
        elif of == "quantity":
            pieces = {"store": plain(difference.store), "lines": plain(difference.lines), "what": difference.what}
            pieces["difference"] = plain(difference.store - difference.lines)
            yield Finding("quantity_differs", subject, {**pieces, "currency": ""})
        elif of == "base":
            yield Finding("base_differs", subject, {**values, "rate": "none" if subject == "none" else f"{subject} %"})
        else:
            yield Finding("vat_differs", subject, {**values, "of_rate": f" {subject} %" if subject else ""})


def _rounding_is_named(draft: Draft, facts: Facts) -> Iterator[Finding]:
    """Each cent that a line gave way to is told, although it stops nothing (D5)."""
    for one in draft.rounded:
        figure, _space, rate = one.of.partition(" ")
        values = {
            "figure": figure, "of_rate": f" {rate} %" if rate else "", "store": money(one.store),
            "lines": money(one.lines), "difference": money(one.store - one.lines), "currency": draft.currency,
            "limit": money(one.limit), "line": str(one.line), "what": one.what,
        }  # fmt: skip
        yield Finding("difference_rounded", one.of, values, stops=False)


def _vat_is_treated(draft: Draft, facts: Facts) -> Iterator[Finding]:
    """What the buyer, the countries and the company's days mean for VAT, and what of it a person decides."""
    if facts.treated is not None:
        yield from facts.treated.findings


def _charges_follow_goods(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if facts.treated is None or facts.treated.treatment is not Treatment.NOT_PAYER:
        yield from charge_rates(draft)


def _items_are_known(draft: Draft, facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    if settings.accounting_type != "goods" or settings.unknown_items == "create":
        return
    for position, (line, item) in enumerate(zip(draft.lines, facts.items, strict=False), start=1):
        if not line.names_item or item is not None:
            continue
        if settings.unknown_items == "common":
            if not facts.common_item_exists:
                yield Finding("common_item_missing", settings.common_item, {"what": settings.common_item})
            continue
        kind, known_as = mapped_by(line)
        values = {
            "what": line_name(line), "line": str(position), "sku": line.sku, "name": line.name,
            "known_by": kind, "known_as": known_as,
        }  # fmt: skip
        yield Finding("item_unknown", subject_of(line), values)


def subject_of(line: DraftLine) -> str:
    """What groups unknown items by cause: the SKU, else the store's most trusted id, else the name."""
    if line.sku:
        return line.sku[:200]
    keys = line_keys(line)
    return f"{keys[0][0]} {keys[0][1]}"[:200] if keys else line.name[:200]


def _quantities_are_told(draft: Draft, facts: Facts) -> Iterator[Finding]:
    for position, line in enumerate(draft.lines, start=1):
        if line.names_item and line.quantity <= 0 and (line.quantity or line.net):
            values = {
                "line": str(position), "what": line_name(line),
                "quantity": plain(line.quantity), "amount": f"{money(line.net)} {draft.currency}",
            }  # fmt: skip
            yield Finding("quantity_missing", str(position), values)


def _warehouse_exists(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if facts.settings.accounting_type == "goods" and not facts.warehouse:
        yield Finding("warehouse_missing", facts.settings.warehouse, {"what": facts.settings.warehouse})


def _rates_are_valid(draft: Draft, facts: Facts) -> Iterator[Finding]:
    """A rate must be one that the company's country or the country of delivery had on the supply date."""
    if facts.settings.vat_rate_check == "off":
        return
    countries = list(dict.fromkeys(code for code in (facts.country, draft.ship_country) if code))
    for row in draft.vat:
        if row.rate is None or any(facts.rates.valid(code, row.rate, draft.supply_date) for code in countries):
            continue
        rate = f"{plain(row.rate)} %"
        values = {"rate": rate, "countries": " / ".join(countries), "day": draft.supply_date.isoformat()}
        stops = facts.settings.vat_rate_check == "stop"
        yield Finding("vat_rate_unknown", f"{draft.ship_country or facts.country} {plain(row.rate)}", values, stops)


def _taxes_have_rates(draft: Draft, facts: Facts) -> Iterator[Finding]:
    for position, line in enumerate(draft.lines, start=1):
        if not line.rate_known:
            values = {
                "line": str(position), "what": line_name(line), "amount": money(line.vat), "currency": draft.currency,
            }  # fmt: skip
            yield Finding("tax_rate_missing", str(position), values)


def _vat_is_ours(draft: Draft, facts: Facts) -> Iterator[Finding]:
    for position, line in enumerate(draft.lines, start=1):
        if line.by_marketplace:
            yield Finding("marketplace_vat", "", {"line": str(position), "what": line_name(line)})


def _currency_has_rate(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if facts.eur_rate is None:
        # The day under which the rate is looked for: a weekend's invoices wait for the one of its Friday.
        day = accounting_day(draft.supply_date).isoformat()
        yield Finding("currency_rate_missing", f"{draft.currency} {day}", {"currency": draft.currency, "day": day})


def number_source(settings: Settings) -> str:
    """Where an invoice's number comes from: order | invoice | series. Who gives the invoice gives the number (A5)."""
    return "invoice" if settings.issued_by == "store" else settings.number_from


def _number_is_there(draft: Draft, facts: Facts) -> Iterator[Finding]:
    source = number_source(facts.settings)
    number = {"order": draft.order_number, "invoice": draft.store_number}.get(source, "series")
    if not number.strip():
        yield Finding("number_missing", values={"order": draft.order_number or draft.external_id})


def _number_is_of_the_settings(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if facts.number_by_hand:
        yield Finding("number_by_hand", "", {"number": facts.number_by_hand, "taken": facts.number_of_settings})


def _period_is_open(draft: Draft, facts: Facts) -> Iterator[Finding]:
    yield from period_closed(draft.issue_date, facts.closed_until)


def period_closed(issue_date: date, closed_until: date | None) -> Iterator[Finding]:
    """The finding of an invoice dated in a closed period; asked again while the period is locked (E7)."""
    if closed_until is not None and is_closed(issue_date, closed_until):
        values = {"day": issue_date.isoformat(), "closed": closed_until.isoformat()}
        yield Finding("period_closed", issue_date.strftime("%Y-%m"), values)


def _date_is_of_the_settings(draft: Draft, facts: Facts) -> Iterator[Finding]:
    """A date that a person gave is told, since it is not the one of the settings."""
    if facts.date_by_hand is not None:
        values = {"day": facts.date_by_hand.isoformat(), "instead": facts.date_of_settings}
        yield Finding(DATE_BY_HAND, "", values, stops=False)


def _codes_are_possible(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if facts.vat_code_problem:
        values = {"what": draft.vat_code, "problem": facts.vat_code_problem}
        yield Finding("vat_code_invalid", draft.vat_code[:200], values)
    if facts.company_code_problem:
        values = {"what": draft.company_code, "problem": facts.company_code_problem}
        yield Finding("company_code_invalid", draft.company_code[:200], values, stops=False)


def _refunds_are_booked(draft: Draft, facts: Facts) -> Iterator[Finding]:
    """Where the setting says that refunds are not read, it is at least said that there are some (D11)."""
    if not facts.refunds or facts.settings.refunds != "off":
        return
    amount = sum((refund.total for refund in facts.refunds), Decimal(0))
    values = {
        "amount": money(amount), "currency": draft.currency,
        "count": ", ".join(refund.created_at.date().isoformat() for refund in facts.refunds),
    }  # fmt: skip
    yield Finding("refund_not_booked", "", values, stops=False)


def _posting_is_automatic(draft: Draft, facts: Facts) -> Iterator[Finding]:
    if not facts.settings.register_automatically:
        yield Finding("posting_manual")


CHECKS: tuple[Check, ...] = (
    _has_lines,
    _total_is_positive,
    _figures_agree,
    _rounding_is_named,
    _taxes_have_rates,
    _rates_are_valid,
    _vat_is_ours,
    _vat_is_treated,
    _charges_follow_goods,
    _items_are_known,
    _quantities_are_told,
    _warehouse_exists,
    _currency_has_rate,
    _number_is_there,
    _number_is_of_the_settings,
    _period_is_open,
    _date_is_of_the_settings,
    _codes_are_possible,
    _refunds_are_booked,
    _posting_is_automatic,
)


def stock_short(*, item: str, warehouse: str, needed: Decimal, on_hand: Decimal) -> Finding:
    """The shortage of one item; found while the balances are locked, so it is no check of a draft alone."""
    values = {
        "item": item, "warehouse": warehouse, "needed": plain(needed),
        "on_hand": plain(on_hand), "missing": plain(needed - on_hand),
    }  # fmt: skip
    return Finding("stock_short", f"{warehouse} {item}"[:200], values)


def money(amount: Decimal) -> str:
    """An amount as findings keep it: at least two decimals, no exponent."""
    places = max(2, -int(amount.normalize().as_tuple().exponent)) if amount.is_finite() else 2
    return f"{amount:.{places}f}"


def plain(number: Decimal) -> str:
    """A number without needless zeros and without exponent."""
    return f"{number.normalize():f}" if number else "0"
