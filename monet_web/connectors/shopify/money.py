"""What Shopify's JSON is made of: MoneyBags, tax lines, connections and global ids."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monet_web.connectors.foreign import Misfit, Row, amount, flag, number, part, plain, rows, text
from monet_web.domain.orders import Tax


@dataclass(frozen=True, slots=True)
class Money:
    """Reads the presentment side of MoneyBags and refuses one in another currency than the order's."""

    currency: str

    def of(self, parent: Row, key: str, default: Decimal | None = None) -> Decimal:
        """The amount the buyer saw. `default` stands for an absent bag."""
        bag = part(parent, key)
        if not bag and default is not None:
            return default
        money = part(bag, "presentmentMoney")
        if not money:
            raise Misfit(f"{key} has no presentmentMoney.")
        if text(money, "currencyCode") != self.currency:
            raise Misfit(f"{key} is in '{text(money, 'currencyCode')}', the order in {self.currency}.")
        return number(money.get("amount"), key)

    def both(self, parent: Row, key: str) -> tuple[Decimal, Decimal]:
        """The amount in the shop's currency and in the buyer's."""
        bag = part(parent, key)
        return amount(part(bag, "shopMoney"), "amount", Decimal(0)), self.of(parent, key)

    def taxes(self, parent: Row) -> tuple[Tax, ...]:
        """The tax lines: amounts as the shop rounded them, never rate × net. None: no tax."""
        return tuple(
            Tax(
                rate=_rate(line),
                amount=self.of(line, "priceSet"),
                label=text(line, "title"),
                collected_by_marketplace=flag(line, "channelLiable"),
            )
            for line in nodes(parent, "taxLines")
        )


def _rate(line: Row) -> Decimal | None:
    """In per cent; `rate` is a fraction, and either may be null."""
    if line.get("ratePercentage") is not None:
        return plain(amount(line, "ratePercentage"))
    return plain(amount(line, "rate") * 100) if line.get("rate") is not None else None


def nodes(parent: Row, key: str) -> list[Row]:
    """The items of a connection or a plain list. A connection with a further page was not fetched to its end."""
    found = parent.get(key)
    if not isinstance(found, dict):
        return rows(parent, key)
    if flag(part(found, "pageInfo"), "hasNextPage"):
        raise Misfit(f"{key} has a next page that was not fetched.")
    return rows(found, "nodes")


def tail(gid: str) -> str:
    """The number of a global id: `gid://shopify/LineItem/12?x=y` → 12."""
    return gid.rsplit("/", 1)[-1].split("?", 1)[0]
