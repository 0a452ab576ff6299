"""Preparing: what should become of each order of a page, decided without writing, each order in its own try."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.changes import REFUNDED, differences
from monet_web.domain.checks import Facts, KnownItem, check, number_source
from monet_web.domain.codes import company_code_problem
from monet_web.domain.decided import Decided, applied, ended, settled
from monet_web.domain.filters import Filtered, why_not
from monet_web.domain.findings import PERSON_MAY_PASS, Finding
from monet_web.domain.invoices import Draft, VatLine, draft_invoice
from monet_web.domain.measured import kinds_changed, measured
from monet_web.domain.orders import Order, Unreadable
from monet_web.domain.treated import Treated
from monet_web.models.invoices import InvoiceState, InvoiceVat
from monet_web.services.books.numbers import number_key
from monet_web.services.books.rates import eur_rates
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.importing import corrected, decisions, raw_pages
from monet_web.services.importing.booking import Booking, Place
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.corrected import Kept, Stored
from monet_web.services.importing.facts import (
    CANCELLED,
    REFUNDED_ONLY,
    Living,
    credited_revisions,
    living_invoices,
    load_items,
    taken_numbers,
)
from monet_web.services.importing.vat import PageVat

log = logging.getLogger(__name__)

# Reasons of the store itself, not of a setting: nothing was sold after all, so nothing waits (D12).
NO_SALE_ANY_MORE = frozenset({"cancelled", "refunded_before_import", "not_paid"})
_LARGEST = Decimal(10) ** 11  # of amounts and quantities: a larger one would not fit where sums are kept


@dataclass(slots=True)
class Prepared:
    """One order and what should become of it. `outcome` is a name of runs.OUTCOME_COUNTS, "" while a draft decides."""

    remembered: Remembered
    outcome: str = ""
    reason: str = ""
    details: dict[str, str] = field(default_factory=dict)
    living: Living | None = None
    draft: Draft | None = None
    items: list[KnownItem | None] = field(default_factory=list)
    treated: Treated | None = None  # what VAT makes of the draft
    vat: tuple[VatLine, ...] = ()  # of a document that an earlier attempt of this run booked
    places: list[Place] = field(default_factory=list)  # a warehouse a line; [] = that of the settings
    kept: Kept | None = None  # what a person made of the waiting invoice
    stock_stays: str = ""  # why it is registered without moving stock
    findings: list[Finding] = field(default_factory=list)
    number: str | None = None  # None: the series gives one when it is registered
    number_by_hand: bool = False  # a person typed it
    revision: int = 1  # of the document; those before it were credited in full
    date_of_settings: date | None = None  # given when a person dated it otherwise
    eur_rate: Decimal | None = None
    changed: str = ""  # what changed in the store since the living document was drafted
    changed_kind: str = ""  # of facts.CHANGES
    leaves_journal: bool = False  # an untouched waiting invoice whose order was cancelled
    follows_version: bool = False  # the document is as the newest version says, only the version is newer
    refreshed: bool = False
    replaces: int = 0  # revision of the registered invoice that is credited when this one is booked
    instead_of: str = ""  # number of the invoice to another buyer that is credited when this one is booked

    @property
    def waits(self) -> bool:
        """True when a finding keeps it from being registered by the program."""
        return any(finding.stops for finding in self.findings)

    def place(self, booking: Booking, index: int) -> Place:
        """The warehouse that the line takes its goods from."""
        return self.places[index] if self.places else booking.place

    def waits_for(self, booking: Booking) -> bool:
        """True when a finding keeps it from being registered by whoever registers."""
        passed = PERSON_MAY_PASS if booking.by_person else frozenset[str]()
        return any(finding.stops and finding.code not in passed for finding in self.findings)


def prepare(session: Session, booking: Booking, remembered: Sequence[Remembered]) -> list[Prepared]:
    """Must be called in a (reading) transaction. In the order in which stock is given: by order date, then id."""
    living = living_invoices(session, booking.store_id, [one.external_id for one in remembered])
    prepared = [_guarded(_judge, booking, one, living.get(one.external_id)) for one in remembered]
    _follow_changes(session, booking, prepared)
    _count_earlier_attempt(session, prepared)
    return _with_facts(session, booking, prepared)


def prepare_again(session: Session, booking: Booking, waiting: Sequence[tuple[Remembered, Living]]) -> list[Prepared]:
    """Waiting invoices of remembered orders, drafted and checked again under today's settings and facts.

    One that a person corrected stays as he left it; only what is found about it is found anew.
    """
    stored = corrected.load(session, [living.id for _, living in waiting if living.touched])
    prepared = []
    for one, living in waiting:
        again = partial(_as_kept, stored=stored[living.id]) if living.touched else _draft_again
        prepared.append(_guarded(again, booking, one, living))
    return _with_facts(session, booking, prepared)


def prepare_typed(
    session: Session, booking: Booking, one: Remembered, living: Living, draft: Draft, kept: Kept, *,
    number: str | None, places: list[Place],
) -> Prepared:  # fmt: skip
    """A waiting invoice as a person types it now, with everything that is found about it."""
    typed = Prepared(one, living=living, draft=draft, number=number, kept=kept, places=places)
    return _with_facts(session, booking, [typed])[0]


def prepare_reissue(
    session: Session, booking: Booking, one: Remembered, draft: Draft, kept: Kept, *,
    number: str, places: list[Place], former: Living,
) -> Prepared:  # fmt: skip
    """The invoice to another buyer that replaces the `former` one, credited in the transaction that books it (E1)."""
    new = Prepared(one, draft=draft, number=number, kept=kept, places=places)
    new.replaces, new.instead_of = former.revision, former.number or former.external_id
    return _with_facts(session, booking, [new])[0]


def prepare_replacement(session: Session, booking: Booking, one: Remembered, *, revision: int) -> Prepared:
    """The document that replaces the registered one of `revision`, credited in the transaction that books it (D12).

    No setting decides whether it is made: an order that has a document is always read on (D11).
    """
    drafted = _guarded(_draft_again, booking, one, None)
    drafted.replaces = revision
    return _with_facts(session, booking, [drafted])[0]


def _with_facts(session: Session, booking: Booking, prepared: list[Prepared]) -> list[Prepared]:
    drafted = [one for one in prepared if one.draft is not None]
    _follow_credited(session, booking, drafted)
    _find_facts(session, booking, drafted)
    return sorted(prepared, key=_turn)


def _turn(one: Prepared) -> tuple[str, int, str]:
    order = one.remembered.order
    placed = order.placed_at.isoformat() if order.placed_at else ""
    return (placed, len(order.external_id), order.external_id)


def _guarded(judge: Any, booking: Booking, remembered: Remembered, living: Living | None) -> Prepared:
    """One bad order never stops another (D3): our own failure on it is its outcome, with a code to quote."""
    try:
        return judge(booking, remembered, living)  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001 - whatever it is, the other orders go on
        return internal_error(remembered, living, error)


def internal_error(remembered: Remembered, living: Living | None, error: Exception) -> Prepared:
    """Our own failure on one order: counted as unreadable, tried again by the next run."""
    code = secrets.token_hex(3).upper()
    place = {"code": code, "store_order": remembered.store_order_id}
    log.error("order could not be booked", exc_info=error, extra=place)
    text = f"A fault of this program, code {code}."
    return Prepared(remembered, "unreadable", "internal_error", {"text": text}, living=living)


def _judge(booking: Booking, remembered: Remembered, living: Living | None) -> Prepared:
    order = remembered.order
    if isinstance(order, Unreadable):
        if living is not None:
            return _already_there(booking, remembered, living)
        return Prepared(remembered, "unreadable", "unreadable", {"text": order.reason})
    if living is not None:
        if living.drafted_from_version_id == remembered.version_id or _already_said(remembered, living):
            return _already_there(booking, remembered, living)
        return Prepared(remembered, living=living)  # decided by _follow_changes, for the whole page at once
    if remembered.credited:
        return _filtered(remembered, Filtered("credited"))
    if remembered.left_out:
        return _filtered(remembered, Filtered("left_out"))
    reason = why_not(order, booking.settings, booking.zone)
    if reason is not None:
        return _filtered(remembered, reason)
    return _drafted(booking, remembered, order, None)


def _count_earlier_attempt(session: Session, prepared: Sequence[Prepared]) -> None:
    """The VAT of what this very run booked before its process died: the run's totals hold it too."""
    booked = {
        one.living.id: one
        for one in prepared
        if one.living is not None and one.draft is None and one.outcome in ("registered", "in_journal")
    }
    if not booked:
        return
    found: dict[int, list[VatLine]] = {}
    for row in session.execute(
        select(InvoiceVat.invoice_id, InvoiceVat.rate, InvoiceVat.base, InvoiceVat.amount).where(
            InvoiceVat.invoice_id.in_(booked)
        )
    ):
        found.setdefault(row.invoice_id, []).append(VatLine(row.rate, row.base, row.amount))
    for invoice_id, one in booked.items():
        one.vat = tuple(found.get(invoice_id, ()))


