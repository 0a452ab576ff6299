"""Answers to changes in the store: what both have in common. *Accept* is in accept.py, *Ignore* in ignore.py (D12).

Each document is answered in one transaction under the integration's claim: a crash leaves it answered or not, never in
between, and whoever answers twice, or what has changed once more meanwhile, is told so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.store_orders import StoreOrder
from monet_web.services import audit
from monet_web.services.documents.changed import Answer, answer_of
from monet_web.services.importing import raw_pages
from monet_web.services.importing.claimed import Claimed
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.facts import CHANGED

MEANWHILE = "This was answered meanwhile."


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one document. `refused`: why nothing was done, with what to do; then nothing else is set.

    `credit_note`: the number of what credited it; `number`, `document_id`, `registered`: of the document that follows
    the order now, None when there is none any more.
    """

    invoice_id: int
    was: str
    answer: Answer
    refused: str = ""
    credit_note: str | None = None
    number: str | None = None
    document_id: int | None = None
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A document, what its finding says, and its order as the store said it last."""

    invoice: Invoice
    kind: str
    what: str
    version: str
    remembered: Remembered

    @property
    def answer(self) -> Answer:
        """What accepting does."""
        return answer_of(self.invoice.state, self.kind)


def by_integration(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[int]]:
    """Integration → its documents of these, the oldest first."""
    with reading(session):
        rows = session.execute(
            select(Invoice.integration_id, Invoice.id).where(Invoice.id.in_(invoice_ids)).order_by(Invoice.id)
        ).all()
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        found[row.integration_id].append(row.id)
    return dict(sorted(found.items()))


def asked_of(session: Session, held: Claimed, invoice_id: int) -> Asked | None:
    """None when the document has no such finding any more."""
    row = session.execute(
        select(Invoice, InvoiceFinding, StoreOrder)
        .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
        .where(Invoice.id == invoice_id, InvoiceFinding.code == CHANGED)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    invoice, finding, order = row
    version_id = order.latest_version_id
    raws = raw_pages.load_versions(session, [version_id] if version_id is not None else [])
    if version_id is None or version_id not in raws:
        return None
    remembered = Remembered(order.id, version_id, held.booking.connector.read(*raws[version_id]))
    said = finding.values
    return Asked(invoice, finding.subject, str(said.get("what", "")), str(said.get("version", "")), remembered)


def refusal(asked: Asked, versions: Mapping[int, str] | None, may_credit: bool) -> str:
    """Why the document is not answered, "" when it is."""
    if asked.invoice.state is InvoiceState.REGISTERED and not may_credit:
        return "It is registered, and what changes registered invoices is the accountant's."
    is_seen = versions is None or versions.get(asked.invoice.id) == asked.version
    if not is_seen or asked.version != str(asked.remembered.version_id):
        return "The order has changed once more meanwhile. Look at the difference again."
    return ""


def forget(session: Session, asked: Asked) -> None:
    """The finding is answered. Raises BrokenRule when it is gone or speaks of something else by now."""
    removed = session.execute(
        delete(InvoiceFinding)
        .where(InvoiceFinding.invoice_id == asked.invoice.id, InvoiceFinding.code == CHANGED)
        .execution_options(synchronize_session=False)
    )
    if removed.rowcount != 1:  # type: ignore[attr-defined]
        raise BrokenRule(MEANWHILE, fix="Look at the list again.")


def tell(
    session: Session,
    held: Claimed,
    asked: Asked,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write it into the trail, in the caller's transaction."""
    audit.record(
        session, at=held.booking.now, actor=held.booking.actor, action=action, subject_kind="invoice",
        subject_id=asked.invoice.id, before=before, after={"what": asked.what, **(after or {})},
    )  # fmt: skip
