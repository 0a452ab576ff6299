"""What a run is doing or came to, in words: the list's marks, a preview's sentences."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from monet_web.blueprints import sentences
from monet_web.blueprints.formats import moment, money, number
from monet_web.blueprints.integrations.translating import _, _l, ngettext
from monet_web.blueprints.navigation import language
from monet_web.blueprints.runs.texts import duration
from monet_web.domain.findings_general import GENERAL, in_general
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.opening.timetable import BY_ITSELF
from monet_web.services.running import foreseen_account
from monet_web.services.running.progress import seconds_of

REASONS: Mapping[str, Any] = {
    "test_order": _l("test orders"),
    "nothing_to_invoice": _l("nothing to invoice"),
    "before_start": _l("placed before the first day"),
    "cancelled": _l("cancelled in the store"),
    "refunded_before_import": _l("refunded in full before they were invoiced"),
    "not_paid": _l("not paid yet"),
    "status": _l("a status that makes no invoice"),
    "payment_method": _l("a way of paying that is skipped"),
    "left_out": _l("left out by hand"),
    "credited": _l("credited, so that importing them anew needs your yes"),
    "gone": _l("deleted in the store"),
}


def mark_of(run: Run) -> tuple[str, str]:
    """The kind of a run's mark and what it says."""
    match run.state:
        case RunState.QUEUED:
            return "queued", _("Waits for its turn")
        case RunState.RUNNING if run.kind is RunKind.PREVIEW:
            return "running", _("Previewing now")
        case RunState.RUNNING if run.kind is RunKind.RECHECK:
            return "running", _("Checking again now")
        case RunState.RUNNING if run.kind is RunKind.REREAD:
            return "running", _("Reading documents again now")
        case RunState.RUNNING:
            return "running", _("Running now")
        case RunState.STOPPING:
            return "running", _("Stopping")
        case RunState.FAILED:
            return "failed", _("Failed")
        case RunState.STOPPED:
            return "off", _("Stopped: %(what)s", what=_came_to(run))
        case RunState.DONE:
            return _kind_of(run), _came_to(run)


def progress(run: Run) -> str:
    """`268 of 412 orders`."""
    if run.started_at is None and run.kind in BY_ITSELF:
        return _("due since %(moment)s", moment=moment(run.created_at))
    if run.started_at is None:
        return _("launched %(moment)s", moment=moment(run.created_at))
    if run.expected:
        return _("%(done)s of %(all)s orders", done=number(run.fetched), all=number(run.expected))
    if run.fetched:
        return ngettext("%(num)s order so far", "%(num)s orders so far", run.fetched)
    return _("connecting to the store")


def took(run: Run) -> str:
    """`took 19 s`; "" when it never began or has not ended."""
    if run.started_at is None or run.ended_at is None:
        return ""
    return _("took %(time)s", time=duration(seconds_of(run, run.ended_at)))


def preview_words(run: Run) -> str:
    """What a preview that has ended says, in sentences with sums."""
    if not run.fetched:
        return _("The store has no orders of these days. Nothing was written.")
    parts = [ngettext("%(num)s order.", "%(num)s orders.", run.fetched)]
    if run.registered:
        parts.append(
            ngettext(
                "%(num)s invoice would be entered, %(sum)s.", "%(num)s invoices would be entered, %(sum)s.",
                run.registered, sum=sums(run, "registered"),
            )
        )  # fmt: skip
    if run.in_journal:
        parts.append(
            ngettext(
                "%(num)s would wait in a journal, %(sum)s.", "%(num)s would wait in a journal, %(sum)s.",
                run.in_journal, sum=sums(run, "in_journal"),
            )
        )  # fmt: skip
    for count, one, many in (
        (run.already_there, _("%(num)s is already here."), _("%(num)s are already here.")),
        (run.filtered, _("%(num)s would be left out."), _("%(num)s would be left out.")),
        (run.conflict, _("%(num)s has a number that is taken."), _("%(num)s have a number that is taken.")),
        (run.unreadable, _("%(num)s can’t be read."), _("%(num)s can’t be read.")),
    ):
        if count:
            parts.append((one if count == 1 else many).replace("%(num)s", number(count)))
    return " ".join([*parts, _("Nothing was written.")])


def sums(run: Run, which: str) -> str:
    """`1,204.50 EUR and 3.00 USD` of a run's registered or journaled invoices."""
    return joined_sums({currency: Decimal(each.get(which, "0")) for currency, each in run.totals.items()})


def joined_sums(by_currency: Mapping[str, Decimal]) -> str:
    """`1,204.50 EUR and 3.00 USD`; currencies that sum to nothing are left out."""
    texts = [money(total, currency) for currency, total in sorted(by_currency.items()) if total]
    return (_(" and ")).join(texts) or money(Decimal(0), "EUR")


def causes(run: Run) -> list[tuple[int, str]]:
    """Why invoices would wait: how many and in words, by the groups of the journals, the largest first."""
    grouped = [
        (one.invoices, f"{sentences.said(one.finding).cause}, {joined_sums(one.sums)}")
        for one in foreseen_account.causes(run)
    ]
    phrases = {code: in_general(code, language()).phrase for code in GENERAL}
    return grouped + _counted(foreseen_account.not_grouped(run), phrases)


def left_out(run: Run) -> list[tuple[int, str]]:
    """Why orders would be left out: how many and in words, the largest first."""
    return _counted(run.filter_reasons, REASONS)


def _counted(counts: Mapping[str, int], words: Mapping[str, Any]) -> list[tuple[int, str]]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(count, str(words.get(code, code.replace("_", " ")))) for code, count in ordered if count]


def _kind_of(run: Run) -> str:
    if run.conflict or run.unreadable:
        return "failed"
    if run.in_journal:
        return "journal"
    return "registered" if run.registered or not run.filtered else "skipped"


def _came_to(run: Run) -> str:
    parts = [
        _("%(num)s registered", num=number(run.registered)) if run.registered else "",
        _("%(num)s in journal", num=number(run.in_journal)) if run.in_journal else "",
        ngettext("%(num)s conflict", "%(num)s conflicts", run.conflict) if run.conflict else "",
        _("%(num)s unreadable", num=number(run.unreadable)) if run.unreadable else "",
    ]
    said = [part for part in parts if part]
    if not said and run.already_there:
        said = [_("nothing new, %(num)s already there", num=number(run.already_there))]
    elif not said and run.filtered:
        said = [_("%(num)s left out", num=number(run.filtered))]
    return ", ".join(said) or _("no orders")
