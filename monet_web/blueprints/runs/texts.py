"""Flask-Babel's functions with their types, and small parts of sentences: durations, sums, who, links that may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import flask_babel
from flask import current_app, url_for
from werkzeug.routing import BuildError

from monet_web.blueprints.formats import money, number
from monet_web.models import Journal
from monet_web.models.invoices import InvoiceState
from monet_web.services.running.run_account import Document


def _(text: str, **values: Any) -> str:
    """The text in the person's language."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, count: int, **values: Any) -> str:
    """The text for a count, which it writes as `%(num)s` in the person's form."""
    # Flask-Babel's own would write the count as a machine does: 1204.
    text = flask_babel.get_domain().get_translations().ngettext(one, many, count)
    return str(text % {"num": number(count), **values})


def language() -> str:
    """en or lt, as the sentences of the domain ask for it."""
    return str(flask_babel.get_locale())


def duration(seconds: int) -> str:
    """`48 s`, `3 min`, `1 h 20 min`."""
    if seconds < 100:
        return _("%(count)s s", count=max(1, seconds))
    minutes = round(seconds / 60)
    if minutes < 100:
        return _("%(count)s min", count=minutes)
    return _("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)


def joined(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; empty ones are left out."""
    said = [part for part in parts if part]
    if len(said) < 2:
        return "".join(said)
    return _("%(first)s and %(last)s", first=", ".join(said[:-1]), last=said[-1])


def sums(totals: Mapping[str, Mapping[str, str]], which: str) -> list[str]:
    """`1,204.50 EUR` for each currency of a run's totals that has any; `which`: registered or in_journal."""
    amounts = {currency: Decimal(of.get(which, "0")) for currency, of in sorted(totals.items())}
    return [money(amount, currency) for currency, amount in amounts.items() if amount]


def all_sums(totals: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What both have together, for each currency."""
    both = {currency: sum((Decimal(amount) for amount in of.values()), Decimal(0)) for currency, of in totals.items()}
    return [money(amount, currency) for currency, amount in sorted(both.items())]


def capitalised(sentence: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    sentence = sentence.strip()
    if not sentence:
        return ""
    end = "" if sentence[-1] in ".!?…" else "."
    return f"{sentence[0].upper()}{sentence[1:]}{end}"


def link(endpoint: str, **values: Any) -> str:
    """The address of a page, "" where this version has no such page."""
    if endpoint not in current_app.view_functions:
        return ""
    try:
        return url_for(endpoint, **values)
    except BuildError:  # it is asked for by other values
        return ""


def document_link(document: Document | None) -> str:
    """The page of an order's invoice: in Sales invoices when it is registered, else in its journal."""
    if document is None:
        return ""
    if document.state is InvoiceState.REGISTERED:
        return link("invoices.show", invoice_id=document.id)
    return link("journals.show", invoice_id=document.id)


def journal_link(journal: Journal) -> str:
    """The page of a journal."""
    return link("journals.journal", journal_id=journal.id)
