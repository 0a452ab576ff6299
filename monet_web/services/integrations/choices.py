"""Settings that choose among what is there: statuses of the tested store, warehouses of the books."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.settings import Settings
from monet_web.models.stock import Warehouse


def check(
    session: Session,
    settings: Settings,
    typed: Collection[str],
    *,
    before: Settings | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Refuse what was typed and is not there; what was kept before may stay. Inside a transaction. Raises BrokenRule.

    `typed`: keys of settings; `facts`: what the store's last test found, None when it was never tested.
    """
    if "warehouse" in typed and settings.warehouse and settings.warehouse != (before.warehouse if before else ""):
        _check_warehouse(session, settings.warehouse)
    known = [str(one["value"]) for one in (facts or {}).get("statuses", ())]
    if "statuses" in typed and known:
        kept = before.statuses if before else ()
        unknown = [one for one in settings.statuses if one not in known and one not in kept]
        if unknown:
            raise BrokenRule(
                f"The store has no status {', '.join(unknown)}.",
                fix=f"Type some of those that its last test found: {', '.join(known)}.",
                field="statuses",
            )


def _check_warehouse(session: Session, code: str) -> None:
    codes = list(session.scalars(select(Warehouse.code).order_by(Warehouse.id)))
    if code not in codes:
        raise BrokenRule(
            f"There is no warehouse {code}.",
            fix=f"Type one of: {', '.join(codes)}." if codes else "Add one first, under Settings in the browser.",
            field="warehouse",
        )
