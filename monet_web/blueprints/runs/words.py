"""A run in words: its mark, what it is doing, its log, where its orders went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monet_web.blueprints.formats import moment, number, period
from monet_web.blueprints.runs import order_words
from monet_web.blueprints.runs.texts import _, capitalised, duration, joined, ngettext, sums
from monet_web.blueprints.said import told
from monet_web.models.base import now_utc
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.opening.timetable import BY_ITSELF
from monet_web.services.running.progress import Line, Progress, Stage
from monet_web.services.running.run_account import Slots


def mark(run: Run, at: Progress) -> tuple[str, str]:
    """The kind of a run's mark and its word."""
    match at.stage:
        case Stage.QUEUED:
            return "queued", _("Queued")
        case Stage.WAITING:
            return "queued", _("Waits for its turn")
        case Stage.TAKEN_BACK:
            return "queued", _("Queued again")
        case Stage.CONNECTING:
            return "running", _("Connecting")
        case Stage.BOOKING:
            return "running", _("Previewing") if at.is_preview else _("Booking")
        case Stage.QUIET:
            return "failed", _("No sign of life")
        case Stage.STOPPING:
            return "running", _("Stopping")
        case Stage.FAILED:
            return "failed", _("Failed")
        case Stage.STOPPED:
            return "off", _("Stopped")
        case Stage.DONE if run.in_journal:
            return "journal", _("Done, %(count)s in journal", count=number(run.in_journal))
        case _:
            return "registered", _("Done")


def needs_you(at: Progress) -> str:
    """`2 orders could not be entered`, "" when all could."""
    if not at.needs_person:
        return ""
    return ngettext("%(num)s order could not be entered", "%(num)s orders could not be entered", at.needs_person)


def sentence(run: Run, at: Progress) -> str:
    """What it is doing or came to, with the actual values."""
    match at.stage:
        case Stage.QUEUED if run.kind in BY_ITSELF and run.integration.refused_since is not None:
            return _("waits for a new key: the store does not let us in")
        case Stage.QUEUED if run.retry_at is not None and run.retry_at > now_utc():
            return _("tries again %(moment)s; the attempt before failed", moment=moment(run.retry_at))
        case Stage.QUEUED:
            return _("begins as soon as a worker is free")
        case Stage.WAITING:
            return _("waits for run %(run)s of the same integration, which is at work", run=at.waits_for)
        case Stage.TAKEN_BACK:
            return _("The program that ran this ended; it is queued again. What was booked stays.")
        case Stage.CONNECTING:
            return _("the store was asked %(time)s ago", time=duration(at.seconds or 0))
        case Stage.BOOKING:
            return far(at)
        case Stage.QUIET if at.program_ended:
            return _("The program that ran this has ended; it is queued again by itself. What was booked stays.")
        case Stage.QUIET:
            text = _("Nothing heard for %(time)s of the program that runs this.", time=duration(at.seconds_quiet))
            return text + " " + _("After two minutes it is queued again by itself.")
        case Stage.STOPPING:
            return _("stops after the page of orders in hand; what was done stays")
        case Stage.FAILED:
            return told(f"{run.error} {run.fix}".strip())
        case Stage.STOPPED:
            return told(run.error) or _("stopped after %(far)s; what was done stays", far=far(at))
        case _:
            return _came_to(run, at)


def far(at: Progress) -> str:
    """`268 of 412 orders`, `268 orders` when the store does not say how many there are."""
    if at.whole > at.fetched:
        return _("%(done)s of %(all)s orders", done=number(at.fetched), all=number(at.whole))
    return ngettext("%(num)s order", "%(num)s orders", at.fetched)


def left(at: Progress) -> str:
    """`about 16 s left`, "" when nobody can tell."""
    return "" if at.seconds_left is None else _("about %(time)s left", time=duration(at.seconds_left))


def said(run: Run, at: Progress) -> str:
    """What a screen reader is told: it changes at the start, at each tenth of the way and at the end only."""
    name = run.integration.name
    if at.stage is Stage.BOOKING and at.tenths:
        return _("%(name)s: %(percent)s per cent done", name=name, percent=at.tenths * 10)
    if at.stage in (Stage.CONNECTING, Stage.BOOKING):
        return _("%(name)s: at work", name=name)
    word = mark(run, at)[1]
    parts = [f"{name}: {word}", sentence(run, at) if at.stage.is_over else "", needs_you(at)]
    return " ".join(capitalised(part) for part in parts if part)


def counts(values: Mapping[str, Any]) -> str:
    """`91 registered, 4 in journal, 5 already there`: of outcomes by their names."""
    told = [name for name in order_words.KINDS if values.get(name)]
    return ", ".join(f"{number(int(values[name]))} {order_words.outcome(name).lower()}" for name in told)


def by(run: Run, people: Mapping[str, str]) -> str:
    """`by Rūta K.`, `by the timetable`, `from the command line`."""
    who = run.requested_by
    if run.kind in BY_ITSELF or not who:
        return _("by the timetable")
    if who == "command line":
        return _("from the command line")
    return _("by %(who)s", who=people.get(who) or who)


