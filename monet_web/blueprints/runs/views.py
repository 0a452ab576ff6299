"""The list of runs, a launch followed live, one run with where its orders went, and the part of it that is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from monet_web.blueprints import sentences
from monet_web.blueprints.access import asked_often, signed_in
from monet_web.blueprints.runs import month_words, order_words, signs, words
from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.board import WITHOUT_SECRETS, board, some
from monet_web.blueprints.runs.shown import names, shown
from monet_web.blueprints.runs.texts import (
    all_sums,
    document_link,
    duration,
    journal_link,
    link,
    ngettext,
    sums,
)
from monet_web.models import Integration, Run, db
from monet_web.models.base import now_utc, reading
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from monet_web.services.documents import causes
from monet_web.services.running import foreseen_account, order_search, run_account, undo

PAGE = 50
MOST_LIVE = 40  # runs of one page that are followed
_MOST_CAUSES = 12
_LOG_LINES = 60

_KINDS: dict[str, tuple[RunKind, ...]] = {
    "imports": (RunKind.LAUNCH, RunKind.TIMETABLE, RunKind.FILE),
    "previews": (RunKind.PREVIEW,),
    "checks": (RunKind.RECHECK,),
    "rereads": (RunKind.REREAD,),
    "all": tuple(RunKind),
}
_USUAL = (RunKind.LAUNCH, RunKind.TIMETABLE, RunKind.FILE, RunKind.PREVIEW)
_OUTCOMES: dict[str, tuple[str, ...] | None] = {
    "needs": ("conflict", "unreadable"),
    "journal": ("in_journal",),
    "skipped": ("filtered", "already_there"),
    "registered": ("registered",),
    "all": None,
}


@runs.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Every run, the newest first; `?launch=12,13` follows the runs of one launch, `?order=1234` looks for an order."""
    session = db.session()
    with reading(session):
        launched = ids_of(request.args.get("launch", ""))
        if launched:
            return _launch(session, launched)
        return _list(session)


@runs.get("/<int:run_id>")
@signed_in
def show(run_id: int) -> ResponseReturnValue:
    """One run: what it is doing, where its orders went, which of them need a person, and why."""
    session = db.session()
    with reading(session):
        run = one(session, run_id)
        outcome = request.args.get("outcome", "")
        if outcome not in _OUTCOMES:
            outcome = "needs" if run.conflict or run.unreadable else "journal" if run.in_journal else "all"
        after = request.args.get("after", 0, type=int)
        orders, next_after = run_account.orders(session, run_id, _OUTCOMES[outcome], after=after)
        typed = request.args.get("order", "").strip()
        found = order_search.find(session, typed) if typed else []
        is_preview = run.kind is RunKind.PREVIEW
        waits = foreseen_account.causes(run) if is_preview else causes.causes(session, opened_by_run=run_id)
        return render_template(
            "runs/show.html",
            one=shown(session, [run], now=now_utc(), lines=_LOG_LINES)[0],
            people=names(session, [run]),
            slots=run_account.slots(session, [run_id]),
            month_check=month_words.of(run),
            outcome=outcome,
            orders=orders,
            first_url=url_for("runs.show", run_id=run_id, outcome=outcome, _anchor="orders") if after else None,
            next_url=next_after
            and url_for("runs.show", run_id=run_id, outcome=outcome, after=next_after, _anchor="orders"),
            typed=typed,
            found=found,
            in_this=run_account.in_run(session, run_id, [each.order.store_order_id for each in found]),
            causes=waits[:_MOST_CAUSES],
            more_causes=max(0, len(waits) - _MOST_CAUSES),
            journals=run_account.journals(session, run_id),
            not_grouped=foreseen_account.not_grouped(run) if is_preview else {},
            vat=run_account.vat(session, run_id),
            foreseen_vat=foreseen_account.vat([run]) if is_preview else [],
            undone=undo.history(session, run_id) if run.ended_at else (),
            may_undo=current_user.may(Role.ACCOUNTANT) and undo.brings(run),
            **_tools(),
        )


