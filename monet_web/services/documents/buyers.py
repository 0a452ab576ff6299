"""Buyers: customers proposed while one is typed on an invoice."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from monet_web.domain.codes import normalise_vat_code
from monet_web.models.customers import Customer


def suggest(session: Session, words: str, limit: int = 12) -> list[Customer]:
    """A few customers by name, code or e-mail, by their names. Inside a transaction, one statement or none."""
    text = " ".join(words.split())
    if not text:
        return []
    names = {text, text.lower(), text.upper(), text.capitalize(), text.title()}  # SQLite knows no case beyond A to Z
    wanted = [Customer.name.contains(name, autoescape=True) for name in names]
    wanted += [Customer.name.icontains(text, autoescape=True), Customer.email.icontains(text, autoescape=True)]
    wanted += [Customer.company_code.startswith(text, autoescape=True)]
    if code := normalise_vat_code(text):
        wanted.append(Customer.vat_code.startswith(code, autoescape=True))
    return list(session.scalars(select(Customer).where(or_(*wanted)).order_by(Customer.name, Customer.id).limit(limit)))
