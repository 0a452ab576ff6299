"""Deciding: what a person settles for all invoices of a cause at once; every new draft of them keeps it (E3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.codes import normalise_vat_code
from monet_web.domain.decided import OF_FIGURES, UNKNOWN_RATE, lines_at
from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import OF_A_LINE
from monet_web.models.base import writing
from monet_web.models.customers import Customer
from monet_web.models.decisions import Decision, DecisionKind
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceLine
from monet_web.models.stock import Warehouse
from monet_web.services import audit
from monet_web.services.books.tables import Wrong, number_of, shown
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.documents.waiting import Which, conditions

RATE_UNKNOWN = "vat_rate_unknown"
RATE_NOT_SAID = "tax_rate_missing"
SHORT = "stock_short"
VAT_CODE = "vat_code_invalid"
# Findings that another VAT code of the buyer may mend; rates that may be chosen anew.
OF_BUYER = (VAT_CODE, "eu_untaxed", "vat_number_unconfirmed", "vat_number_refused")
OF_RATE = (RATE_UNKNOWN, RATE_NOT_SAID, "oss_rate", "oss_off")
_PART = 500
_HIGHEST_RATE = 100


@dataclass(frozen=True, slots=True)
class _Row:
    """One finding of one waiting invoice that nobody corrected by hand."""

    invoice_id: int
    store_order_id: int
    code: str
    subject: str
    said: Mapping[str, Any]
    buyer: Mapping[str, str]

    @property
    def country(self) -> str:
        """The buyer's."""
        return self.buyer.get("country", "")


Make = Callable[[_Row], tuple[str, dict[str, Any]]]  # → the decision's subject and values


def accept_difference(session: Session, which: Which, *, now: datetime, actor: str) -> list[int]:
    """Accept the differences of these invoices as rounding, each with the figures that it shows; their ids.

    Where the store says other figures later, the finding is back. Raises BrokenRule.
    """

    def made(row: _Row) -> tuple[str, dict[str, str]]:
        figures = {"code": row.code, "subject": row.subject}
        return f"{row.code} {row.subject}", {**figures, **{key: str(row.said.get(key, "")) for key in _FIGURES}}

    codes = tuple(code for code in OF_FIGURES if which.code in (code, None))
    return _decide(session, which, codes, DecisionKind.DIFFERENCE, "difference_accepted", made, now=now, actor=actor)


_FIGURES = ("store", "lines")


def choose_rate(session: Session, which: Which, rate: str, *, now: datetime, actor: str) -> list[int]:
    """The right VAT rate of the lines that have a wrong one, or none that the store says; what was paid stays.

    Of the cause `vat_rate_unknown` (its subject names the wrong rate) or `tax_rate_missing`. The invoices' ids. Raises
    BrokenRule.
    """
    percent = _percent(rate)

    def made(row: _Row) -> tuple[str, dict[str, Any]]:
        wrong = UNKNOWN_RATE if row.code == RATE_NOT_SAID else row.subject.rpartition(" ")[2]
        return wrong, {"from": wrong, "to": percent}

    codes = tuple(code for code in OF_RATE if which.code == code)
    with writing(session):
        rows = _rows(session, which, codes)
        # A rate that was chosen before and is refused now: what the store says is the one to replace.
        earlier = _chosen_before(session, rows)
        lines = _lines(session, [row.invoice_id for row in rows])

        def again(row: _Row) -> tuple[str, dict[str, Any]]:
            wrong, values = made(row)
            of = lines_at(lines.get(row.invoice_id, ()), wrong)
            first = earlier.get((row.store_order_id, wrong))
            # What it was decided about stays, as long as these are those lines.
            if first is not None and first["of"].items() <= of.items():
                return first["from"], {**values, "from": first["from"], "of": first["of"]}
            return wrong, {**values, "of": of}

        return _write(session, rows, DecisionKind.VAT_RATE, "vat_rate_chosen", again, now=now, actor=actor)


