"""What became of one order, in a sentence: the same in the list of a run, in its log and in the answer to a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monet_web.blueprints import sentences
from monet_web.blueprints.runs.texts import _, capitalised, joined, language
from monet_web.blueprints.said import shown, told
from monet_web.domain.filters import REASONS, Filtered
from monet_web.domain.findings import CODES, Finding
from monet_web.domain.findings_general import GENERAL
from monet_web.domain.findings_general import in_general as general
from monet_web.domain.sentences import General
from monet_web.models.invoices import InvoiceState
from monet_web.services.running.order_search import Found
from monet_web.services.running.run_account import Document, OrderOfRun

# Outcome → the kind of its mark, in the order in which a run's account names them.
KINDS: Mapping[str, str] = {
    "registered": "registered",
    "in_journal": "journal",
    "filtered": "skipped",
    "already_there": "skipped",
    "conflict": "failed",
    "unreadable": "failed",
    "credited": "changed",
    "open": "queued",
}


def outcome(name: str) -> str:
    """An outcome as people say it."""
    return {
        "registered": _("Registered"),
        "in_journal": _("In journal"),
        "filtered": _("Filtered out"),
        "already_there": _("Already there"),
        "conflict": _("Conflict"),
        "unreadable": _("Unreadable"),
        "credited": _("Credited"),
        "open": _("Not booked yet"),
    }.get(name, name.replace("_", " "))


def mark(name: str) -> tuple[str, str]:
    """The kind of the mark of an outcome, and its word."""
    return KINDS.get(name, "off"), outcome(name)


def filtered(reason: str, details: Mapping[str, str]) -> str:
    """Why an order makes no invoice, with the setting or the fact behind it; no capital, no full stop."""
    if reason not in REASONS:
        return reason.replace("_", " ")
    try:
        return Filtered(reason, {key: shown(value) for key, value in details.items()}).text(language())
    except (KeyError, IndexError):  # a reason whose values an earlier version did not keep
        return reason.replace("_", " ")


def why(name: str, reason: str, details: Mapping[str, str], findings: Sequence[Finding] = ()) -> str:
    """The reason of an outcome, as part of a sentence: "" when the outcome says it all."""
    match name:
        case "in_journal":
            return " ".join(sentences.said(one).wrong for one in findings if one.code in CODES)
        case "filtered":
            return filtered(reason, details)
        case "conflict":
            number, by = details.get("number", "?"), told(details.get("by", "")) or _("another document")
            return _("number %(number)s belongs to %(by)s", number=number, by=by)
        case "unreadable":
            return told(details.get("text", "")) or _("the store’s data could not be understood")
        case _:
            return ""


def what_to_do(name: str, reason: str, findings: Sequence[Finding] = ()) -> str:
    """What mends it, "" when nothing needs mending."""
    match name:
        case "conflict":
            return _("Change the prefix of the integration and run again, or give this order another number.")
        case "unreadable" if reason == "internal_error":
            return _("The next run tries it again; if it repeats, send us the code.")
        case "unreadable":
            return _(
                "Open the order in the store and save it; the next run reads it again. "
                "If it stays so, show these words to whoever looks after the shop."
            )
        case "in_journal":
            return " ".join(sentences.said(one).fix for one in findings[:1] if one.code in CODES)
        case _:
            return ""


def became(order: OrderOfRun) -> str:
    """What one run made of an order, and what has become of that since."""
    match order.outcome:
        case "registered" if order.document is None:
            return _gone() if order.made else _("Would be registered.")
        case "registered":
            return _("Registered as %(number)s.", number=_number(order.document))
        case "in_journal" if order.document is None:
            return _gone() if order.made else _would_wait(order.codes)
        case "in_journal" if order.document is not None and order.document.state is InvoiceState.REGISTERED:
            return _("Waited in a journal; registered since as %(number)s.", number=_number(order.document))
        case "already_there":
            return _already_there(order)
        case _:
            return capitalised(why(order.outcome, order.reason, order.details, order.findings))


def stands(found: Found) -> str:
    """Where an order stands now, in sentences."""
    order = found.order
    match order.outcome:
        case "registered":
            return _("It is invoice %(number)s.", number=_number(order.document))
        case "in_journal":
            waits = _("Its invoice %(number)s waits in a journal.", number=_number(order.document))
            return f"{waits} {why('in_journal', '', {}, order.findings)}".strip()
        case "open":
            return _("The store gave it, and it was not booked yet: the next run that returns it books it.")
        case "credited":
            return _("Its invoice was credited; importing it anew needs your yes.")
        case "filtered" if found.left_out_reason:
            return _("It was left out by hand: %(reason)s.", reason=found.left_out_reason.rstrip("."))
        case "filtered":
            text = filtered(order.reason, order.details)
            return _("It makes no invoice: %(reason)s.", reason=text)
        case _:
            said = capitalised(why(order.outcome, order.reason, order.details))
            return f"{said} {what_to_do(order.outcome, order.reason)}".strip()


def log_line(values: Mapping[str, Any]) -> str:
    """`20418 in journal: SKU KN-01 on line 2 is not among the items.`"""
    findings = [
        Finding(str(one.get("code")), str(one.get("subject", "")), dict(one.get("values", {})))
        for one in values.get("findings", ())
    ]
    name = str(values.get("outcome", ""))
    said = why(name, str(values.get("reason", "")), dict(values.get("details", {})), findings)
    head = _("%(order)s %(outcome)s", order=values.get("number", "?"), outcome=outcome(name).lower())
    return capitalised(f"{head}: {said}" if said else head)


def in_general(code: str) -> General:
    """What a code means where its values are not known, as in a preview."""
    return general(code, language()) if code in GENERAL else General(code.replace("_", " "), "")


def _would_wait(codes: Sequence[str]) -> str:
    reasons = joined([in_general(code).phrase for code in codes])
    return _("Would wait in a journal: %(why)s.", why=reasons) if reasons else _("Would wait in a journal.")


def _already_there(order: OrderOfRun) -> str:
    number = _number(order.document) if order.document else order.details.get("number") or "–"
    changed = order.details.get("changed", "")
    if changed:
        return _(
            "Already there as %(number)s; the order was changed in the store: %(what)s.", number=number, what=changed
        )
    return _("Already there as %(number)s and still waiting; refreshed from the store.", number=number)


def _gone() -> str:
    return _("Its invoice waited in a journal and was deleted since.")


def _number(document: Document | None) -> str:
    return (document.number if document else None) or _("without a number yet")