def _draft_again(booking: Booking, remembered: Remembered, living: Living | None) -> Prepared:
    if isinstance(remembered.order, Unreadable):
        return Prepared(remembered, "unreadable", "unreadable", {"text": remembered.order.reason}, living=living)
    return _drafted(booking, remembered, remembered.order, living)


def _as_kept(booking: Booking, remembered: Remembered, living: Living, *, stored: Stored) -> Prepared:
    """A waiting invoice as its rows say it, measured by the store's figures."""
    standing = corrected.standing_of(stored, booking, remembered.order)
    said = corrected.said_of(stored, booking, remembered.order, standing)
    draft = measured(standing.draft, said, booking.settings.limit_of(len(standing.lines)))
    if booking.dated is not None:
        draft = replace(draft, issue_date=booking.dated)
    return Prepared(
        remembered,
        living=living,
        draft=draft,
        number=living.number,
        kept=stored.kept(remembered.order, kinds_changed(draft.lines, said)),
        places=stored.places(booking),
    )


def _already_said(remembered: Remembered, living: Living) -> bool:
    version = remembered.version_id
    return version == remembered.ignored_version_id or str(version) == living.flagged_version


def _already_there(booking: Booking, remembered: Remembered, living: Living) -> Prepared:
    outcome = "already_there"
    if living.opened_by_run_id == booking.run_id:  # an earlier attempt of this very run booked it
        outcome = "registered" if living.state is InvoiceState.REGISTERED else "in_journal"
    return Prepared(remembered, outcome, "already_there", {"number": living.number or ""}, living=living)


