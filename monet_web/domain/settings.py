"""The settings of an integration (A5): one declaration each, from text as people type it to a frozen record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from monet_web.domain.errors import BrokenRule

PAYMENT_TREATMENTS = ("prepaid", "cash on delivery", "cash with receipt", "gift card", "skip")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force. Text lists are tuples; `None` means "not set: the default described in SETTINGS"."""

    enabled: bool = True
    frequency: str = "off"
    daily_days: int = 3
    statuses: tuple[str, ...] = ()  # () = what the store counts as a sale
    select_by: str = "any"
    not_before: date | None = None
    issued_by: str = "monet"
    number_from: str = "order"
    number_prefix: str = ""
    credit_number_from: str = "invoice"
    credit_number_prefix: str = ""  # "" = the number prefix and a K
    invoice_date: str = "paid"
    accounting_type: str = "goods"
    warehouse: str = ""  # code; "" = the first
    revenue_account: str = ""  # "" = the company's
    charges_account: str = ""
    register_automatically: bool = True
    unknown_items: str = "journal"
    common_item: str = ""
    private_buyers: str = "common"
    company_code_from: str = ""  # custom field or meta key; "" = the platform's usual ones
    vat_code_from: str = ""
    refunds: str = "journal"
    discounts: str = "in_price"
    payment_methods: Mapping[str, str] = field(default_factory=dict)  # method code → PAYMENT_TREATMENTS
    rounding_limit: Decimal | None = None  # None = min(0.01 × (lines + charges), 0.05)
    vat_rate_check: str = "stop"

    @property
    def credit_prefix(self) -> str:
        """What the series of credit notes begins with, where they have one."""
        return self.credit_number_prefix or f"{self.number_prefix}K"

    def limit_of(self, rows: int) -> Decimal:
        """The largest difference to the store's figures that is only named, for an order of `rows` lines and charges."""
        if self.rounding_limit is not None:
            return self.rounding_limit
        return min(Decimal("0.01") * max(rows, 1), Decimal("0.05"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as forms and commands show it; `choices` are the allowed values, () where the text is free."""

    key: str
    label: str
    help: str
    parse: Callable[[str], Any]
    choices: tuple[str, ...] = ()


class _Wrong(ValueError):
    """What to type instead."""


def _yes_no(text: str) -> bool:
    folded = text.strip().casefold()
    if folded in ("yes", "y", "true", "on", "1", "taip"):
        return True
    if folded in ("no", "n", "false", "off", "0", "ne"):
        return False
    raise _Wrong("Type yes or no.")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        folded = text.strip().casefold().replace("-", "_")
        if folded in choices:
            return folded
        raise _Wrong(f"Type one of: {', '.join(choices)}.")

    return parse


def _days(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 31:
        raise _Wrong("Type a whole number of days from 1 to 31.")
    return number


def _date_or_none(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise _Wrong("Type a date as 2026-11-01, or leave it empty.") from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _amount_or_none(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        amount = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise _Wrong("Type an amount as 0.03, or leave it empty.") from None
    if not amount.is_finite() or not 0 <= amount <= 1:
        raise _Wrong("Type an amount from 0 to 1.00.")
    return amount


def _short(limit: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        text = text.strip()
        if len(text) > limit:
            raise _Wrong(f"Type at most {limit} characters.")
        return text

    return parse


def _methods(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        method, colon, treatment = part.partition(":")
        treatment = treatment.strip().casefold().replace("_", " ")
        if not colon or not method.strip() or treatment not in PAYMENT_TREATMENTS:
            raise _Wrong(
                f"Type pairs as cod:cash on delivery, bacs:prepaid; each one of: {', '.join(PAYMENT_TREATMENTS)}."
            )
        pairs[method.strip()] = treatment
    return pairs


def _chosen(key: str, label: str, help_text: str, *choices: str) -> Setting:
    return Setting(key, label, help_text, _one_of(*choices), choices)


SETTINGS: tuple[Setting, ...] = (
    Setting("enabled", "Switched on", "A switched-off integration runs only when its exact name is typed.", _yes_no, ("yes", "no")),
    _chosen("frequency", "Runs by itself", "How often it imports without you.", "off", "minutes", "hours", "daily", "weekly", "months"),
    Setting("daily_days", "Days looked back", "How many previous days a daily run imports, 1 to 31.", _days),
    Setting("statuses", "Order statuses", "Statuses that make an invoice, separated by commas; empty = what the store counts as a sale.", _list),
    _chosen("select_by", "Orders of the period", "Those created or changed in it, created in it, or paid in it.", "any", "created", "paid"),
    Setting("not_before", "From which date", "No order created before this day is invoiced; empty = no limit.", _date_or_none),
    _chosen("issued_by", "Who gives the invoice", "Who gives the buyer the invoice: this program or the store.", "monet", "store"),
    _chosen("number_from", "Invoice number", "The order's number, the store's own invoice number, or a series of ours.", "order", "invoice", "series"),
    Setting("number_prefix", "Number prefix", "Put before the number, so that two stores never meet; may be empty.", _short(20)),
    _chosen("credit_number_from", "Credit note number", "invoice: the invoice's number and -K1. series: a series of ours.", "invoice", "series"),
    Setting("credit_number_prefix", "Credit note prefix", "What a series of credit notes begins with; empty = the number prefix and a K.", _short(20)),
    _chosen("invoice_date", "Invoice date", "The day the order was paid (else placed), placed, or imported.", "paid", "order", "import"),
    _chosen("accounting_type", "Do you keep stock here?", "goods: lines name items and move stock. amounts: lines name accounts.", "goods", "amounts"),
    Setting("warehouse", "Warehouse", "The code of the warehouse goods leave from; empty = the first.", _short(40)),
    Setting("revenue_account", "Revenue account", "For amounts: the account of lines; empty = the company's.", _short(40)),
    Setting("charges_account", "Charges account", "For amounts: the account of shipping and fees; empty = the company's.", _short(40)),
    Setting("register_automatically", "Enter by itself", "no: everything waits in a journal until you register it.", _yes_no, ("yes", "no")),
    _chosen("unknown_items", "Unknown items", "journal: the invoice waits. create: an item is made. common: the common item is used.", "journal", "create", "common"),
    Setting("common_item", "Common item", "The code of the item used for unknown ones.", _short(120)),
    _chosen("private_buyers", "Private buyers", "One common customer, or one for each e-mail.", "common", "each"),
    Setting("company_code_from", "Company code in", "The custom field or meta key with the buyer's company code; empty = the usual ones.", _short(200)),
    Setting("vat_code_from", "VAT code in", "The custom field or meta key with the buyer's VAT code; empty = the usual ones.", _short(200)),
    _chosen("refunds", "Refunds", "off: not read. journal: credit notes wait. automatic: those with lines are registered.", "off", "journal", "automatic"),
    _chosen("discounts", "Discounts", "Within the price, or shown on lines of their own.", "in_price", "lines"),
    Setting("payment_methods", "Payment methods", "Pairs method:treatment, separated by commas; the rest is prepaid.", _methods),
    Setting("rounding_limit", "Rounding limit", "The largest difference to the store's total that is only named; empty = 0.01 a line, at most 0.05.", _amount_or_none),
    _chosen("vat_rate_check", "VAT rate check", "What happens to a rate that the country did not have on the supply date.", "stop", "notice", "off"),
)  # fmt: skip
BY_KEY = {setting.key: setting for setting in SETTINGS}


def parse(values: Mapping[str, str]) -> Settings:
    """Settings from texts by key; keys left out have their defaults.

    Raises BrokenRule naming every wrong one and what to type.
    """
    parsed: dict[str, Any] = {}
    wrong: list[str] = []
    for key, text in values.items():
        setting = BY_KEY.get(key)
        if setting is None:
            wrong.append(f"{key} is not a setting.")
            continue
        try:
            parsed[key] = setting.parse(str(text))
        except _Wrong as error:
            wrong.append(f"{key}={text}: {error}")
    if not wrong and parsed.get("unknown_items") == "common" and not parsed.get("common_item"):
        wrong.append("unknown_items=common needs common_item: type the code of the item to use.")
    if wrong:
        raise BrokenRule(
            " ".join(wrong),
            fix="`monet integrations show NAME` lists the settings with their present values.",
        )
    return Settings(**parsed)


def as_text(settings: Settings) -> dict[str, str]:
    """Every setting as the text that `parse` reads back."""
    return {one.name: _text(getattr(settings, one.name)) for one in fields(settings)}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Mapping):
        return ",".join(f"{method}:{treatment}" for method, treatment in value.items())
    return str(value)
