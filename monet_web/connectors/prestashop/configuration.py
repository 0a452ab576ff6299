"""PrestaShop's settings as its webservice gives them: one row a name, or several where its shops differ.

Of several rows the shop's own counts, then that of its group, then the one of everybody (empty or 0 ids).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monet_web.connectors.foreign import Misfit, Row, rows, text

ZONE = "PS_TIMEZONE"
CURRENCY = "PS_CURRENCY_DEFAULT"
PREFIX = "PS_INVOICE_PREFIX"
USE_YEAR = "PS_INVOICE_USE_YEAR"
YEAR_FIRST = "PS_INVOICE_YEAR_POS"
SHOP_NAME = "PS_SHOP_NAME"

_NOBODY = frozenset({"", "0"})


class Told(Misfit):
    """A misfit whose text says already what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of one shop. `found` are rows of `configurations`, `translated` of `translated_configurations`."""

    found: Sequence[Row]
    translated: Sequence[Row] = ()
    shop_id: str = ""
    group_id: str = ""

    @classmethod
    def of(cls, context: Row, order: Row) -> Configuration:
        """Those of the shop that an order was placed in."""
        return cls(
            rows(context, "configurations"),
            rows(context, "translated_configurations"),
            text(order, "id_shop"),
            text(order, "id_shop_group"),
        )

    def get(self, name: str) -> str:
        """A setting's value, "" when there is none."""
        best = self._best(name, self.found)
        return text(best, "value") if best is not None else ""

    def zone(self) -> ZoneInfo:
        """The shop's time zone. Raises Misfit when it is none."""
        name = self.get(ZONE)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            said = f"is “{name[:60]}”" if name else "is missing"
        raise Told(
            f"The shop's time zone ({ZONE}) {said}, so no date of it can be understood. "
            "In PrestaShop open International → Localization, choose the time zone and save."
        )

    def invoice_number(self, number: str, language_id: str, made: str) -> str:
        """An invoice's number as the shop's own PDF prints it, "" for none; `made` is the invoice's local date."""
        if number in _NOBODY:
            return ""
        printed = f"{self._prefix(language_id)}{number.zfill(6)}"
        year = made[:4]
        if self.get(USE_YEAR) in _NOBODY or not year.isdigit() or year == "0000":
            return printed
        if self.get(YEAR_FIRST) in _NOBODY:
            return f"{printed}/{year}"
        return f"{self._prefix(language_id)}{year}/{number.zfill(6)}"

    def _prefix(self, language_id: str) -> str:
        best = self._best(PREFIX, self.translated)
        return in_language(best, "value", language_id) if best is not None else self.get(PREFIX)

    def _best(self, name: str, among: Sequence[Row]) -> Row | None:
        of_name = [row for row in among if text(row, "name") == name]
        ranked = [(rank, row) for row in of_name if (rank := self._rank(row)) is not None]
        return max(ranked, key=lambda pair: pair[0])[1] if ranked else None

    def _rank(self, row: Row) -> int | None:
        shop, group = text(row, "id_shop"), text(row, "id_shop_group")
        if shop not in _NOBODY:
            return 2 if shop == self.shop_id else None
        if group not in _NOBODY:
            return 1 if group == self.group_id else None
        return 0


def in_language(parent: Row, key: str, language_id: str = "") -> str:
    """A text in several languages: the one asked for, else the first that is filled. Plain where a shop has one."""
    if not isinstance(parent.get(key), (list, tuple)):
        return text(parent, key)
    by_language = {text(entry, "id"): text(entry, "value") for entry in rows(parent, key)}
    return by_language.get(language_id) or next(filter(None, by_language.values()), "")