def _filtered(remembered: Remembered, filtered: Filtered, living: Living | None = None) -> Prepared:
    return Prepared(remembered, "filtered", filtered.reason, dict(filtered.details), living=living)


def _drafted(booking: Booking, remembered: Remembered, order: Order, living: Living | None) -> Prepared:
    draft = draft_invoice(
        order,
        booking.settings,
        zone=booking.zone,
        today=booking.today,
        company_code_fields=booking.connector.company_code_fields,
        vat_code_fields=booking.connector.vat_code_fields,
    )
    if not _fits(draft):
        text = f"Order {order.number} has an amount or a quantity too large to be true: its total is {order.total}."
        return Prepared(remembered, "unreadable", "unreadable", {"text": text}, living=living)
    typed = _number_by_hand(booking, remembered, living)
    number = typed or number_by_settings(booking, draft)
    one = Prepared(remembered, living=living, draft=draft, number=number, number_by_hand=bool(typed))
    by_hand = living.issue_date if living is not None and living.date_by_hand else booking.dated
    if by_hand is not None and by_hand != draft.issue_date:
        one.date_of_settings, one.draft = draft.issue_date, replace(draft, issue_date=by_hand)
    return one


def _number_by_hand(booking: Booking, remembered: Remembered, living: Living | None) -> str:
    """The number that a person types now, or typed when the waiting invoice was made; "" for none."""
    typed = booking.numbers_by_hand.get(remembered.store_order_id, "")
    if not typed and living is not None and living.number_by_hand:
        typed = living.number or ""
    return typed


def _fits(draft: Draft) -> bool:
    amounts = [draft.total, draft.net, draft.vat_total]
    amounts += [figure for line in draft.lines for figure in (line.net, line.vat, line.discount, line.quantity)]
    return all(amount.is_finite() and abs(amount) < _LARGEST for amount in amounts)


def number_by_settings(booking: Booking, draft: Draft) -> str | None:
    """The number that the settings give it; None: a series gives one, or there is none."""
    settings = booking.settings
    if settings.issued_by == "store":
        return number_shown(draft.store_number) or None  # the store's own document: its number, untouched
    match number_source(settings):
        case "order":
            number = draft.order_number
        case "invoice":
            number = draft.store_number
        case _:
            return None
    number = number_shown(number)
    return (settings.number_prefix + number)[:120] if number else None


def number_shown(number: str) -> str:
    """A number without line breaks and marks that turn the reading direction: it must look like what it is."""
    return "".join(sign for sign in number if sign.isprintable()).strip()


