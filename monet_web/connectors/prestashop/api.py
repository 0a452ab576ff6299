"""The questions this program asks PrestaShop's webservice, each with what was measured about it.

Only lists are asked for: single objects lose their falsy fields in version 8. `sort` is always given, because there is
no order by default, and `date=1` with every date, without which dates are unknown fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from monet_web.connectors.answers import Answer
from monet_web.connectors.failures import LATER, TimedOut, TooLarge, Unusable
from monet_web.connectors.foreign import text
from monet_web.connectors.http import Params
from monet_web.connectors.paging import Row, row_id
from monet_web.connectors.prestashop.explain import is_webservice
from monet_web.connectors.prestashop.resources import FULL, LISTED_AS, cart_rules_of
from monet_web.connectors.prestashop.signing_in import SignedIn
from monet_web.connectors.prestashop.xml_rows import NotXml, rows_of
from monet_web.domain.errors import NeedsOwner

_LONGEST_FILTER = 2400  # of the 4 kB that an address may have with every host; encoded
_LISTED_AT_ONCE = 1000  # ids with their dates: about 100 bytes each
_FEWEST_LISTED = 10
_MOST_LISTED = 20_000  # questions of one list
_MODULE = "If it happens again, a module of the shop changes the answers of its webservice."
_SEPARATORS = frozenset("[]|,")  # these have a meaning inside a filter's value


class Api:
    """A shop's webservice. `learned` is what was found out about it and need not be asked again.

    `shop` is the number of one shop of a multi-shop installation, "all", or "" for the one whose address was typed.
    """

    def __init__(self, signed_in: SignedIn, learned: Mapping[str, str], shop: str = "") -> None:
        self.signed_in = signed_in
        self.shop = shop
        self._learned = dict(learned)

    @property
    def learned(self) -> dict[str, str]:
        """What was known before and what was learned since."""
        if not self.signed_in.is_sure:
            return dict(self._learned)
        return {**self._learned, "way": self.signed_in.way, "door": self.signed_in.door, **self._folder}

    @property
    def _folder(self) -> dict[str, str]:
        return {"folder": self.signed_in.client.base.path} if self.signed_in.left_out else {}

    @property
    def cart_rules(self) -> str:
        """What this version calls the discounts of orders; asked after something else, it knows the version."""
        return cart_rules_of(self.signed_in.version)

    def rows(
        self, resource: str, filters: Params = (), *, fields: str = FULL, sort: str = "id_ASC", limit: int = 0
    ) -> list[Row]:
        """The rows of a list, as XML where JSON could not be made. Raises NeedsOwner, RetryLater, Unusable."""
        params = [("display", fields), *filters]
        if any("date" in name for name, _ in filters) or "date" in sort:
            params.append(("date", "1"))
        params += [("sort", f"[{sort}]"), *([("limit", str(limit))] if limit else []), *self._of_shop()]
        answer = self._good(resource, [("output_format", "JSON"), *params])
        if not answer.body.strip():
            return self._xml_rows(resource, params)
        body = self.signed_in.client.json(answer)
        if body == []:
            return []  # nothing found is an empty list and not an object
        found = body.get(LISTED_AS.get(resource, resource)) if isinstance(body, dict) else None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unusable(f"{answer.url} gave something that is no list of {resource}.", fix=_MODULE)
        return found

    def of(self, resource: str, field: str, values: Iterable[str], *, fields: str = FULL) -> list[Row]:
        """The rows whose `field` is one of `values`, in as many questions as their addresses' length asks for."""
        found: list[Row] = []
        for some in _short_enough(sorted(set(values))):
            found += self.rows(resource, [(f"filter[{field}]", f"[{'|'.join(some)}]")], fields=fields)
        return found

    def listed(self, resource: str, filters: Params, *, fields: str) -> Iterator[Row]:
        """Every row by id, lazily. Each question asks for what stands behind the last id, so that no row is missed or
        doubled though rows come and go; it ends with an empty answer, because a module may cap a page's size.
        """
        last, size = 0, _LISTED_AT_ONCE
        for _ in range(_MOST_LISTED):
            try:
                found = self.rows(resource, [("filter[id]", f">[{last}]"), *filters], fields=fields, limit=size)
            except (Unusable, TimedOut, TooLarge):
                if size <= _FEWEST_LISTED:
                    raise
                size //= 4
                continue
            if not found:
                return
            for row in found:
                if row_id(row) <= last:
                    raise _out_of_order(resource, last)
                last = row_id(row)
                yield row
        raise NeedsOwner(
            f"The shop's list of {resource} does not end.",
            fix=f"Choose a shorter period. {_MODULE}",
        )

    def takes(self, order: Row) -> bool:
        """Whether an order is of the shop that was chosen: a group of shops that share orders gives them all."""
        return not self.shop.isdigit() or text(order, "id_shop") in ("", self.shop)

    def optional(self, resource: str, filters: Params = (), **how: Any) -> list[Row] | None:
        """The rows of something that is good to have, None when it cannot be had."""
        try:
            return self.rows(resource, filters, **how)
        except (NeedsOwner, Unusable):
            return None

    def permitted(self) -> Answer:
        """The list of what the key may read, as XML: as JSON it crashes in 8.0."""
        return self.signed_in.ask("", self._of_shop())

    def _xml_rows(self, resource: str, params: Params) -> list[Row]:
        answer = self._good(resource, params)
        try:
            return list(rows_of(answer.body))
        except NotXml as error:
            said = str(error) if answer.body.strip() else "an empty answer, as JSON and as XML"
        raise Unusable(f"{answer.url} gave {said} where {resource} were asked for.", fix=LATER)

    def _of_shop(self) -> list[tuple[str, str]]:
        return [("id_shop", self.shop)] if self.shop else []

    def _good(self, resource: str, params: Params) -> Answer:
        answer = self.signed_in.ask(resource, params)
        if answer.status == 500 or (answer.status == 414 and not is_webservice(answer)):
            # One order that a module chokes on fails its whole page, so a smaller page may do.
            error = self.signed_in.client.explained(answer)
            raise Unusable(error.message, fix=error.fix)
        if not 200 <= answer.status < 300:
            raise self.signed_in.client.explained(answer)
        return answer


def can_be_asked_for(value: str) -> bool:
    """Whether a text means itself inside a filter."""
    return bool(value) and not _SEPARATORS & set(value)


def _short_enough(values: Sequence[str]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for value in values:
        length = len(quote(value, safe="")) + 3  # "|" is sent as %7C
        if some and size + length > _LONGEST_FILTER:
            yield some
            some, size = [], 0
        some.append(value)
        size += length
    if some:
        yield some


def _out_of_order(resource: str, last: int) -> NeedsOwner:
    return NeedsOwner(
        f"The shop does not give its {resource} in the order of their ids (after {last}), so some could be missed.",
        fix="A module or a firewall of the shop changes what its webservice is asked; it must leave /api/ alone.",
    )
