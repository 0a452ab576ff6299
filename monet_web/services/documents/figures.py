"""Figures of one invoice that differ from the store's, taken as right by an accountant as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.decided import OF_FIGURES, figures_of
from monet_web.domain.findings import Finding
from monet_web.models.decisions import Decision, DecisionKind
from monet_web.models.invoices import Invoice
from monet_web.services import audit


def accept(session: Session, invoice: Invoice, findings: Sequence[Finding], *, now: datetime, actor: str) -> int:
    """Accept every difference among `findings`; how many. Other figures later are found again. In a transaction."""
    values = []
    for finding in findings:
        if finding.code in OF_FIGURES and finding.stops:
            of = figures_of(finding)
            values.append({"code": of.code, "subject": of.subject, "store": of.store, "lines": of.lines})
    if not values:
        return 0
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Decision)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["store_order_id", "kind", "subject"],
            set_={name: statement.excluded[name] for name in ("values", "decided_by", "decided_at")},
        ),
        [
            {"store_order_id": invoice.store_order_id, "kind": DecisionKind.DIFFERENCE,
             "subject": f"{one['code']} {one['subject']}"[:240], "values": one, "decided_by": actor[:200],
             "decided_at": now}
            for one in values
        ],
    )  # fmt: skip
    changes = [audit.Change(invoice.id, after=one) for one in values]
    audit.rows(session, at=now, actor=actor, action="difference_accepted", subject_kind="invoice", changes=changes)
    return len(values)
