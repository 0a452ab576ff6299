"""Sentences that pages of documents share: sums, months, counts, findings, who did what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from monet_web.blueprints import field_words
from monet_web.blueprints.formats import money
from monet_web.blueprints.said import phrases, shown
from monet_web.domain.findings import CODES, Finding, Text, describe
from monet_web.models import AuditEntry, Invoice, InvoiceFinding, Question
from monet_web.services.documents.waiting import Sum

# Their value `what` is phrases of domain/changes.py.
_CHANGES = frozenset({"changed_in_store", "change_ignored"})


def joined(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    texts = list(parts)
    if len(texts) < 2:
        return "".join(texts)
    return str(_("%(first)s and %(last)s", first=", ".join(texts[:-1]), last=texts[-1]))


def sums(by_currency: Mapping[str, Decimal]) -> str:
    """`1,033.68 EUR and 318.00 USD`."""
    return joined(money(amount, currency) for currency, amount in sorted(by_currency.items()))


def month(first: date) -> str:
    """`November 2026`."""
    if str(get_locale()) == "lt":
        return first.strftime("%Y-%m")
    return format_date(first, "LLLL y", locale="en")


def months(firsts: Iterable[date]) -> str:
    """`October and November 2026`: each said whole."""
    return joined(month(each) for each in firsts)


def invoices(count: int) -> str:
    """`1 invoice`, `12 invoices`."""
    return str(ngettext("%(num)s invoice", "%(num)s invoices", count))


def how_much(of: Sum) -> str:
    """`3 invoices for 120.10 EUR, dated November 2026`: what a question before a document names (H6)."""
    if not of.sums:
        return invoices(of.count)
    values = {"many": invoices(of.count), "sums": sums(of.sums), "months": months(of.months)}
    return str(_("%(many)s for %(sums)s, dated %(months)s", **values))


def has_other_order(invoice: Invoice) -> bool:
    """True when the invoice's number does not tell its order's: then both are shown."""
    return bool(invoice.number and invoice.order_number) and not str(invoice.number).endswith(invoice.order_number)


def finding(found: InvoiceFinding) -> Text:
    """What is wrong, why it matters, what to do, the cause; in the person's language."""
    return said(Finding(found.code, found.subject, found.values, found.stops))


def said(found: Finding) -> Text:
    """The same of a finding that is no row."""
    values = {
        key: phrases(str(value)) if key == "what" and found.code in _CHANGES else shown(str(value))
        for key, value in found.values.items()
    }
    return describe(replace(found, values=values, subject=shown(found.subject)), str(get_locale()))


def asked_about(question: Question) -> str:
    """The cause that a question was about, as it was said then."""
    if question.code not in CODES:
        return question.code
    return said(Finding(question.code, question.subject, question.said)).cause


def payment(kind: str | None) -> str:
    """How an amount is paid, "" when nobody knows."""
    return {
        "prepaid": str(_("prepaid")),
        "cash_on_delivery": str(_("cash on delivery")),
        "cash_with_receipt": str(_("cash with receipt")),
        "gift_card": str(_("gift card")),
    }.get(kind or "", "")


def treatment(name: str) -> str:
    """What the treatment of a sale for VAT is called."""
    return {
        "domestic": str(_("Sale at home")),
        "eu_home": str(_("Sale to an EU consumer, our VAT")),
        "oss": str(_("Sale under OSS")),
        "eu_company": str(_("Sale to an EU VAT payer")),
        "export": str(_("Export")),
        "not_payer": str(_("Sale without VAT: no VAT payer")),
        "outside_vat": str(_("Deposit or voucher")),
    }.get(name, name)


def registered(done: int, asked: int, waiting: list[tuple[str, int]]) -> str:
    """`3 of 4 registered. KL-7702 waits for one more cause.`; `waiting`: (number, causes) of those that still wait."""
    text = str(_("%(done)s of %(asked)s registered.", done=done, asked=asked))
    if not waiting:
        return text
    number, causes = waiting[0]
    if len(waiting) > 1:
        more = ngettext("and %(num)s more wait.", "and %(num)s more wait.", len(waiting) - 1)
        return f"{text} {number} {more}"
    if causes == 1:
        return text + " " + str(_("%(number)s waits for one more cause.", number=number))
    return text + " " + str(_("%(number)s waits for %(causes)s causes.", number=number, causes=causes))