def choose_warehouse(session: Session, which: Which, code: str, *, now: datetime, actor: str) -> list[int]:
    """The item that is short leaves that warehouse on these invoices; their ids. Raises BrokenRule."""
    with writing(session):
        found = session.scalars(select(Warehouse).where(Warehouse.code == code.strip())).one_or_none()
        if found is None:
            raise BrokenRule(
                f"There is no warehouse {shown(code)}." if code.strip() else "No warehouse was chosen.",
                fix="Choose one of the list.", field="warehouse",
            )  # fmt: skip
        values = {"warehouse_id": str(found.id), "warehouse": found.code}
        rows = _rows(session, which, (SHORT,))
        return _write(
            session, rows, DecisionKind.WAREHOUSE, "warehouse_chosen",
            lambda row: (str(row.said.get("item", "")), values), now=now, actor=actor,
        )  # fmt: skip


def correct_buyer(
    session: Session, which: Which, vat_code: str, *, customer_id: int | None = None, now: datetime, actor: str
) -> list[int]:
    """The buyer's right VAT code ("" = no VAT payer), or the customer whose codes are taken; the invoices' ids.

    Raises BrokenRule.
    """
    code, company_code, name = normalise_vat_code(vat_code), "", ""
    with writing(session):
        if customer_id is not None:
            customer = session.get(Customer, customer_id)
            if customer is None:
                raise BrokenRule("This customer is not here any more.", fix="Choose another one.", field="customer")
            code, company_code, name = customer.vat_code, customer.company_code, customer.name
        rows = _rows(session, which, tuple(code for code in OF_BUYER if which.code == code))
        if code and rows and vat_code_problem(code, rows[0].country):
            raise BrokenRule(
                f"{shown(code)} can't be a VAT code either.",
                fix="Type it as LT100001234567, or leave the field empty if the buyer is no VAT payer.", field="buyer",
            )  # fmt: skip

        earlier = _corrected_before(session, rows)

        def made(row: _Row) -> tuple[str, dict[str, Any]]:
            values = {"was": row.buyer.get("vat_code", ""), "of": {key: row.buyer.get(key, "") for key in _IDENTITY}}
            first = earlier.get(row.store_order_id)
            if first is not None and _is_by(first, row.buyer):
                values = {"was": first["was"], "of": first["of"]}  # the buyer as the store says him
            return "", {**values, "vat_code": code, "company_code": company_code, "company": name}

        return _write(session, rows, DecisionKind.BUYER, "buyer_corrected", made, now=now, actor=actor)


def forget(session: Session, store_order_ids: Sequence[int]) -> None:
    """What was decided about these orders is gone with their invoices; in the caller's transaction."""
    for start in range(0, len(store_order_ids), _PART):
        part = store_order_ids[start : start + _PART]
        session.execute(
            delete(Decision).where(Decision.store_order_id.in_(part)).execution_options(synchronize_session=False)
        )


def left_by_hand(session: Session, which: Which) -> list[tuple[int, str]]:
    """Waiting invoices of the cause that a mend passes over, since a person corrected them: id, number. At most 50.

    Inside a transaction.
    """
    query = (
        select(Invoice.id, Invoice.number)
        .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .where(
            *conditions(session, which),
            InvoiceFinding.code == which.code,
            InvoiceFinding.stops,
            Invoice.touched_at.is_not(None),
        )
        .order_by(Invoice.id)
        .distinct()
        .limit(50)
    )
    if which.subject is not None and which.code not in OF_A_LINE:
        query = query.where(InvoiceFinding.subject == which.subject)
    return [(row.id, row.number or "") for row in session.execute(query)]


# --- parts -------------------------------------------------------------------------------------------------------


def _decide(
    session: Session,
    which: Which,
    codes: Sequence[str],
    kind: DecisionKind,
    action: str,
    made: Make,
    *,
    now: datetime,
    actor: str,
) -> list[int]:
    with writing(session):
        return _write(session, _rows(session, which, codes, corrected=True), kind, action, made, now=now, actor=actor)