def _follow_credited(session: Session, booking: Booking, drafted: Sequence[Prepared]) -> None:
    """A document after one that was credited in full: its number says so, and it is dated when it is made.

    Dated as the first one, it would stand in that month a second time, while the credit note stands in this one.
    """
    new = [one for one in drafted if one.living is None]
    credited = credited_revisions(session, booking.store_id, [one.remembered.external_id for one in new])
    for one in drafted:
        assert one.draft is not None  # noqa: S101 - chosen so by the callers
        if one.living is not None:
            one.revision, made = one.living.revision, one.living.issue_date
        else:
            before = credited.get(one.remembered.external_id, 0)
            one.revision, made = max(before, one.replaces) + 1, booking.today
        if one.revision == 1 or made is None or one.kept is not None:
            continue
        if one.number and not one.number_by_hand and one.kept is None:
            one.number = f"{one.number[:112]}-{one.revision}"
        if one.draft.issue_date < made:
            one.draft = replace(one.draft, issue_date=made)


# --- changed in the store (D12) ----------------------------------------------------------------------------------


def _follow_changes(session: Session, booking: Booking, prepared: list[Prepared]) -> None:
    """Decide the orders whose document was drafted from an earlier version: both are read anew with today's reader."""
    undecided = [index for index, one in enumerate(prepared) if not one.outcome and one.draft is None and one.living]
    if not undecided:
        return
    versions = [one.living.drafted_from_version_id for one in prepared if one.living is not None]
    earlier = raw_pages.load_versions(session, versions)
    for index in undecided:
        one = prepared[index]
        assert one.living is not None  # noqa: S101 - chosen so above
        raw, context = earlier[one.living.drafted_from_version_id]
        old = booking.connector.read(raw, context)
        prepared[index] = _guarded(partial(_follow, old=old), booking, one.remembered, one.living)


def _follow(booking: Booking, remembered: Remembered, living: Living, *, old: Order | Unreadable) -> Prepared:
    new = remembered.order
    assert isinstance(new, Order)  # noqa: S101 - unreadable ones were decided before
    what = ["could not be read before"] if isinstance(old, Unreadable) else differences(old, new, booking.zone)
    if booking.settings.refunds != "off":
        what = [each for each in what if not each.startswith(REFUNDED)]  # a credit note follows them, no new invoice
    untouched = living.state is InvoiceState.IN_JOURNAL and not living.touched
    no_sale = why_not(new, booking.settings, booking.zone)
    if untouched and no_sale is not None and no_sale.reason in NO_SALE_ANY_MORE:
        return replace(_filtered(remembered, no_sale, living), leaves_journal=True, refreshed=True)
    if untouched:
        # Refreshed also when only a date or a SKU moved: a waiting invoice shows what the store says now.
        return replace(_drafted(booking, remembered, new, living), refreshed=True)
    there = _already_there(booking, remembered, living)
    if what:
        return replace(there, changed="; ".join(what), changed_kind=_kind_of(what, no_sale))
    return replace(there, follows_version=True)


def _kind_of(what: Sequence[str], no_sale: Filtered | None) -> str:
    if no_sale is not None and no_sale.reason in NO_SALE_ANY_MORE:
        return CANCELLED
    return REFUNDED_ONLY if all(each.startswith(REFUNDED) for each in what) else ""


# --- facts and checks ---------------------------------------------------------------------------------------------


def _find_facts(session: Session, booking: Booking, drafted: Sequence[Prepared]) -> None:
    decided = decisions.load(session, [one.remembered.store_order_id for one in drafted])
    over = {id(one): _apply(one, decided.get(one.remembered.store_order_id)) for one in drafted}
    drafts = [one.draft for one in drafted if one.draft is not None]
    items = load_items(session, [line for draft in drafts for line in draft.lines], booking.store_id)
    rates = eur_rates(session, {(draft.currency, draft.supply_date) for draft in drafts})
    keys = {number_key(one.number) for one in drafted if one.number}
    taken = taken_numbers(session, keys)
    vat = PageVat(session, booking, drafted)
    # A preview writes no numbers, so it remembers those it has promised.
    mine = booking.promised if booking.is_preview else {}
    for one in sorted(drafted, key=_turn):
        draft = one.draft
        assert draft is not None  # noqa: S101 - chosen so by the callers
        one.eur_rate = rates.get((draft.currency, draft.supply_date))
        one.items = _items_of(booking, draft, one.kept, items)
        if one.remembered.store_order_id in decided:
            _place(one, booking, decided[one.remembered.store_order_id])
        one.treated = vat.treat(one)
        one.findings = [*check(draft, _facts_of(booking, one, draft)), *over[id(one)]]
        if one.kept is not None:
            one.findings = _found_of_kept(one, one.kept)
        if one.remembered.store_order_id in decided:
            one.findings = settled(one.findings, decided[one.remembered.store_order_id])
        _notice_conflict(one, taken, mine)


