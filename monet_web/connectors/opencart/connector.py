"""The OpenCart connector: what it declares, and how the parts of this package work together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from monet_web.connectors.address_guard import StoreAddress, parse
from monet_web.connectors.base import (
    Connector,
    Download,
    Json,
    OrdersFile,
    Page,
    Parameter,
    Picture,
    Selection,
    StoreFacts,
    Surroundings,
)
from monet_web.connectors.http import Limits, StoreClient
from monet_web.connectors.opencart.api import Api
from monet_web.connectors.opencart.backup.dump import kept
from monet_web.connectors.opencart.backup.orders import pages_of
from monet_web.connectors.opencart.declared import DEFAULT_ZONE, ORDERS_FILE, PARAMETERS, SETUP_PICTURES, SETUP_STEPS
from monet_web.connectors.opencart.downloads import DOWNLOADS
from monet_web.connectors.opencart.explain import NEW_USER, explain
from monet_web.connectors.opencart.facts import test_connection
from monet_web.connectors.opencart.reader import COMPANY_CODE_FIELDS, VAT_CODE_FIELDS, read_order
from monet_web.connectors.opencart.reading import PER_PAGE, Reading, by_ids
from monet_web.connectors.opencart.shop import context_of, needed_zone
from monet_web.connectors.opencart.signing import Door
from monet_web.domain.errors import BrokenRule, NeedsOwner
from monet_web.domain.orders import Order, Unreadable

_TEST_SECONDS = 18  # of the 20 that a test may take; the rest is for ending it
# Pages of OpenCart itself, which people copy out of the browser behind the shop's address.
_OPENCART_ENDINGS = re.compile(r"/(index\.php|monet_bridge\.php|admin)(/.*)?$", re.IGNORECASE)
_UNFINISHED = "0"


class OpenCart(Connector):
    """An OpenCart shop, 2.1 to 4.1, through the bridge; stock OpenCart has no way to list orders."""

    kind: ClassVar[str] = "opencart"
    label: ClassVar[str] = "OpenCart"
    parameters: ClassVar[tuple[Parameter, ...]] = PARAMETERS
    setup_steps: ClassVar[tuple[str, ...]] = SETUP_STEPS
    setup_pictures: ClassVar[tuple[Picture, ...]] = SETUP_PICTURES
    downloads: ClassVar[tuple[Download, ...]] = DOWNLOADS
    orders_file: ClassVar[OrdersFile | None] = ORDERS_FILE
    number_sources: ClassVar[tuple[str, ...]] = ("order", "invoice")
    company_code_fields: ClassVar[tuple[str, ...]] = COMPANY_CODE_FIELDS
    vat_code_fields: ClassVar[tuple[str, ...]] = VAT_CODE_FIELDS

    def __init__(
        self, values: Mapping[str, str], surroundings: Surroundings | None = None, *, limits: Limits | None = None
    ) -> None:
        """`values` by the keys of `parameters`. Asks nothing yet. Raises NeedsOwner for an address that is none."""
        around = surroundings or Surroundings()
        self._user = values.get("api_user", "").strip()
        self._key = "".join(values.get("api_key", "").split())  # a key copied out of a narrow field has line breaks
        self._zone_of_old = values.get("time_zone", "").strip() or DEFAULT_ZONE
        self._shop = values.get("shop", "").strip()
        self._known = dict(around.learned)
        self._client = StoreClient(_address(values), around, secrets=(self._key,), explain=explain, limits=limits)
        self._door = Door(self._client, self._user, self._key, learned=around.learned)
        self._api = Api(self._door, shop=self._shop)

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        """Host, port unless it is the usual one, path, and the shop's number if one is typed; www. is another host."""
        address = _parsed(values)
        host = f"[{address.host}]" if ":" in address.host else address.host
        shop = values.get("shop", "").strip()
        if shop and not (shop.isascii() and shop.isdigit() and len(shop) < 10):
            raise BrokenRule(
                f"The shop's number reads “{shop[:40]}”.",
                fix="Type the number that Test connection lists, 0 for the main shop, or leave the field empty.",
                field="shop",
            )
        place = f"{host}{'' if address.has_default_port else f':{address.port}'}{address.path}"
        return f"{place}#{int(shop)}" if shop else place

    @property
    def learned(self) -> dict[str, str]:
        """What is known of this shop after the run, to be given back in `Surroundings.learned` next time."""
        return {**self._known, **self._door.learned}

    def test(self) -> StoreFacts:
        """Ask the shop who it is, within 20 s. Raises NeedsOwner and RetryLater."""
        self._check_key()
        self._client.hurry(_TEST_SECONDS)
        return test_connection(self._api, lambda: self.learned, zone_of_old=self._zone_of_old, shop=self._shop)

    def pages(self, selection: Selection) -> Iterator[Page]:
        """The selection's orders, each once, by id, without those whose checkout was never finished. Lazily."""
        self._check_key()
        context = self._context()
        yield from Reading(self._api, selection, needed_zone(context), context).pages()

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """These orders; unknown ids left out. One that is unfinished (also while somebody edits it) is unreadable."""
        self._check_key()
        wanted = sorted({int(text) for text in external_ids if text.isascii() and text.isdigit() and len(text) < 16})
        context = self._context() if wanted else {}
        for start in range(0, len(wanted), PER_PAGE):
            rows, broken = by_ids(self._api, wanted[start : start + PER_PAGE])
            finished = tuple(row for row in rows if str(row.get("order_status_id")) != _UNFINISHED)
            unfinished = tuple(_unfinished(row) for row in rows if str(row.get("order_status_id")) == _UNFINISHED)
            yield Page(orders=finished, context=context, expected=len(wanted), unreadable=(*unfinished, *broken))

    @classmethod
    def kept_of_file(cls, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Of a backup only the tables that orders need, of its settings only a few."""
        return kept(lines)

    def pages_of_file(self, lines: Iterable[bytes]) -> Iterator[Page]:
        """The finished orders of a backup, of the chosen shop."""
        return pages_of(lines, zone_of_old=self._zone_of_old, shop=self._shop)

    @classmethod
    def read(cls, order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
        """One order of a page; `context` is what was needed of the shop (`shop.context_of`)."""
        return read_order(order, context)

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def __repr__(self) -> str:
        return f"OpenCart({self._client.base.url})"

    def _context(self) -> Mapping[str, Json]:
        return context_of(self._api.info(), zone_of_old=self._zone_of_old)

    def _check_key(self) -> None:
        """What can be seen without asking."""
        if not self._user or not self._user.isprintable():
            raise NeedsOwner("The name of the API user is empty or no name.", fix=NEW_USER)
        if not self._key:
            raise NeedsOwner(
                "There is no API key, so the shop cannot be asked for its orders.",
                fix=f"Upload a backup of the orders, or: {NEW_USER}",
            )


def _unfinished(row: Mapping[str, Json]) -> Unreadable:
    number = str(row.get("order_id"))
    reason = f"Order {number} is unfinished in the shop: somebody edits it just now, or its checkout was taken back."
    return Unreadable(number, reason, number=number)


def _parsed(values: Mapping[str, str]) -> StoreAddress:
    typed = values.get("address", "").strip().split("#", 1)[0].split("?", 1)[0]
    address = parse(typed)
    path = re.sub(r"/{2,}", "/", _OPENCART_ENDINGS.sub("", address.path)).rstrip("/")
    return StoreAddress(address.scheme, address.host, address.port, path)


def _address(values: Mapping[str, str]) -> StoreAddress:
    try:
        return _parsed(values)
    except BrokenRule as error:
        message, fix = error.message, error.fix
    raise NeedsOwner(message, fix=fix)