@runs.get("/<int:run_id>/now")
@asked_often
@signed_in
def now(run_id: int) -> ResponseReturnValue:
    """The live part of one run. 204, and nothing is painted, when the asking page shows something newer already."""
    board().count_ask()
    found = board().paintings([run_id], whole=request.args.get("whole", "") == "1")
    if not found:
        abort(404)
    (painting,) = found
    if painting.version < request.args.get("version", 0, type=int):
        return Response(status=204)
    is_known = request.if_none_match.contains(painting.tag)
    answer = Response(status=304) if is_known else Response(painting.html, mimetype="text/html")
    answer.set_etag(painting.tag)
    answer.headers["X-Progress-Version"] = str(painting.version)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def one(session: Session, run_id: int) -> Run:
    """The run, or 404. Inside a transaction."""
    found = some(session, [run_id])
    if not found:
        abort(404)
    return found[0]


def ids_of(text: str) -> list[int]:
    """`12,13` as ids, each once, in order; what is no id is left out."""
    ids = {int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) < 16}
    return sorted(ids)[:MOST_LIVE]


def _launch(session: Session, run_ids: Sequence[int]) -> ResponseReturnValue:
    found = some(session, run_ids)
    if not found:
        abort(404)
    return render_template(
        "runs/launch.html",
        live=shown(session, found, now=now_utc()),
        launched=",".join(str(run.id) for run in found),
        people=names(session, found),
        still=signs.why_idle() if any(run.ended_at is None and not run.foreground for run in found) else "",
        **_tools(),
    )


def _list(session: Session) -> ResponseReturnValue:
    after = request.args.get("after", 0, type=int)
    kind = request.args.get("kind", "")
    integration_id = request.args.get("integration", 0, type=int)
    only_needing = request.args.get("needs", "") == "1"
    typed = request.args.get("order", "").strip()
    asked: list[ColumnElement[bool]] = [Run.kind.in_(_KINDS.get(kind, _USUAL))]
    if integration_id:
        asked.append(Run.integration_id == integration_id)
    if only_needing:
        asked.append(or_(Run.state == RunState.FAILED, Run.conflict > 0, Run.unreadable > 0))
    query = select(Run).options(*WITHOUT_SECRETS).execution_options(populate_existing=True)
    ended = query.where(*asked, Run.ended_at.is_not(None)).order_by(Run.id.desc()).limit(PAGE + 1)
    rows = list(session.scalars(ended.where(Run.id < after) if after else ended))
    at_work: list[Run] = []
    if not after:
        unended = query.where(*asked, Run.ended_at.is_(None)).order_by(Run.id).limit(MOST_LIVE)
        at_work = list(session.scalars(unended))
    chosen: dict[str, Any] = {
        "kind": kind or None,
        "integration": integration_id or None,
        "needs": "1" if only_needing else None,
    }
    return render_template(
        "runs/page.html",
        rows=shown(session, rows[:PAGE], now=now_utc(), lines=0),
        live=shown(session, at_work, now=now_utc()),
        integrations=session.execute(select(Integration.id, Integration.name).order_by(Integration.name_key)).all(),
        people=names(session, [*rows, *at_work]),
        slots=run_account.slots(session, [run.id for run in rows[:PAGE]]),
        still=signs.why_still(),
        typed=typed,
        found=order_search.find(session, typed) if typed else [],
        in_this={},
        chosen=chosen,
        first_url=url_for("runs.page", **chosen) if after else None,
        next_url=url_for("runs.page", **chosen, after=rows[PAGE - 1].id) if len(rows) > PAGE else None,
        **_tools(),
    )


def _tools() -> dict[str, object]:
    """What the templates of runs speak with."""
    return {
        "words": words,
        "order_words": order_words,
        "sums_of": sums,
        "all_sums": all_sums,
        "duration": duration,
        "link": link,
        "ngettext": ngettext,
        "document_link": document_link,
        "journal_link": journal_link,
        "describe": sentences.said,
        "may_change": current_user.may(Role.OFFICE),
    }
