"""The questions this program asks the bridge, and what must be true of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monet_web.connectors.answers import Answer
from monet_web.connectors.failures import LATER, Unusable
from monet_web.connectors.foreign import Row
from monet_web.connectors.http import Params
from monet_web.connectors.opencart.explain import UPDATE, explain, shop_of
from monet_web.connectors.opencart.signing import Door, said
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.windows import Window

OLDEST_BRIDGE = (1, 1)
_OVERLAP = timedelta(hours=3)  # around a window: a wall clock is read again here, and October has an hour twice
_FIELDS = {"any": "any", "created": "date_added", "paid": "date_added"}  # nothing in OpenCart says when it was paid


@dataclass(frozen=True, slots=True)
class Orders:
    """A page: orders of rising ids. `after` is where the next one begins, None at the end."""

    rows: Sequence[Row]
    after: int | None
    total: int | None = None


class Api:
    """A shop's bridge, asked for one of its shops or (`shop` "") for all."""

    def __init__(self, door: Door, *, shop: str = "") -> None:
        self.door = door
        self._shop = shop

    def info(self) -> dict[str, Any]:
        """What the shop says of itself. Raises NeedsOwner when it is no bridge, or one too old."""
        answer = self.door.ask([("action", "info")])
        body = self._body(answer)
        version = body.get("bridge")
        if not isinstance(version, str) or not isinstance(body.get("settings"), dict | list):
            raise explain(answer) if said(answer) is None else _foreign(answer)
        numbers = [int(piece) for piece in version.split(".") if piece.isascii() and piece.isdigit()]
        if tuple(numbers) < OLDEST_BRIDGE:
            raise NeedsOwner(
                f"The bridge of {shop_of(answer)} is of version {version[:20]}, which is too old.", fix=UPDATE
            )
        return body

    def orders(self, window: Window, zone: ZoneInfo, *, by: str, after: int, limit: int, brief: bool = False) -> Orders:
        """A page of the window and three hours around it, from the first id above `after`."""
        wide = window.widened(_OVERLAP)
        params = [
            ("action", "orders"),
            ("field", _FIELDS[by]),
            ("from", f"{wide.start.astimezone(zone):%Y-%m-%d %H:%M:%S}"),
            ("to", f"{wide.end.astimezone(zone):%Y-%m-%d %H:%M:%S}"),
            ("limit", str(limit)),
            ("after", str(after)),
            *([("store_id", self._shop)] if self._shop else []),
            *([("brief", "1")] if brief else []),
            *([("count", "1")] if not after else []),
        ]
        return self._page(self._good(params), after)

    def by_ids(self, ids: Sequence[int]) -> Sequence[Row]:
        """These orders, unfinished ones too; ids that the shop does not know are left out."""
        params = [("action", "orders"), ("ids", ",".join(map(str, ids))), ("unfinished", "1"), ("limit", str(len(ids)))]
        return self._page(self._good(params), 0).rows

    def _page(self, answer: Answer, after: int) -> Orders:
        body = self._body(answer)
        found = body.get("orders")
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise _foreign(answer)
        ids = [order_id(row) for row in found]
        if ids != sorted(set(ids)) or (ids and ids[0] <= after):
            raise NeedsOwner(
                f"The bridge of {shop_of(answer)} does not give its orders in the order of their ids.",
                fix=f"A cache in front of the shop must leave its answers alone. If there is none: {UPDATE}",
            )
        is_last = body.get("next") is None
        total = body.get("total")
        return Orders(
            found,
            after=None if is_last or not ids else ids[-1],
            total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        )

    def _good(self, params: Params) -> Answer:
        answer = self.door.ask(params)
        if answer.status == 500:
            # One order that PHP chokes on fails its whole page, so a smaller page may do.
            error = self.door.client.explained(answer)
            raise Unusable(error.message, fix=error.fix)
        return answer

    def _body(self, answer: Answer) -> dict[str, Any]:
        if not 200 <= answer.status < 300:
            raise self.door.client.explained(answer)
        body = self.door.client.json(answer)
        if not isinstance(body, dict):
            raise _foreign(answer)
        return body


def order_id(row: Row) -> int:
    """An order's id. Raises Unusable when it has none, because then nothing can be told apart."""
    found = row.get("order_id")
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return found
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19 and int(found):
        return int(found)
    raise Unusable(f"The shop gave an order whose id is {found!r:.40}.", fix=LATER)


def _foreign(answer: Answer) -> NeedsOwner:
    return NeedsOwner(
        f"{shop_of(answer)} answers with JSON, but not as the bridge does.",
        fix=f"Check that it is the shop's front page; if it is: {UPDATE}",
    )
