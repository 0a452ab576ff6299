"""A change in the store in a person's words: what each row is called, how its values are written, what answers do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from monet_web.blueprints import sentences
from monet_web.blueprints.formats import NO_BREAK, day, money, number
from monet_web.blueprints.runs.texts import _, ngettext
from monet_web.domain.change_rows import Figures, Row, Value
from monet_web.services.documents.answers import Answered
from monet_web.services.documents.changed import Answer, Changed, Kind


def what(row: Row) -> str:
    """What a row is of: `Line`, `Total with VAT`, `Buyer`."""
    return {
        "cancelled": _("Status"),
        "currency": _("Currency"),
        "line": _("Line"),
        "charge": _("Shipping or fee"),
        "vat": _("VAT"),
        "total": _("Total with VAT"),
        "buyer": _("Buyer"),
        "company": _("Company"),
        "company_code": _("Company code"),
        "vat_code": _("VAT code"),
        "address": _("Address"),
        "ship_country": _("Delivered to"),
        "order_date": _("Order date"),
        "payment_date": _("Payment date"),
        "supply_date": _("Supply date"),
        "store_number": _("The store's own invoice"),
        "refunded": _("Given back"),
    }[row.what]


def value(said: Value, currency: str, *, is_after: bool) -> str:
    """One side of a row; of a line its quantity, name and amounts."""
    match said:
        case None:
            return _("not there any more") if is_after else _("was not there")
        case Figures():
            return _figures(said, currency)
        case Decimal():
            return money(said, currency)
        case date():
            return day(said)
        case str():
            return said or "–"
        case _:
            return str(said)


def _figures(said: Figures, currency: str) -> str:
    parts = [f"{number(said.quantity)} × {said.name}" if said.quantity is not None else said.name]
    parts.append(_("%(net)s without VAT", net=money(said.net, currency)))
    if said.discount:
        parts.append(_("discount %(sum)s", sum=money(said.discount, currency)))
    rates = " + ".join(f"{number(rate)}{NO_BREAK}%" if rate is not None else _("no rate") for rate in said.rates)
    parts.append(_("VAT %(sum)s (%(rates)s)", sum=money(said.vat, currency), rates=rates) if rates else _("no VAT"))
    return ", ".join(parts)


def title(answer: Answer) -> str:
    """What documents of one kind are called, as a filter of the list."""
    return {
        Answer.REFRESH: _("Waiting, corrected by hand"),
        Answer.LEAVE: _("Waiting, cancelled since"),
        Answer.REPLACE: _("Registered"),
        Answer.CREDIT: _("Registered, cancelled since"),
        Answer.NONE: _("Money given back"),
    }[answer]


def question(one: Changed) -> str:
    """What accepting this one does (H6): which document, for how much, in which month."""
    values = {
        "number": one.invoice.number or one.invoice.order_number,
        "sum": money(one.invoice.total, one.invoice.currency),
        "month": sentences.month(one.invoice.issue_date),
        "new": money(one.new_total, one.new_currency) if one.new_total is not None else "–",
    }
    match one.answer:
        case Answer.REFRESH:
            text = _("Draft %(number)s of %(month)s anew: %(new)s instead of %(sum)s?", **values)
            return text + " " + _("What was corrected by hand is lost.")
        case Answer.LEAVE:
            text = _("Delete %(number)s of %(month)s, %(sum)s, from the journal, since nothing was sold?", **values)
            return text + " " + _("What was corrected by hand is lost.")
        case Answer.REPLACE:
            return _(
                "Credit %(number)s of %(month)s, %(sum)s, in full and make a new invoice for %(new)s? Both are dated "
                "today; the supply date is kept, and the goods return before they leave anew.",
                **values,
            )
        case Answer.CREDIT:
            return _(
                "Credit %(number)s of %(month)s, %(sum)s, in full? The credit note is dated today, and the goods "
                "return to stock.",
                **values,
            )
        case Answer.NONE:
            return ""


def question_of_all(kind: Kind) -> str:
    """The same of every document of a kind."""
    much = sentences.how_much(kind.sum)
    match kind.answer:
        case Answer.REFRESH:
            return _("Draft %(what)s anew from what the store says now? What was corrected by hand is lost.", what=much)
        case Answer.LEAVE:
            return _("Delete %(what)s from the journals, since nothing was sold? Corrections are lost.", what=much)
        case Answer.REPLACE:
            return _(
                "Credit %(what)s in full and make new invoices of what the store says now? Credit notes and invoices "
                "are dated today.",
                what=much,
            )
        case Answer.CREDIT:
            return _("Credit %(what)s in full, dated today? The goods return to stock.", what=much)
        case Answer.NONE:
            return ""


def button(answer: Answer) -> str:
    """What is pressed after the question."""
    return {
        Answer.REFRESH: _("Draft anew"),
        Answer.LEAVE: _("Delete"),
        Answer.REPLACE: _("Credit and make anew"),
        Answer.CREDIT: _("Credit in full"),
        Answer.NONE: "",
    }[answer]


def became(one: Answered) -> str:
    """What accepting one did, in a sentence."""
    values = {"was": one.was, "note": one.credit_note or "–", "number": one.number or "–"}
    match one.answer:
        case Answer.REFRESH if one.registered:
            return _("%(was)s follows the order now and is registered.", **values)
        case Answer.REFRESH:
            return _("%(was)s follows the order now and waits.", **values)
        case Answer.LEAVE:
            return _("%(was)s left the journal.", **values)
        case Answer.REPLACE if one.registered:
            return _("%(was)s is credited by %(note)s; %(number)s is registered instead.", **values)
        case Answer.REPLACE:
            return _("%(was)s is credited by %(note)s; the new invoice waits in a journal.", **values)
        case _:
            return _("%(was)s is credited by %(note)s.", **values)


def told(done: list[Answered], *, ignored: bool) -> str:
    """What became of all: of one its own sentence, of many a count, and the first few that were refused with why."""
    refused = [one for one in done if one.refused]
    good = [one for one in done if not one.refused]
    texts = []
    if len(good) == 1:
        texts.append(_("The change of %(was)s is ignored.", was=good[0].was) if ignored else became(good[0]))
    elif good and ignored:
        texts.append(ngettext("%(num)s change is ignored.", "%(num)s changes are ignored.", len(good)))
    elif good:
        texts.append(ngettext("%(num)s change is accepted.", "%(num)s changes are accepted.", len(good)))
        waiting = sum(one.document_id is not None and not one.registered for one in good)
        if waiting:
            texts.append(ngettext("%(num)s new invoice waits.", "%(num)s new invoices wait in the journals.", waiting))
    texts += [f"{one.was}: {one.refused}" if one.was else one.refused for one in refused[:3]]
    if len(refused) > 3:
        texts.append(ngettext("%(num)s more was left.", "%(num)s more were left.", len(refused) - 3))
    return " ".join(texts)
