"""Stores and number prefixes: one living integration each, and what a retired one left is taken over (A8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import count

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule
from monet_web.domain.settings import Settings
from monet_web.models.integrations import Integration, IntegrationState, Store
from monet_web.models.store_orders import StoreOrder
from monet_web.services.books.numbers import number_key
from monet_web.services.integrations.installed import living, readable
from monet_web.services.integrations.typed_values import address_key


def known_store(
    session: Session, connector: type[Connector], store_key: str, *, besides: Integration | None = None
) -> Store | None:
    """The store of that key, if it was connected before.

    Raises BrokenRule when a living integration (`besides` this one) has it, or orders in common with it.
    """
    place = store_key.partition("#")[0]
    near = living().join(Store, Store.id == Integration.store_id).where(Store.platform == connector.kind)
    near = near.where(or_(Store.store_key == place, Store.store_key.startswith(f"{place}#", autoescape=True)))
    for other in session.scalars(near):
        has_same = connector.have_orders_in_common(other.store.store_key, store_key)
        if has_same and (besides is None or other.id != besides.id):
            is_same = other.store.store_key == store_key
            raise BrokenRule(
                f"The store {store_key} is connected already: it is {other.name}."
                if is_same
                else f"{other.name} has orders in common with {store_key}: one of them is all shops of the other.",
                fix=f"Use {other.name} or change its settings; two connections would invoice every order twice."
                if is_same
                else f"Type another shop's number here, or change {other.name} to one shop alone; else orders would be "
                "invoiced twice.",
                field=address_key(connector),
            )
    return session.scalars(
        select(Store).where(Store.platform == connector.kind, Store.store_key == store_key)
    ).one_or_none()


def move_store(
    session: Session, integration: Integration, connector: type[Connector], store_key: str, *, same_store: bool
) -> None:
    old = integration.store
    target = known_store(session, connector, store_key, besides=integration)
    has_memory = session.execute(select(exists().where(StoreOrder.store_id == old.id))).scalar_one()
    if not has_memory:
        integration.store = target or Store(platform=connector.kind, store_key=store_key)
        session.flush()
        forget_empty_store(session, old.id)
    elif not same_store:
        raise BrokenRule(
            f"The documents of {integration.name} belong to {old.store_key}, and {store_key} is another store.",
            fix="If it is the same shop under a new address, say so (--same-store). "
            "For another shop, add another integration.",
            field="same_store",
        )
    elif target is not None:
        raise BrokenRule(
            f"{store_key} was connected here before and has orders of its own.",
            fix=f"Remove {integration.name} and add {store_key} as an integration.",
            field=address_key(connector),
        )
    else:
        old.store_key = store_key


def forget_empty_store(session: Session, store_id: int) -> None:
    if session.scalars(select(Integration.id).where(Integration.store_id == store_id)).first() is None and (
        session.scalars(select(StoreOrder.id).where(StoreOrder.store_id == store_id)).first() is None
    ):
        session.execute(delete(Store).where(Store.id == store_id))


def offered_prefix(session: Session, name: str, settings: Settings, store: Store | None) -> str:
    """What a retired integration of the store had, else the initials: "Kava Ltd" → "KL-". Never one in use."""
    if settings.issued_by == "store":
        return ""  # the number is the store's, and a prefix would make it another
    rows = session.execute(
        select(Integration.number_prefix, Integration.store_id, Integration.state).order_by(Integration.id.desc())
    ).all()
    held = {number_key(row.number_prefix) for row in rows if row.state != IntegrationState.RETIRED}
    if store is not None:
        earlier = [row.number_prefix for row in rows if row.store_id == store.id]
        if earlier and (not earlier[0] or number_key(earlier[0]) not in held):
            return str(earlier[0])
    # Documents of a retired one keep their numbers, so its prefix is no good to another store either.
    used = {number_key(row.number_prefix) for row in rows}
    used |= {key for other in session.scalars(living()) if (key := _credit_prefix(other)) is not None}
    return next(prefix for prefix in _prefixes(name) if number_key(prefix) not in used)


def _prefixes(name: str) -> Iterator[str]:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    initials = "".join(word[0] for word in words).upper()[:6] or "S"
    if len(words) == 1:
        initials = words[0][:2].upper()
    yield f"{initials}-"
    for number in count(2):
        yield f"{initials}{number}-"


def refuse_used_prefix(session: Session, prefix: str, *, but: int | None = None) -> None:
    """Raises BrokenRule: another integration's invoices, or its series of credit notes, begin with it."""
    key = number_key(prefix)
    if not key:
        return
    for other in session.scalars(living()):
        if other.id != but and key in (number_key(other.number_prefix), _credit_prefix(other)):
            raise BrokenRule(
                f"The number prefix {prefix} is in use by {other.name}.",
                fix="Type another number_prefix: with one prefix, two stores' orders would meet in one number.",
                field="number_prefix",
            )


def refuse_used_credit_prefix(session: Session, settings: Settings, *, but: int | None = None) -> None:
    """Raises BrokenRule: what the credit notes' series would begin with is what other numbers begin with."""
    if settings.credit_number_from != "series":
        return
    prefix = settings.credit_prefix
    fix = "Type another credit_number_prefix: a series of credit notes has a beginning of its own."
    if number_key(prefix) == number_key(settings.number_prefix):
        message = f"The prefix {prefix} of credit notes is that of the invoices."
        raise BrokenRule(message, fix=fix, field="credit_number_prefix")
    for other in session.scalars(living()):
        if other.id != but and number_key(prefix) in (number_key(other.number_prefix), _credit_prefix(other)):
            message = f"The prefix {prefix} of credit notes is in use by {other.name}."
            raise BrokenRule(message, fix=fix, field="credit_number_prefix")


def _credit_prefix(integration: Integration) -> str | None:
    settings = readable(integration)
    if settings is None or settings.credit_number_from != "series":
        return None
    return number_key(settings.credit_prefix)