def checked(done: int, now_registered: int, still: int) -> str:
    """`4 checked again: 3 registered, 1 still waits.` or `4 checked again, all registered.`"""
    if not done:
        return str(_("Nothing waits for this any more."))
    if not still:
        return str(ngettext("%(num)s checked again and registered.", "%(num)s checked again, all registered.", done))
    values = {
        "done": done, "registered": now_registered,
        "still": ngettext("%(num)s still waits", "%(num)s still wait", still),
    }  # fmt: skip
    return str(_("%(done)s checked again: %(registered)s registered, %(still)s.", **values))


def who(actor: str, people: Mapping[str, str]) -> str:
    """A person's name, `Run 12`, `Command line`."""
    if actor in people:
        return people[actor]
    return actor[:1].upper() + actor[1:]


def happened(entry: AuditEntry) -> str:
    """What an entry of the trail says was done, without who and when."""
    after: dict[str, Any] = entry.after or {}
    before: dict[str, Any] = entry.before or {}
    match entry.action:
        case "registered" if after.get("without_stock"):
            values = {"number": after.get("number") or "–", "reason": after["without_stock"]}
            return str(_("registered it as %(number)s without moving stock: %(reason)s.", **values))
        case "registered" if after.get("instead_of"):
            values = {"number": after.get("number") or "–", "former": after["instead_of"]}
            return str(_("registered it as %(number)s to another buyer, instead of %(former)s.", **values))
        case "registered":
            return str(_("registered it as %(number)s.", number=after.get("number") or "–"))
        case "brought_back":
            reason = before.get("left_out_reason") or "–"
            return str(_("let the order come back; it had been left out: %(reason)s.", reason=reason))
        case "number_given":
            return str(_("gave it the number %(number)s.", number=after.get("number") or "–"))
        case "difference_accepted":
            return str(_("accepted the difference to the store as rounding."))
        case "vat_rate_chosen":
            return str(_("chose the VAT rate %(rate)s %%.", rate=after.get("to") or "–"))
        case "warehouse_chosen":
            return str(_("took its goods from the warehouse %(code)s.", code=after.get("warehouse") or "–"))
        case "buyer_corrected":
            return str(_("corrected the buyer's VAT code to %(code)s.", code=after.get("vat_code") or "–"))
        case "corrected":
            return str(_("corrected it: %(what)s.", what=_from_to(before, after)))
        case "correction_undone":
            return str(_("took the store's original again: %(what)s.", what=_from_to(before, after)))
        case "stock_settled":
            return str(_("moved its stock: %(what)s.", what=", ".join(after.get("moved") or ["–"])))
        case "deleted":
            return str(_("deleted it from the journal."))
        case "credited":
            values = {"number": after.get("number") or "–", "reason": after.get("reason") or "–"}
            return str(_("credited it in full by %(number)s: %(reason)s.", **values))
        case "change_accepted":
            return str(_("accepted the change in the store: %(what)s.", what=phrases(after.get("what") or "–")))
        case "change_ignored":
            values = {"what": phrases(after.get("what") or "–"), "reason": after.get("reason") or "–"}
            return str(_("ignored the change in the store (%(what)s): %(reason)s", **values))
        case "refund_decided":
            return str(_("said which lines were given back and what became of the goods."))
        case "import_anew":
            return str(_("said yes to importing the credited order anew."))
        case _:
            return str(_("changed it: %(what)s.", what=entry.action.replace("_", " ")))


def _from_to(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """`Quantity on line 1 1 → 2, Number – → KL-7`: each field with both values."""
    parts = [f"{field_words.named(key)} {before.get(key) or '–'} → {value or '–'}" for key, value in after.items()]
    return ", ".join(parts) or "–"
