"""One waiting invoice: what stands in its way, its form, and the store's order beside it (E3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web.blueprints import field_words
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.journals import correction_form, selection
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.journals.causes import drawn
from monet_web.blueprints.journals.correction_form import Form
from monet_web.domain.correction_typed import Typed
from monet_web.domain.corrections import changes
from monet_web.domain.decided import OF_FIGURES
from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import Finding
from monet_web.models import Customer, Invoice, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import causes, correct, mend_cause, questions, refund_note, waiting
from monet_web.services.documents import document as one_document
from monet_web.services.documents.correct import Overtaken
from monet_web.services.documents.correct_open import Gone, Opened, open_invoice
from monet_web.services.documents.document import Document
from monet_web.services.documents.waiting import Which

# Mended for all that wait, also from the page of one invoice.
_EVERYWHERE = frozenset({"currency_rate_missing", "stock_short", "common_item_missing", "warehouse_missing"})


@journals.get("/invoices/<int:invoice_id>")
@signed_in
def show(invoice_id: int) -> ResponseReturnValue:
    """The page; what is registered has another one."""
    session = db.session()
    with reading(session):
        try:
            return page(session, invoice_id)
        except Gone as gone:
            if gone.registered:
                return redirect(url_for("invoices.show", invoice_id=invoice_id))
            abort(404)


def page(
    session: Session,
    invoice_id: int,
    typed: Typed | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    overtaken: Overtaken | None = None,
    accept: str = "",
    reason: str = "",
) -> str:
    """The page with the form as it is kept, or as `typed`. Inside a transaction, a fixed number of queries.

    `errors`: what is wrong with it beside what looking at it finds; `overtaken`: somebody was faster. Raises Gone.
    """
    form, fields = None, []
    try:
        opened = open_invoice(session, invoice_id, now=now_utc(), actor=current_user.email)
    except Gone:
        raise
    except BrokenRule:
        pass  # a credit note: it is read, not corrected
    else:
        form = form_of(
            session, opened, typed or opened.typed, errors=errors, accept=accept, reason=reason, quiet=typed is None
        )
        original = opened.original
        fields = field_words.said(changes(original, opened.typed)) if original else []
    document = one_document.load(session, invoice_id)
    assert document is not None  # noqa: S101 - it was found just now
    return rendered(
        session,
        "journals/show.html",
        form=form,
        refund=refund_note.load(session, invoice_id) if form is None else None,
        overtaken=overtaken,
        overtaken_fields=field_words.said(overtaken.changes) if overtaken else [],
        corrected_fields=fields,
        may_amounts=current_user.may(Role.ACCOUNTANT),
        kinds=field_words.KINDS,
        of_figures=OF_FIGURES,
        **_around(session, document),
    )


def form_of(
    session: Session,
    opened: Opened,
    typed: Typed,
    *,
    errors: Mapping[str, str] | None = None,
    accept: str = "",
    reason: str = "",
    quiet: bool = False,
) -> Form:
    """The form as typed, looked at; `quiet`: what it finds wrong is not said yet, since nobody typed it."""
    may_amounts = current_user.may(Role.ACCOUNTANT)
    looked = correct.look(session, opened, typed, may_amounts=may_amounts, now=now_utc(), actor=current_user.email)
    chosen = typed.fields.get("customer", "") or str(opened.invoice.customer_id or "")
    customer = session.get(Customer, int(chosen)) if chosen.isdecimal() and len(chosen) < 18 else None
    return Form(
        typed=typed,
        looked=looked,
        errors={} if quiet else {**looked.errors, **(errors or {})},
        may_amounts=may_amounts,
        version=opened.invoice.row_version,
        seen=opened.seen,
        warehouses=correction_form.warehouse_codes(session),
        customer=customer.name if customer else "",
        accept=accept,
        reason=reason,
    )


def _around(session: Session, document: Document) -> dict[str, Any]:
    """What stands around the form: reasons with their controls, questions, the store's order, neighbours."""
    invoice = document.invoice
    found = [Finding(one.code, one.subject, one.values, one.stops) for one in invoice.found]
    return {
        "document": document,
        "invoice": invoice,
        "compared": one_document.compare(document),
        "place": one_document.place(session, invoice),
        "sum": waiting.summary(session, Which(invoice_ids=(invoice.id,))),
        "stopping": [one for one in invoice.found if one.stops],
        "controls": _controls(session, document, found),
        "asked": questions.of_order(session, invoice.store_order_id),
        "may_answer": current_user.may(Role.ACCOUNTANT),
        "selection": selection,
    }


def _controls(session: Session, document: Document, found: list[Finding]) -> dict[int, Any]:
    """Row of a finding → what mends it."""
    invoice: Invoice = document.invoice
    integration_id = invoice.integration_id
    named = [(one.code, one.subject) for one in found]
    # An item is mapped in the store of this invoice alone; whatever else mends a cause mends it everywhere.
    of_store = causes.counts_of(session, named, Which(integration_id=integration_id))
    counted = {
        key: of_store[key] if key[0] == mend_cause.ITEM_UNKNOWN else count if key[0] in _EVERYWHERE else 1
        for key, count in causes.counts_of(session, named).items()
    }
    mine, day = Which(invoice_ids=(invoice.id,), integration_id=integration_id), invoice.issue_date
    names = {integration_id: document.integration.name}
    return {
        row.id: drawn(
            [causes.Cause(one, counted[one.code, one.subject], oldest=day, newest=day, integrations=(integration_id,))],
            which=mine,
            names=names,
        )[0]
        for row, one in zip(invoice.found, found, strict=True)
    }
