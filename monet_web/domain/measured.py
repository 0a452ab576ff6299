"""Measured: how far an invoice that a person corrected lies from the store's total, VAT, rates and quantities (D5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Difference, Draft, DraftLine, sum_by_rate
from monet_web.domain.money import ZERO
from monet_web.domain.orders import LineKind


@dataclass(frozen=True, slots=True)
class Said:
    """The store's figures that a correction is measured by. `rounding`: one that the store itself names.

    `is_goods`: goods leave a warehouse with the invoice, so that kinds and quantities of lines matter.
    """

    total: Decimal
    vat: Decimal
    lines: Sequence[DraftLine] = ()
    rounding: Decimal = ZERO
    is_goods: bool = True


def measured(draft: Draft, said: Said, limit: Decimal) -> Draft:
    """The draft with the differences of its figures to the store's, each of which stops it until it is accepted.

    What the lines gave way to before they were typed anew is no longer theirs.
    """
    of_lines = draft.net + draft.vat_total
    found: list[Difference] = []
    if abs(said.total - said.rounding - of_lines) > limit or draft.total != said.total:
        found.append(Difference("total", said.total, of_lines, limit))
    elif abs(said.vat - draft.vat_total) > limit:
        found.append(Difference("vat", said.vat, draft.vat_total, limit))
    found += _of_rates(draft, said, limit, is_vat_told=any(one.of == "vat" for one in found))
    if said.is_goods:
        found += _of_quantities(draft, said)
    return replace(draft, differences=tuple(found), rounded=())


def kinds_changed(lines: Sequence[DraftLine], said: Said) -> tuple[Finding, ...]:
    """Notices of lines that the store sent as goods or a service and that take none now, or the other way round."""
    sent = {line.store_line_id: line for line in said.lines if line.kind is not LineKind.DISCOUNT}
    found = []
    for position, line in enumerate(lines, start=1):
        before = sent.get(line.store_line_id)
        if before is None or not line.store_line_id or line.kind is LineKind.DISCOUNT:
            continue
        if said.is_goods and before.names_item != line.names_item:
            values = {"line": str(position), "what": line.name[:200], "was_kind": before.kind.value}
            values["is_kind"] = line.kind.value
            found.append(Finding("kind_changed", str(position), values, stops=False))
    return tuple(found)


def _of_rates(draft: Draft, said: Said, limit: Decimal, *, is_vat_told: bool) -> Iterator[Difference]:
    """Base and VAT of each rate. Lines whose rate the store does not say are left out of both sides.

    With one rate on both sides, total and VAT say it all, unless it is another one of the same VAT.
    """
    if not said.lines:
        return
    unknown = {line.store_line_id for line in said.lines if not line.rate_known}
    store = {row.rate: row for row in sum_by_rate([line for line in said.lines if line.rate_known])}
    mine = {row.rate: row for row in sum_by_rate([one for one in draft.lines if one.store_line_id not in unknown])}
    if len(store) == len(mine) == 1 and (is_vat_told or store.keys() == mine.keys()):
        return
    for rate in [*store, *(rate for rate in mine if rate not in store)]:
        one, other = store.get(rate), mine.get(rate)
        base, amount = (one.base, one.amount) if one else (ZERO, ZERO)
        my_base, my_amount = (other.base, other.amount) if other else (ZERO, ZERO)
        named = "none" if rate is None else f"{rate.normalize():f}"
        if abs(base - my_base) > limit:
            yield Difference(f"base {named}", base, my_base, limit)
        if abs(amount - my_amount) > limit:
            yield Difference(f"vat {named}", amount, my_amount, limit)


def _of_quantities(draft: Draft, said: Said) -> Iterator[Difference]:
    """Quantities of what leaves a warehouse; a quantity that the store does not tell is a person's to type.

    A line that was taken away counts as none, one that was added as one that the store did not sell. What became of
    a line's kind is an accountant's word, so the line is counted whatever it is now.
    """
    sold: dict[str, list[DraftLine]] = {}
    for line in said.lines:
        if line.names_item:
            sold.setdefault(line.store_line_id, []).append(line)
    others = {line.store_line_id for line in said.lines} - sold.keys()
    for place, (key, lines) in enumerate(sold.items(), start=1):
        store = sum((line.quantity for line in lines), ZERO)
        mine = [line for line in draft.lines if line.store_line_id == key and line.kind is not LineKind.DISCOUNT]
        if not key:
            mine = [line for line in mine if line.names_item]
        quantity = sum((line.quantity for line in mine), ZERO)
        if all(line.quantity > 0 for line in lines) and quantity != store:
            yield Difference(f"quantity {place}", store, quantity, ZERO, lines[0].sku or lines[0].name[:200])
    added = [
        line
        for line in draft.lines
        if line.names_item and line.store_line_id not in sold and line.store_line_id not in others
    ]
    for place, line in enumerate(added, start=len(sold) + 1):
        yield Difference(f"quantity {place}", ZERO, line.quantity, ZERO, line.sku or line.name[:200])
