"""A customer's card corrected by a person: it holds for what comes; no invoice ever changes by it (D9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monet_web.domain.codes import company_code_problem, normalise_company_code, normalise_vat_code
from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.customers import Customer, CustomerKey, CustomerKeyKind
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.tables import shown
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.customers.card import SUBJECT

LONGEST = {
    "name": 400, "company_code": 60, "vat_code": 60, "email": 254, "country": 2, "line": 300, "city": 120,
    "postcode": 20,
}  # fmt: skip
ADDRESS = ("line", "city", "postcode", "country")
_PLAIN = ("name", "is_company", "company_code", "vat_code", "email", "country")


def change(
    session: Session, customer_id: int, typed: Mapping[str, str], *, is_company: bool, now: datetime, actor: str
) -> list[str]:
    """Everything of the card that is in LONGEST; the fields that really changed. In a transaction of its own.

    A code that is new becomes a key too, so that the next order with it finds this customer; keys by which orders found
    it before stay, but a company has none by e-mail. Raises WrongFields.
    """
    values, wrong = _checked(typed, is_company)
    if wrong:
        raise WrongFields(wrong)
    try:
        with writing(session):
            customer = session.scalars(
                select(Customer)
                .where(Customer.id == customer_id, Customer.merged_into_id.is_(None))
                .with_for_update()
                .execution_options(populate_existing=True)
            ).one_or_none()
            if customer is None:
                raise BrokenRule("This customer is not here any more.", fix="Look at the list again.")
            _refuse_codes(customer, values)
            before = said(customer)
            for name in _PLAIN:
                setattr(customer, name, values[name])
            customer.address = {**(customer.address or {}), **{name: values[name] for name in ADDRESS}}
            after = said(customer)
            changed = [name for name in after if before.get(name) != after[name]]
            _keep_keys(session, customer, changed)
            if changed:
                audit.record(
                    session, at=now, actor=actor, action="customer_changed", subject_kind=SUBJECT,
                    subject_id=customer.id, before={name: before.get(name, "") for name in changed},
                    after={name: after[name] for name in changed},
                )  # fmt: skip
    except IntegrityError:
        raise BrokenRule("Another customer got one of these codes just now.", fix="Look at the card again.") from None
    return changed


def said(customer: Customer) -> dict[str, Any]:
    """The card as the audit trail keeps it."""
    address = customer.address or {}
    return {name: getattr(customer, name) for name in _PLAIN} | {
        name: address.get(name, "") for name in ADDRESS if name != "country"
    }


def company_key(code: str, country: str) -> str:
    """The value of the key of a company code: codes are unique in a country only."""
    return f"{country}:{normalise_company_code(code)}"[:254]


def _refuse_codes(customer: Customer, values: Mapping[str, Any]) -> None:
    """Codes that were typed just now must be possible ones; those that an order brought are no hindrance."""
    vat_code, code, wrong = values["vat_code"], values["company_code"], {}
    is_new_vat = vat_code != normalise_vat_code(customer.vat_code)
    if vat_code and is_new_vat and vat_code_problem(vat_code, values["country"]):
        wrong["vat_code"] = f"{shown(vat_code)} can't be a VAT code. Type it as LT100001234567."
    if code and code != customer.company_code and values["country"] == "LT" and company_code_problem(code):
        wrong["company_code"] = (
            f"{shown(code)} can't be a company code: it has nine digits, the last checks the others."
        )
    if wrong:
        raise WrongFields(wrong)


def _keep_keys(session: Session, customer: Customer, changed: list[str]) -> None:
    wanted: list[tuple[CustomerKeyKind, str, str]] = []
    if customer.is_company:
        session.execute(
            delete(CustomerKey).where(CustomerKey.customer_id == customer.id, CustomerKey.kind == CustomerKeyKind.EMAIL)
        )
    if customer.vat_code and "vat_code" in changed:
        wanted.append((CustomerKeyKind.VAT, normalise_vat_code(customer.vat_code), "vat_code"))
    if customer.company_code and {"company_code", "country"} & set(changed):
        wanted.append((CustomerKeyKind.COMPANY, company_key(customer.company_code, customer.country), "company_code"))
    wrong: dict[str, str] = {}
    for kind, value, field in wanted:
        owner = session.execute(
            select(Customer.id, Customer.name)
            .join(CustomerKey, CustomerKey.customer_id == Customer.id)
            .where(CustomerKey.kind == kind, CustomerKey.value == value)
        ).one_or_none()
        if owner is None:
            session.add(CustomerKey(kind=kind, value=value, customer_id=customer.id))
        elif owner.id != customer.id:
            wrong[field] = f"It is {shown(owner.name)}'s. Merge the two customers, or type another."
    if wrong:
        raise WrongFields(wrong)
    session.flush()


def _checked(typed: Mapping[str, str], is_company: bool) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {name: " ".join(typed.get(name, "").split()) for name in LONGEST}
    values["is_company"] = is_company
    wrong: dict[str, str] = {}
    for name, most in LONGEST.items():
        if len(values[name]) > most:
            wrong[name] = f"It has {len(values[name])} characters. Type at most {most}."
        elif not values[name].isprintable():
            wrong[name] = "It has a sign that can't be printed. Type it anew."
    values["country"] = values["country"].upper()
    values["vat_code"] = normalise_vat_code(values["vat_code"])
    if not values["name"]:
        wrong["name"] = "Type what the customer is called."
    if values["country"] and not (len(values["country"]) == 2 and values["country"].isalpha()):
        wrong.setdefault("country", "Type two letters, as LT.")
    if not is_company and (values["vat_code"] or values["company_code"]):
        wrong.setdefault(
            "is_company", "A private person has no VAT code and no company code. Take them out, or tick it."
        )
    if values["email"] and "@" not in values["email"]:
        wrong.setdefault("email", "Type it as ona@example.com, or leave it empty.")
    return values, wrong
