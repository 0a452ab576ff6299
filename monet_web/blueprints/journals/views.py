"""What waits: by cause and by journal, one journal, all invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web.blueprints.access import signed_in
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.invoices.views import names_of_integrations
from monet_web.blueprints.journals import checking, selection
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.journals.causes import Drawn, drawn
from monet_web.domain.findings import CODES
from monet_web.models import Integration, Journal, db
from monet_web.models.base import reading
from monet_web.models.invoices import AccountingType
from monet_web.models.users import Role
from monet_web.services.documents import causes, errands, mend_cause, questions, waiting
from monet_web.services.documents import journals as service
from monet_web.services.documents.causes import Cause
from monet_web.services.documents.waiting import Which

_SHOWN_CAUSES = 30


@journals.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Everything that waits: grouped by cause, then the goods sales journals and the sales journals."""
    asked = selection.meant(request.args)
    which = Which(integration_id=asked.integration_id, month=asked.month)
    session = db.session()
    with reading(session):
        every = waiting.summary(session, Which())
        found = causes.causes(session, which)
        goods, older_goods = _journals(session, AccountingType.GOODS, asked.integration_id)
        sales, older_sales = _journals(session, AccountingType.AMOUNTS, asked.integration_id)
        names = names_of_integrations(session)
        return rendered(
            session,
            "journals/page.html",
            every=every,
            which=which,
            narrowed=waiting.summary(session, which) if which != Which() else every,
            causes=_drawn(session, found[:_SHOWN_CAUSES], which, names),
            more_causes=len(found) - _SHOWN_CAUSES,
            findings=sum(one.invoices for one in found),
            sections=[(AccountingType.GOODS, goods, older_goods), (AccountingType.AMOUNTS, sales, older_sales)],
            main_causes=causes.main_causes(session, [one.id for one in [*goods, *sales]]),
            integrations=names,
            months=waiting.months(session, Which(integration_id=asked.integration_id)),
            at_work=[checking.shown(one) for one in errands.unfinished(session)],
            unanswered=questions.unanswered(session) if current_user.may(Role.OFFICE) else [],
            answers=questions.answered_to(session, current_user.email),
            may_answer=current_user.may(Role.ACCOUNTANT),
            selection=selection,
        )


@journals.get("/invoices")
@signed_in
def invoices() -> ResponseReturnValue:
    """Waiting invoices that somebody looks for: of one cause, one integration, one month, by words."""
    which = selection.meant(request.args)
    if which.code is not None and which.code not in CODES:
        abort(404)
    session = db.session()
    with reading(session):
        cause = None
        if which.code is not None:
            found = causes.causes(session, which)
            mine = [one for one in found if one.code == which.code and which.subject in (None, one.subject)]
            drawn_now = _drawn(session, mine[:1], which, names_of_integrations(session))
            cause = drawn_now[0] if drawn_now else None
        return _list(session, which, cause=cause, journal=None)


@journals.get("/<int:journal_id>")
@signed_in
def journal(journal_id: int) -> ResponseReturnValue:
    """One journal: its waiting invoices, each with what stands in the way."""
    session = db.session()
    with reading(session):
        found = session.get(Journal, journal_id)
        if found is None:
            abort(404)
        return _list(session, Which(journal_id=journal_id), cause=None, journal=found)


def _drawn(session: Session, found: Sequence[Cause], which: Which, names: Mapping[int, str]) -> list[Drawn]:
    """Causes with all that their controls show. Inside a transaction, a fixed number of queries."""
    return drawn(
        found,
        which=which,
        short=causes.shortages(session, found),
        asked=questions.of_causes(session, [(one.code, one.subject) for one in found]),
        common=mend_cause.common_items(session, names),
        names=names,
    )


def _journals(session: Session, kind: AccountingType, integration_id: int | None) -> Any:
    before = number(request.args.get(f"{kind.value}_before", ""))
    return service.page(session, kind, integration_id=integration_id, before=before)


def _list(session: Session, which: Which, **values: Any) -> str:
    found, after = waiting.page(session, which, after=number(request.args.get("after", "")) or 0)
    journal = values["journal"]
    return rendered(
        session,
        "journals/invoices.html",
        which=which,
        found=found,
        after=after,
        is_first="after" not in request.args,
        sum=waiting.summary(session, which),
        integrations=names_of_integrations(session),
        integration=session.get(Integration, journal.integration_id) if journal else None,
        months=waiting.months(session, Which()) if journal is None else [],
        selection=selection,
        **values,
    )
