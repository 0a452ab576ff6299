"""Changed in the store: the differences, *Accept* and *Ignore*, one by one and all of a kind (D12)."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import asked
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals import change_words, mistakes
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import accept, ignore
from monet_web.services.documents import changed as service
from monet_web.services.documents.changed import Answer
from monet_web.services.importing.claimed import SHORT_PATIENCE

MOST = 50  # documents answered at one press, so that the page answers in seconds; the rest by the next


@journals.get("/changed")
@signed_in
def changed() -> ResponseReturnValue:
    """The list, the oldest first; of one kind, or of one document (`invoice`)."""
    kind = _kind(request.args.get("kind", ""))
    only = number(request.args.get("invoice", ""))
    session = db.session()
    with reading(session):
        after = None
        if only is not None:
            found = service.of_invoices(session, [only])
        else:
            found, after = service.page(session, answer=kind, after=number(request.args.get("after", "")) or 0)
        shown = service.versions(session, kind, limit=MOST).items() if kind is not None else ()
        return rendered(
            session, "journals/changed.html", found=found, after=after, kind=kind, only=only,
            kinds=service.kinds(session), is_first="after" not in request.args, words=change_words,
            most=MOST, proof=asked.proof(shown),
        )  # fmt: skip


@journals.post("/changed/accept")
@needs(Role.OFFICE)
def accept_changes() -> ResponseReturnValue:
    """The documents follow their orders; registered ones are an accountant's."""
    ids, versions = _meant()
    if request.form.get("all") and asked.has_changed(versions.items()):
        return redirect(_back(), 303)
    if not ids:
        flash(_("Nothing of it is to be answered any more."), "journal")
        return redirect(_back(), 303)
    try:
        done = accept.accept(
            db.session(), ids, versions=versions, may_credit=current_user.may(Role.ACCOUNTANT), now=now_utc(),
            actor=current_user.email, patience=SHORT_PATIENCE,
        )  # fmt: skip
    except MonetError as error:
        flash(told(error), "failed")
    else:
        flash(change_words.told(done, ignored=False), "journal" if any(one.refused for one in done) else "registered")
    return redirect(_back(), 303)


@journals.post("/changed/ignore")
@needs(Role.OFFICE)
def ignore_changes() -> ResponseReturnValue:
    """The documents stay as they are, for a reason."""
    ids, versions = _meant()
    reason = request.form.get("reason", "")
    if not ids:
        flash(_("Nothing of it is to be answered any more."), "journal")
        return redirect(_back(), 303)
    try:
        done = ignore.ignore(
            db.session(), ids, reason=reason, versions=versions, may_credit=current_user.may(Role.ACCOUNTANT),
            now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE,
        )  # fmt: skip
    except BrokenRule as error:
        mistakes.remember(f"ignore {request.form.get('about', '')}", "reason", reason, told(error))
    except MonetError as error:
        flash(told(error), "failed")
    else:
        flash(change_words.told(done, ignored=True), "journal" if any(one.refused for one in done) else "registered")
    return redirect(_back(), 303)


def _meant() -> tuple[list[int], dict[int, str]]:
    """(documents, the version of each that is answered): one, or all of a kind."""
    kind = _kind(request.form.get("all", ""))
    if kind is not None:
        session = db.session()
        with reading(session):
            versions = service.versions(session, kind, limit=MOST)
        return list(versions), versions
    ids = [each for text in request.form.getlist("invoice")[:MOST] if (each := number(text)) is not None]
    return ids, {each: request.form.get(f"version-{each}", "") for each in ids}


def _kind(text: str) -> Answer | None:
    return Answer(text) if text in list(Answer) else None


def _back() -> str:
    """To the list as it was narrowed; one document alone leads back to all."""
    kind = _kind(request.form.get("kind", ""))
    return url_for("journals.changed", kind=kind.value if kind else None)
