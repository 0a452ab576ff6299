"""Customers of a page: matched by their keys (D9), made where missing, safe when two workers meet the same new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from monet_web.domain.codes import normalise_company_code, normalise_vat_code
from monet_web.domain.invoices import Draft
from monet_web.models.among import among, table_of
from monet_web.models.base import take_ids
from monet_web.models.bulk import insert_missing, insert_rows
from monet_web.models.customers import Customer, CustomerKey, CustomerKeyKind, search_key

Key = tuple[CustomerKeyKind, str]


def keys_of(draft: Draft, private_buyers: str) -> list[Key]:
    """The keys of a draft's buyer, most trusted first; none: the common customer.

    A company is known by VAT code, then company code, never by e-mail; a private person by e-mail only, and only when
    the integration keeps one customer for each.
    """
    country = draft.buyer.address.country
    keys: list[Key] = []
    if vat := normalise_vat_code(draft.vat_code):
        keys.append((CustomerKeyKind.VAT, vat[:254]))
    if code := normalise_company_code(draft.company_code):
        keys.append((CustomerKeyKind.COMPANY, f"{country}:{code}"[:254]))
    if keys or draft.buyer.company:
        return keys
    email = draft.buyer.email.strip().casefold()
    return [(CustomerKeyKind.EMAIL, email[:254])] if email and private_buyers == "each" else []


def match_or_make(session: Session, drafts: Sequence[Draft], private_buyers: str) -> list[int | None]:
    """The customer id of each draft, in their order. Runs inside the writing transaction, constant queries."""
    wanted = [keys_of(draft, private_buyers) for draft in drafts]
    every = sorted({key for keys in wanted for key in keys})
    if not every:
        return [None] * len(drafts)
    known = _known(session, every)
    new: dict[Key, int] = {}
    rows: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    strangers = [index for index, keys in enumerate(wanted) if keys and not any(key in known for key in keys)]
    ids = iter(take_ids(session, Customer.__tablename__, len(strangers)))
    for index, keys in enumerate(wanted):
        customer_id = next((known.get(key) or new.get(key) for key in keys if key in known or key in new), None)
        if keys and customer_id is None:
            customer_id = next(ids)
            rows.append(_row(customer_id, drafts[index]))
        for key in keys:
            if key not in known and key not in new and customer_id is not None:
                new[key] = customer_id
                links.append({"kind": key[0], "value": key[1], "customer_id": customer_id})
    if links:
        insert_rows(session, Customer, rows)
        # Sorted, so that two workers that make the same customers meet in the same order and none waits in a ring.
        links.sort(key=lambda link: (link["kind"], link["value"]))
        if insert_missing(session, CustomerKey, links) == len(links):
            known |= new
        else:
            known = _after_a_race(session, every, wanted, rows)
    return [next((known[key] for key in keys if key in known), None) for keys in wanted]


def _known(session: Session, keys: Sequence[Key]) -> dict[Key, int]:
    rows = session.execute(_KNOWN, {"values": [value for _, value in keys]})
    wanted = set(keys)
    return {(row.kind, row.value): row.customer_id for row in rows if (row.kind, row.value) in wanted}


_KEYS = table_of(CustomerKey).c
# The unique index begins with the kind: without it, each page would look through the keys of all customers.
_KNOWN = select(_KEYS.kind, _KEYS.value, _KEYS.customer_id).where(
    _KEYS.kind.in_(list(CustomerKeyKind)), among(_KEYS.value, "values")
)


def _after_a_race(
    session: Session, every: Sequence[Key], wanted: Sequence[Sequence[Key]], rows: Sequence[Mapping[str, Any]]
) -> dict[Key, int]:
    """Whose keys they are, when another worker made some of them meanwhile; what was made here in vain goes again."""
    known = _known(session, every)
    used = {known[key] for keys in wanted for key in keys[:1]}
    lost = [row["id"] for row in rows if row["id"] not in used and row["id"] not in known.values()]
    if lost:
        session.execute(delete(Customer).where(Customer.id.in_(lost)))
    return known


def _row(customer_id: int, draft: Draft) -> dict[str, Any]:
    buyer = draft.buyer
    found_by = {
        "name": (buyer.company or buyer.name or buyer.email)[:400],
        "company_code": draft.company_code[:60],
        "vat_code": draft.vat_code[:60],
        "email": buyer.email[:254],
    }
    return {
        "id": customer_id,
        **found_by,
        "search_key": search_key(**found_by),
        "is_company": bool(buyer.company or draft.vat_code or draft.company_code),
        "country": buyer.address.country[:2],
        "address": address_of(draft),
    }


def address_of(draft: Draft) -> dict[str, str]:
    """The buyer's address as kept."""
    address = draft.buyer.address
    return {"line": address.line, "city": address.city, "postcode": address.postcode, "country": address.country}