def slots(of: Slots | None) -> str:
    """`slot 03:24`, `12 slots, today 07:00 to 07:55`; "" for a run that covers none."""
    if of is None:
        return ""
    if of.count == 1:
        return _("slot %(moment)s", moment=moment(of.first))
    return _(
        "%(num)s slots, %(first)s to %(last)s", num=number(of.count), first=moment(of.first), last=moment(of.last)
    )  # fmt: skip


def kind(run: Run) -> str:
    """What a run is, where it is no plain import."""
    return {
        RunKind.PREVIEW: _("Preview"),
        RunKind.RECHECK: _("Checked again"),
        RunKind.UNDO: _("Undo"),
        RunKind.TEST: _("Test"),
        RunKind.REREAD: _("Documents read again"),
        RunKind.FILE: _("From a file"),
    }.get(run.kind, "")


def line(one: Line, run: Run, people: Mapping[str, str]) -> str:
    """A line of a log as a sentence."""
    values = one.values
    match one.says:
        case "launched" if run.kind in BY_ITSELF:
            return _("Queued by the timetable for %(days)s.", days=period(run.window_start, run.window_end))
        case "launched" if run.file_name:
            return capitalised(_("Launched %(by)s for the file %(file)s", by=by(run, people), file=run.file_name))
        case "launched":
            days = period(run.window_start, run.window_end)
            return capitalised(_("Launched %(by)s for %(days)s", by=by(run, people), days=days))
        case "taken" if int(values.get("attempt", 1)) > 1:
            return _("Taken up again. What was booked before is skipped.")
        case "taken" if run.file_name:
            return _("Taken up; the file is read.")
        case "taken":
            return _("Taken up; the store is asked.")
        case "expected":
            return ngettext("The store says %(num)s order.", "The store says %(num)s orders.", int(values["orders"]))
        case "page":
            what = counts(values) or _("nothing new")
            return _("Page %(page)s booked: %(what)s.", page=number(int(values["page"])), what=what)
        case "order":
            return order_words.log_line(values)
        case "stop_asked":
            return _("Stop asked by %(who)s.", who=people.get(str(values.get("by"))) or values.get("by") or "–")
        case "ended":
            return _ended(run)
        case _:
            return capitalised(one.says.replace("_", " "))


def line_kind(one: Line) -> str:
    """The status whose colour a line takes, "" for the plain ones."""
    if one.says == "ended":
        return "failed" if one.values.get("state") == RunState.FAILED else ""
    kind_of_order = order_words.KINDS.get(str(one.values.get("outcome", "")), "")
    return kind_of_order if one.says == "order" and kind_of_order in ("journal", "failed") else ""


def filtered(run: Run) -> list[tuple[int, str]]:
    """Why orders were filtered out: how many and in words, the most first."""
    words = filter_words()
    ordered = sorted(run.filter_reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(count, words.get(reason, reason.replace("_", " "))) for reason, count in ordered if count]


def filter_words() -> dict[str, str]:
    """Reasons to leave an order out, in words."""
    return {
        "test_order": _("test orders"),
        "nothing_to_invoice": _("with nothing to invoice"),
        "before_start": _("placed before the first day (setting not_before)"),
        "cancelled": _("cancelled in the store"),
        "refunded_before_import": _("refunded in full before they were invoiced"),
        "not_paid": _("not paid yet"),
        "status": _("with a status that makes no invoice (setting statuses)"),
        "payment_method": _("paid in a way that is skipped (setting payment_methods)"),
        "left_out": _("left out by hand"),
    }


def beside(run: Run) -> str:
    """What happened beside the six outcomes."""
    return joined(
        [
            ngettext("%(num)s was refreshed", "%(num)s were refreshed", run.refreshed) if run.refreshed else "",
            ngettext("%(num)s changed in the store", "%(num)s changed in the store", run.changed)
            if run.changed
            else "",
            ngettext("%(num)s credit note was made", "%(num)s credit notes were made", run.credit_notes)
            if run.credit_notes
            else "",
        ]
    )


def _came_to(run: Run, at: Progress) -> str:
    if not at.fetched and run.kind is RunKind.REREAD:
        return _("no document of these days has an order to read again")
    if not at.fetched and run.file_name:
        return _("the file has no finished orders")
    if not at.fetched:
        return _("the store has no orders of these days")
    values = {"far": far(at), "time": duration(at.seconds or 0)}
    text = _("%(far)s in %(time)s", **values)
    amounts = sums(run.totals, "registered")
    if not amounts:
        waits = joined(sums(run.totals, "in_journal"))
        if not waits:
            return text
        if at.is_preview:
            return text + ", " + _("%(sum)s would wait in a journal", sum=waits)
        return text + ", " + _("%(sum)s went into a journal", sum=waits)
    if at.is_preview:
        return text + ", " + _("%(sum)s would be registered", sum=joined(amounts))
    return text + ", " + _("%(sum)s registered", sum=joined(amounts))


def _ended(run: Run) -> str:
    what = counts(run.outcomes())
    match run.state:
        case RunState.FAILED:
            return _("Failed. %(error)s", error=told(f"{run.error} {run.fix}".strip()))
        case RunState.STOPPED:
            return _("Stopped. %(what)s", what=capitalised(what))
        case _:
            return _("Done. %(what)s", what=capitalised(what or _("no orders")))
