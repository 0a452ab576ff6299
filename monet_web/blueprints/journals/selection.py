"""Which waiting invoices an address or a form means, and where a person goes back to afterwards."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, request, url_for
from werkzeug.datastructures import MultiDict

from monet_web.blueprints.invoices.filters import number
from monet_web.models.invoices import AccountingType
from monet_web.services.documents.waiting import Which

_MOST_CHOSEN = 1000
NOTHING = Which(invoice_ids=(0,))


def meant(arguments: MultiDict[str, str]) -> Which:
    """What the arguments mean. A value that can't be used means no invoice at all, never "any"."""
    chosen = arguments.getlist("invoice")
    kind = arguments.get("kind", "")
    month = arguments.get("month", "")
    first = _month(month)
    if (kind and kind not in list(AccountingType)) or (month and first is None):
        return NOTHING
    return Which(
        invoice_ids=tuple(_id(text) or 0 for text in chosen[:_MOST_CHOSEN]) if chosen else None,
        journal_id=_id(arguments.get("journal", "")),
        code=arguments.get("cause") or None,
        subject=arguments.get("subject") if arguments.get("cause") else None,
        integration_id=_id(arguments.get("integration", "")),
        accounting_type=AccountingType(kind) if kind else None,
        month=first,
        text=arguments.get("q", "").strip()[:200],
        passing=arguments.get("passing") == "yes",
        failing=arguments.get("failing") == "yes",
    )


def surely_meant(arguments: MultiDict[str, str]) -> Which:
    """The same before something is done: everything is only meant when it is said (`all`). Otherwise 400."""
    which = meant(arguments)
    if which == Which() and arguments.get("all") != "yes":
        abort(400)
    return which


def arguments(which: Which, **changes: Any) -> dict[str, Any]:
    """The arguments that mean it, for an address or for hidden fields."""
    said: dict[str, Any] = {
        "invoice": list(which.invoice_ids) if which.invoice_ids is not None else None,
        "journal": which.journal_id,
        "cause": which.code,
        "subject": which.subject if which.code else None,
        "integration": which.integration_id,
        "kind": which.accounting_type.value if which.accounting_type else None,
        "month": f"{which.month:%Y-%m}" if which.month else None,
        "q": which.text or None,
        "passing": "yes" if which.passing else None,
        "failing": "yes" if which.failing else None,
        **changes,
    }
    found = {key: value for key, value in said.items() if value is not None}
    return found if which != Which() else {"all": "yes", **found}


def fields(which: Which, **more: str) -> list[tuple[str, str]]:
    """Hidden fields of a form that means it."""
    pairs: list[tuple[str, str]] = []
    for key, value in {**arguments(which), **more}.items():
        pairs += [(key, str(each)) for each in (value if isinstance(value, list) else [value])]
    return pairs


def here() -> str:
    """The address of the page shown, to come back to."""
    return request.full_path.rstrip("?")


def way_back(arguments_: MultiDict[str, str]) -> str:
    """Where the person came from; only ever a page of journals."""
    wanted = arguments_.get("back", "")
    return wanted if is_ours(wanted) else url_for("journals.page")


def is_ours(address: str) -> bool:
    """True for the address of a page of journals."""
    begins = address == "/journals" or address.startswith(("/journals/", "/journals?"))
    return begins and "\\" not in address and address.isprintable()


def _id(text: str) -> int | None:
    return (number(text) or 0) if text else None


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
