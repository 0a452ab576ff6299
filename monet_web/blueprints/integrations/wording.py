"""The words of these pages for settings and how often an integration runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from monet_web.blueprints.formats import NO_BREAK, day
from monet_web.blueprints.integrations.translating import _, _l, ngettext
from monet_web.domain import settings as settings_text
from monet_web.domain.settings import Settings

# value → (word, what it means)
FREQUENCIES: Mapping[str, tuple[Any, Any]] = {
    "off": (_l("By hand"), _l("only when launched")),
    "minutes": (_l("Minutes"), _l("07:00–18:55, every 5")),
    "hours": (_l("Hours"), _l("07:00–18:00, hourly")),
    "daily": (_l("Daily"), _l("once, 03:00–05:00")),
    "weekly": (_l("Weekly"), _l("Mondays, 03:00–05:00")),
    "months": (_l("Months"), _l("the 1st, 02:00–03:00")),
}
HOW_OFTEN: Mapping[str, Any] = {
    "off": _l("by hand"),
    "minutes": _l("every 5 minutes"),
    "hours": _l("every hour"),
    "daily": _l("daily"),
    "weekly": _l("weekly"),
    "months": _l("monthly"),
}

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "select_by": {
        "any": _l("created or changed in it"),
        "created": _l("created in it"),
        "paid": _l("paid in it"),
    },
    "issued_by": {
        "monet": _l("this program gives the invoice"),
        "store": _l("the store gives it already"),
    },
    "number_from": {
        "order": _l("prefix + order number"),
        "invoice": _l("the store’s invoice number"),
        "series": _l("a series of our own"),
    },
    "credit_number_from": {
        "invoice": _l("the invoice’s number and -K1"),
        "series": _l("a series of their own"),
    },
    "invoice_date": {
        "paid": _l("the day it was paid, else ordered"),
        "order": _l("the day it was ordered"),
        "import": _l("the day it is imported"),
    },
    "accounting_type": {
        "goods": _l("yes: lines name items and move stock"),
        "amounts": _l("no: lines name revenue accounts"),
    },
    "register_automatically": {
        "yes": _l("enter what passes the checks"),
        "no": _l("wait for me"),
    },
    "unknown_items": {
        "journal": _l("the invoice waits in a journal"),
        "create": _l("the item is made"),
        "common": _l("one common item is used"),
    },
    "private_buyers": {
        "common": _l("one common customer"),
        "each": _l("a customer for each e-mail"),
    },
    "refunds": {
        "off": _l("not read"),
        "journal": _l("credit notes wait in a journal"),
        "automatic": _l("those with lines are entered"),
    },
    "discounts": {
        "in_price": _l("within the price"),
        "lines": _l("on lines of their own"),
    },
    "vat_rate_check": {
        "stop": _l("the invoice waits in a journal"),
        "notice": _l("only said"),
        "off": _l("not checked"),
    },
}

TREATMENTS: Mapping[str, Any] = {
    "prepaid": _l("prepaid"),
    "cash on delivery": _l("cash on delivery"),
    "cash with receipt": _l("cash with receipt"),
    "gift card": _l("gift card"),
    "skip": _l("skip such orders"),
}

# Where the command line's explanation speaks of the words that are typed there.
HELP: Mapping[str, Any] = {
    "select_by": _l("Created or changed also catches orders paid or edited later."),
    "statuses": _l("Statuses that make an invoice, separated by commas; empty = what the store counts as a sale."),
    "issued_by": _l("If the store gives it, number and date are the store’s and our PDF says “copy”."),
    "accounting_type": _l("Goods that fail a check wait in Goods sales journals, amounts in Sales journals."),
    "register_automatically": _l("If it waits for you, everything lies in a journal until you enter it."),
    "unknown_items": _l("What happens when a product of the store is not among the items."),
    "refunds": _l("What becomes of refunds made in the store."),
    "payment_methods": _l("How each way of paying is booked; what is not named is prepaid."),
    "vat_rate_check": _l("What happens to a VAT rate that the country did not have on the supply date."),
    "invoice_date": _l("Which day the invoice is dated."),
    "discounts": _l("How a discount is shown on the invoice."),
    "number_prefix": _l("Put before the number, so that the numbers of two stores never meet; may be empty."),
    "credit_number_from": _l("A series of their own gives the number when a credit note is registered, without gaps."),
    "credit_number_prefix": _l(
        "What a series of credit notes begins with; the year and the number follow. Empty = the number prefix and a K."
    ),
    "rounding_limit": _l(
        "The largest difference to the store’s total that is only named; empty = 0.01 a line, 0.05 at most."
    ),
}  # fmt: skip


def days(first: date, last: date) -> str:
    """`12 Nov – 18 Nov`, both days included."""
    return day(first) if first == last else f"{day(first)}{NO_BREAK}– {day(last)}"


def frequency_sentence(settings: Settings, *, zone: str, next_run: str = "") -> str:
    """What the timetable will do, in words."""
    what = {
        "any": _("the orders created or changed"),
        "created": _("the orders created"),
        "paid": _("the orders paid"),
    }[settings.select_by]
    city = zone.rpartition("/")[2].replace("_", " ")
    begin = {
        "off": _("Nothing is imported by itself: it runs when somebody launches it, for the days they choose."),
        "minutes": _(
            "Every 5 minutes from 07:00 to 18:55, %(city)s time, it imports %(what)s since the start of the previous "
            "day.",
            city=city, what=what,
        ),
        "hours": _(
            "Every hour from 07:00 to 18:00, %(city)s time, it imports %(what)s since the start of the previous day.",
            city=city, what=what,
        ),
        "daily": ngettext(
            "Once a day between 03:00 and 05:00, %(city)s time, it imports %(what)s since the start of the previous "
            "day; on the 20th also all since the first day of the previous month.",
            "Once a day between 03:00 and 05:00, %(city)s time, it imports %(what)s since the start of the %(num)s "
            "previous days; on the 20th also all since the first day of the previous month.",
            settings.daily_days, city=city, what=what,
        ),
        "weekly": _(
            "On Mondays between 03:00 and 05:00, %(city)s time, it imports %(what)s in the previous week, Monday to "
            "Sunday.", city=city, what=what,
        ),
        "months": _(
            "On the 1st of the month between 02:00 and 03:00, %(city)s time, it imports %(what)s in the previous "
            "month.",
            city=city, what=what,
        ),
    }[settings.frequency]  # fmt: skip
    journals = _("Goods sales journals") if settings.accounting_type == "goods" else _("Sales journals")
    if settings.register_automatically:
        end = _("What passes the checks is entered at once; the rest waits in %(journals)s.", journals=journals)
    else:
        end = _("Everything waits in %(journals)s until you enter it.", journals=journals)
    again = ""
    if settings.enabled:
        again = _("Between 05:00 and 06:00 it reads the orders of the documents of the last 60 days again.")
    later = ""
    if settings.frequency in ("weekly", "months"):
        later = _(
            "If the store does not answer, it is asked again after 1, 5, 15 and 60 minutes, then once a day until an "
            "import succeeds."
        )
    return " ".join(part for part in (begin, later, next_run, again, end) if part)


def how_often(frequency: str) -> str:
    """`every 5 minutes`."""
    return str(HOW_OFTEN.get(frequency, frequency))


def setting_value(key: str, text: str) -> str:
    """A setting's value as people call it."""
    if key in CHOICES and text in CHOICES[key]:
        return str(CHOICES[key][text])
    if key == "frequency":
        return how_often(text)
    return text


def parsed(texts: Mapping[str, str]) -> Settings:
    """Settings of the texts that can be read; what can't has its default. For sentences, never for saving."""
    values: dict[str, Any] = {}
    for key, text in texts.items():
        setting = settings_text.BY_KEY.get(key)
        if setting is None:
            continue
        try:
            values[key] = setting.parse(text)
        except ValueError:
            continue
    return Settings(**values)