def _rows(session: Session, which: Which, codes: Sequence[str], *, corrected: bool = False) -> list[_Row]:
    """What waits for `codes`; what a person corrected is his, so that only a difference is accepted on it too."""
    query = (
        select(
            Invoice.id, Invoice.store_order_id, InvoiceFinding.code, InvoiceFinding.subject,
            InvoiceFinding.values.label("said"), Invoice.ship_country, Invoice.buyer,
        )
        .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .where(*conditions(session, which), InvoiceFinding.code.in_(codes), InvoiceFinding.stops)
        .order_by(Invoice.id)
    )  # fmt: skip
    if not corrected:
        query = query.where(Invoice.touched_at.is_(None))
    if which.code in codes and which.subject is not None and which.code not in OF_A_LINE:
        query = query.where(InvoiceFinding.subject == which.subject)
    return [
        _Row(row.id, row.store_order_id, row.code, row.subject, row.said, row.buyer or {})
        for row in session.execute(query)
    ]


def _write(
    session: Session, rows: Sequence[_Row], kind: DecisionKind, action: str, made: Make, *, now: datetime, actor: str
) -> list[int]:
    """One decision an order and subject; said again it is the newest that holds."""
    if not rows:
        raise BrokenRule(
            "None of these waits any more, or each was corrected by hand.", fix="Look at the list again, or open one."
        )
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    decided: dict[tuple[int, str], dict[str, Any]] = {}
    changes: dict[tuple[int, str], audit.Change] = {}
    for row in rows:
        subject, values = made(row)
        key = row.store_order_id, subject[:240]
        decided[key] = {
            "store_order_id": key[0], "kind": kind, "subject": key[1], "values": values,
            "decided_by": actor[:200], "decided_at": now,
        }  # fmt: skip
        changes[key] = audit.Change(row.invoice_id, after={name: said for name, said in values.items() if name != "of"})
    written = list(decided.values())
    for start in range(0, len(written), _PART):
        statement = dialect.insert(Decision)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["store_order_id", "kind", "subject"],
                set_={name: statement.excluded[name] for name in ("values", "decided_by", "decided_at")},
            ),
            written[start : start + _PART],
        )
    audit.rows(session, at=now, actor=actor, action=action, subject_kind="invoice", changes=changes.values())
    return list(dict.fromkeys(row.invoice_id for row in rows))


_IDENTITY = ("name", "company", "email", "country")


def _earlier(session: Session, rows: Sequence[_Row], kind: DecisionKind) -> Iterator[Decision]:
    ids = sorted({row.store_order_id for row in rows})
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        yield from session.scalars(select(Decision).where(Decision.store_order_id.in_(part), Decision.kind == kind))


def _chosen_before(session: Session, rows: Sequence[_Row]) -> dict[tuple[int, str], dict[str, Any]]:
    """(order, rate chosen before) → the decision: the rate of the store that it replaced, and of which lines."""
    return {
        (one.store_order_id, one.values["to"]): {"of": {}, **one.values}
        for one in _earlier(session, rows, DecisionKind.VAT_RATE)
    }


def _corrected_before(session: Session, rows: Sequence[_Row]) -> dict[int, dict[str, Any]]:
    """Order → the decision about its buyer."""
    return {one.store_order_id: {"of": {}, **one.values} for one in _earlier(session, rows, DecisionKind.BUYER)}


def _is_by(decided: Mapping[str, Any], buyer: Mapping[str, str]) -> bool:
    """True when the buyer on an invoice is what that decision made of the store's."""
    became = {**decided["of"], **({"company": decided["company"]} if decided["company"] else {})}
    return buyer.get("vat_code", "") == decided["vat_code"] and all(
        buyer.get(key, "") == became.get(key) for key in _IDENTITY
    )


def _lines(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[InvoiceLine]]:
    found: dict[int, list[InvoiceLine]] = {}
    for start in range(0, len(invoice_ids), _PART):
        part = invoice_ids[start : start + _PART]
        for line in session.scalars(
            select(InvoiceLine)
            .where(InvoiceLine.invoice_id.in_(part))
            .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
        ):
            found.setdefault(line.invoice_id, []).append(line)
    return found


def _percent(text: str) -> str:
    try:
        rate = number_of(text.strip().removesuffix("%").strip(), example="21 or 5,5")
    except Wrong:
        rate = Decimal(-1)
    if not 0 <= rate <= _HIGHEST_RATE:
        raise BrokenRule(f"“{shown(text)}” is no VAT rate.", fix="Type it in per cent, for example 21.", field="vat")
    return f"{rate.normalize():f}" if rate else "0"
