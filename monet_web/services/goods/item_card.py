"""One item made, changed or given another name of a store, by hand. The code never changes (F1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.integrations import Integration
from monet_web.models.items import AliasKind, Item, ItemAlias, ItemKind
from monet_web.models.stock import Balance
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.numbers import number_key
from monet_web.services.books.tables import shown
from monet_web.services.goods.item_rows import ANY_STORE

_LONGEST = {"code": 120, "name": 400, "unit": 20, "vat_class": 40}
_KINDS = tuple(kind.value for kind in ItemKind)
_SUBJECT = "item"


def make(
    session: Session,
    *,
    code: str,
    name: str,
    kind: str = "goods",
    keeps_stock: bool = True,
    unit: str = "",
    vat_class: str = "",
    now: datetime,
    actor: str,
) -> Item:
    """A new item, in a transaction of its own. Raises WrongFields."""
    values, wrong = _checked({"code": code, "name": name, "unit": unit, "vat_class": vat_class}, kind, keeps_stock)
    if not values["code"]:
        wrong.setdefault("code", "Type the item's code, as KN-01.")
    if wrong:
        raise WrongFields(wrong)
    try:
        with writing(session):
            known = session.scalars(select(Item).where(Item.code_key == number_key(values["code"]))).one_or_none()
            if known is not None:
                raise WrongFields({"code": f"{known.code} is here already: {shown(known.name)}. Type another code."})
            item = Item(code_key=number_key(values["code"]), **values)
            session.add(item)
            session.flush()
            audit.record(
                session, at=now, actor=actor, action="item_added", subject_kind=_SUBJECT, subject_id=item.id,
                after=values,
            )  # fmt: skip
    except IntegrityError:
        raise WrongFields({"code": f"{values['code']} was made by somebody else just now. Open it."}) from None
    return item


def change(
    session: Session,
    item_id: int,
    *,
    name: str,
    kind: str,
    keeps_stock: bool,
    unit: str,
    vat_class: str,
    now: datetime,
    actor: str,
) -> list[str]:
    """Change everything but the code; the fields that really changed. In a transaction of its own.

    Raises WrongFields; an item with stock on hand goes on keeping it.
    """
    values, wrong = _checked({"name": name, "unit": unit, "vat_class": vat_class}, kind, keeps_stock)
    if wrong:
        raise WrongFields(wrong)
    with writing(session):
        item = _item(session, item_id)
        before = {key: getattr(item, key) for key in values}
        after = {key: value for key, value in values.items() if before[key] != value}
        if after.get("keeps_stock") is False:
            _refuse_with_stock(session, item)
        for key, value in after.items():
            setattr(item, key, value)
        if after:
            audit.record(
                session, at=now, actor=actor, action="item_changed", subject_kind=_SUBJECT, subject_id=item.id,
                before={key: before[key] for key in after}, after=after,
            )  # fmt: skip
    return list(after)


def add_alias(
    session: Session, item_id: int, *, store_id: int, kind: str, value: str, now: datetime, actor: str
) -> ItemAlias:
    """What one store (0: every store) calls the item, in a transaction of its own. Raises WrongFields."""
    value = " ".join(value.split())
    if not value or len(value) > 200 or not value.isprintable():
        raise WrongFields({"value": "Type what the store calls the item, at most 200 characters."})
    if kind not in set(AliasKind):
        raise WrongFields({"kind": f"Choose one of: {', '.join(AliasKind)}."})
    try:
        with writing(session):
            item = _item(session, item_id)
            if store_id != ANY_STORE and not session.scalar(
                select(Integration.id).where(Integration.store_id == store_id).limit(1)
            ):
                raise WrongFields({"store": "Choose a store, or all of them."})
            _refuse_taken(session, item, store_id, AliasKind(kind), value)
            alias = ItemAlias(
                store_id=store_id, kind=AliasKind(kind), value=value, value_key=number_key(value), item_id=item.id
            )
            session.add(alias)
            session.flush()
            audit.record(
                session, at=now, actor=actor, action="alias_added", subject_kind=_SUBJECT, subject_id=item.id,
                after=_said(alias),
            )  # fmt: skip
    except IntegrityError:
        raise WrongFields({"value": f"{shown(value)} was given to an item by somebody else just now."}) from None
    return alias


def remove_alias(session: Session, item_id: int, alias_id: int, *, now: datetime, actor: str) -> ItemAlias:
    """Forget one name; documents that it led here stay as they are. Raises BrokenRule when it is gone already."""
    with writing(session):
        alias = session.scalars(
            select(ItemAlias).where(ItemAlias.id == alias_id, ItemAlias.item_id == item_id)
        ).one_or_none()
        if alias is None:
            raise BrokenRule("This name is gone already.")
        session.delete(alias)
        audit.record(
            session, at=now, actor=actor, action="alias_removed", subject_kind=_SUBJECT, subject_id=item_id,
            before=_said(alias),
        )  # fmt: skip
    return alias


def _checked(texts: dict[str, str], kind: str, keeps_stock: bool) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {key: " ".join(text.split()) for key, text in texts.items()}
    wrong: dict[str, str] = {}
    for key, text in values.items():
        if len(text) > _LONGEST[key]:
            wrong[key] = f"It has {len(text)} characters. Type at most {_LONGEST[key]}."
        elif not text.isprintable():
            wrong[key] = "It has a sign that can't be printed. Type it anew."
    if not values["name"]:
        wrong["name"] = "Type what the item is called."
    if kind not in _KINDS:
        wrong["kind"] = f"Choose one of: {', '.join(_KINDS)}."
    else:
        values["kind"] = ItemKind(kind)
    if kind == ItemKind.SERVICE and keeps_stock:
        wrong["keeps_stock"] = "Services keep no stock. Take the tick out, or choose goods."
    values["keeps_stock"] = keeps_stock
    return values, wrong


def _item(session: Session, item_id: int) -> Item:
    item = session.get(Item, item_id, populate_existing=True)
    if item is None:
        raise BrokenRule("There is no such item.")
    return item


def _refuse_with_stock(session: Session, item: Item) -> None:
    # Locked: goods received meanwhile would be forgotten.
    on_hand = session.scalars(select(Balance.on_hand).where(Balance.item_id == item.id).with_for_update()).all()
    if any(on_hand):
        raise WrongFields(
            {
                "keeps_stock": f"{item.code} has stock on hand, which would be forgotten. "
                "Take it out by a correction first."
            }
        )


def _refuse_taken(session: Session, item: Item, store_id: int, kind: AliasKind, value: str) -> None:
    other = session.execute(
        select(Item.id, Item.code)
        .join(ItemAlias, ItemAlias.item_id == Item.id)
        .where(ItemAlias.store_id == store_id, ItemAlias.kind == kind, ItemAlias.value_key == number_key(value))
    ).one_or_none()
    if other is None:
        return
    if other.id == item.id:
        raise WrongFields({"value": f"{shown(value)} leads to this item already."})
    raise WrongFields(
        {"value": f"{shown(value)} means the item {other.code} already. Take it out there first, or type another."}
    )


def _said(alias: ItemAlias) -> dict[str, object]:
    return {"store": alias.store_id, "kind": alias.kind, "value": alias.value}
