"""Customers looked for: a page by keyset, a few while one is typed, the one that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from monet_web.domain.codes import normalise_company_code, normalise_vat_code
from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.models.customers import Customer
from monet_web.services.books.tables import shown

PAGE = 50
MOST_COUNTED = 1000  # beyond it a list says "more than": counting must not grow with the books
KINDS = ("companies", "persons")
_MOST_WORDS = 8
_LONGEST = 200
_EXPORTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Customers that somebody looks for; what is "" does not matter. `kind` is one of KINDS."""

    text: str = ""
    kind: str = ""

    @property
    def narrows(self) -> bool:
        """Not all of them."""
        return bool(self.text.strip() or self.kind)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are; `is_whole` False: more than `count`."""

    count: int
    is_whole: bool = True


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Every word must stand in the name, a code or the e-mail; those merged into others are not looked for."""
    asked: list[ColumnElement[bool]] = [Customer.merged_into_id.is_(None)]
    if wanted.kind in KINDS:
        asked.append(Customer.is_company.is_(wanted.kind == "companies"))
    words = fold(wanted.text)[:_LONGEST].replace("\x00", "").split()
    return asked + [Customer.search_key.contains(word, autoescape=True) for word in words[:_MOST_WORDS]]


def page(
    session: Session, wanted: Wanted, *, after: int | None = None, limit: int = PAGE
) -> tuple[list[Customer], int | None]:
    """One page by name, and the cursor of the next (None: this was the last). Inside a transaction, one query.

    `after` is the id of the last customer of the page before.
    """
    query = _ordered(wanted)
    if after is not None:
        last = select(Customer.search_key).where(Customer.id == after).scalar_subquery()
        query = query.where(or_(Customer.search_key > last, and_(Customer.search_key == last, Customer.id > after)))
    found = list(session.scalars(query.limit(limit + 1).execution_options(populate_existing=True)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def each(session: Session, wanted: Wanted) -> Iterator[Customer]:
    """All of them by name, read page by page. Inside a transaction."""
    after: int | None = None
    while True:
        found, after = page(session, wanted, after=after, limit=_EXPORTED_AT_ONCE)
        yield from found
        if after is None:
            return


def counted(session: Session, wanted: Wanted) -> Counted:
    """How many are looked for, counting no further than MOST_COUNTED. Inside a transaction, one query."""
    some = select(literal(1)).select_from(Customer).where(*conditions(wanted)).limit(MOST_COUNTED + 1).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    return Counted(MOST_COUNTED, False) if count > MOST_COUNTED else Counted(count)


def suggest(session: Session, words: str, limit: int = 12) -> list[Customer]:
    """A few customers for what is typed into a field, by name. Inside a transaction, one query or none."""
    if not words.strip():
        return []
    return list(session.scalars(_ordered(Wanted(words)).limit(limit)))


def meant(session: Session, typed: str, *, but: int | None = None) -> int:
    """The id of the one customer, another than `but`, that has this VAT code, company code, e-mail or name.

    Inside a transaction. Raises BrokenRule when there is none, or more than one.
    """
    name = " ".join(typed.split())
    exact = [
        Customer.vat_code == normalise_vat_code(typed), Customer.company_code == normalise_company_code(typed),
        Customer.company_code == name, Customer.email == name, Customer.name == name,
    ]  # fmt: skip
    here = select(Customer.id, Customer.name).where(Customer.merged_into_id.is_(None))
    if but is not None:
        here = here.where(Customer.id != but)
    found = session.execute(here.where(or_(*exact)).limit(4)).all() if name else []
    if not found and name:
        found = session.execute(here.where(*conditions(Wanted(name))).order_by(Customer.search_key).limit(4)).all()
    if len(found) == 1:
        return int(found[0].id)
    if not found:
        raise BrokenRule(
            f"There is no customer {shown(name)}." if name else "No customer was typed.",
            fix="Type the name as it stands among the customers, a company code or a VAT code.", field="customer",
        )  # fmt: skip
    names = "; ".join(shown(row.name) for row in found)
    raise BrokenRule(
        f"Several customers fit {shown(name)}: {names}.",
        fix="Type the company code, the VAT code or the e-mail.",
        field="customer",
    )


def _ordered(wanted: Wanted) -> Select[Customer]:
    return select(Customer).where(*conditions(wanted)).order_by(Customer.search_key, Customer.id)