def _apply(one: Prepared, decided: Decided | None) -> list[Finding]:
    """What a person decided about this order's invoice holds for every draft of it; notices of what does not any more.

    What he corrected by hand stays as he left it.
    """
    assert one.draft is not None  # noqa: S101 - chosen so by the callers
    if decided is None or one.kept is not None:
        return []
    drafted = one.draft
    one.draft = applied(drafted, decided)
    return ended(drafted, decided)


def _place(one: Prepared, booking: Booking, decided: Decided) -> None:
    """Lines of the items for which a person chose another warehouse take their goods from there."""
    if one.kept is None and any(item is not None and item.code in decided.warehouses for item in one.items):
        chosen = [decided.warehouses.get(item.code) if item is not None else None for item in one.items]
        one.places = [Place(*each) if each is not None else booking.place for each in chosen]


def _items_of(booking: Booking, draft: Draft, kept: Kept | None, items: Any) -> list[KnownItem | None]:
    if not booking.is_goods:
        return [None] * len(draft.lines)
    common = booking.common_item if booking.settings.unknown_items == "common" else None
    stand_in = KnownItem(common.id, common.code, keeps_stock=False) if common else None
    # The common item stands for anything, so its pieces are not counted.
    named = kept.items if kept is not None else ()
    return [
        (chosen or items.of(line, booking.store_id) or stand_in) if line.names_item else None
        for line, chosen in zip_longest(draft.lines, named)
    ]


def _found_of_kept(one: Prepared, kept: Kept) -> list[Finding]:
    """What is found about an invoice that a person corrected: a number he gave is there, wherever it comes from."""
    found = [finding for finding in one.findings if finding.code != "number_missing" or not one.number]
    there = {(finding.code, finding.subject) for finding in found}
    return [*found, *(one for one in kept.findings if (one.code, one.subject) not in there)]


def _facts_of(booking: Booking, one: Prepared, draft: Draft) -> Facts:
    order = one.remembered.order
    country = draft.buyer.address.country or booking.country
    company_problem = ""
    if draft.company_code and country == "LT":
        company_problem = company_code_problem(draft.company_code) or ""
    return Facts(
        settings=booking.settings,
        country=booking.country,
        rates=booking.rates,
        items=one.items,
        eur_rate=one.eur_rate,
        closed_until=booking.closed_until,
        warehouse=one.place(booking, 0).code,
        refunds=order.refunds if isinstance(order, Order) else (),
        vat_code_problem=(vat_code_problem(draft.vat_code, country) or "") if draft.vat_code else "",
        company_code_problem=company_problem,
        common_item_exists=booking.common_item is not None,
        number_by_hand=one.number or "" if one.number_by_hand else "",
        number_of_settings=number_by_settings(booking, draft) or "" if one.number_by_hand else "",
        date_by_hand=draft.issue_date if one.date_of_settings else None,
        date_of_settings=one.date_of_settings.isoformat() if one.date_of_settings else "",
        treated=one.treated,
    )


def _notice_conflict(one: Prepared, taken: Mapping[str, tuple[int | None, str]], mine: dict[str, str]) -> None:
    """A number that belongs to another document, or to an order before this one on the same page (D2)."""
    if one.number is None:
        return
    key = number_key(one.number)
    invoice_id, by = taken.get(key, (0, ""))
    own = one.living is not None and invoice_id == one.living.id
    if key in taken and not own:
        details = {"number": one.number, "by": by, "invoice": str(invoice_id or "")}
    elif key in mine:
        details = {"number": one.number, "by": f"the invoice of order {mine[key]}", "invoice": ""}
    else:
        mine[key] = one.remembered.order.number
        return
    if one.living is not None:
        one.number = one.living.number  # a waiting invoice keeps the number it has
        return
    one.outcome, one.reason, one.details, one.draft = "conflict", "number_taken", details, None
