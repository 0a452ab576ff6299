"""The Shopify connector: what it declares, and how the parts of this package work together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from monet_web.connectors.address_guard import StoreAddress
from monet_web.connectors.base import Connector, Json, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.connectors.http import Limits, StoreClient
from monet_web.connectors.shopify.address import TYPE_SHOP, shop_address, store_key
from monet_web.connectors.shopify.api import Api
from monet_web.connectors.shopify.buyer import COMPANY_CODE_FIELDS, VAT_CODE_FIELDS
from monet_web.connectors.shopify.explain import RIGHTS, explain
from monet_web.connectors.shopify.facts import test_connection
from monet_web.connectors.shopify.reader import read
from monet_web.connectors.shopify.reading import Reading, check_reach
from monet_web.connectors.shopify.signing_in import SignedIn
from monet_web.domain.errors import BrokenRule, NeedsOwner
from monet_web.domain.orders import Order, Unreadable

_TEST_SECONDS = 18  # of the 20 that a test may take; the rest is for ending it


class Shopify(Connector):
    """A Shopify shop through its Admin API in GraphQL."""

    kind: ClassVar[str] = "shopify"
    label: ClassVar[str] = "Shopify"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("address", "Shop", TYPE_SHOP, is_address=True),
        Parameter(
            "client_id",
            "Client ID",
            "Of an app that the shop's owner makes on dev.shopify.com, from its Settings. Leave it empty when the app "
            "is an old one with an access token.",
            required=False,
        ),
        Parameter(
            "client_secret",
            "Client secret",
            "Beside the Client ID. It begins with shpss_.",
            secret=True,
            required=False,
        ),
        Parameter(
            "access_token",
            "Access token of an old app",
            "Only for an app made in the shop's admin before 2026: it begins with shpat_. Otherwise leave it empty.",
            secret=True,
            required=False,
        ),
    )
    setup_steps: ClassVar[tuple[str, ...]] = (
        "The shop's owner opens dev.shopify.com with the account of the shop and chooses Create app.",
        "The app must be the owner's own: one made by an accountant or an agency gets no key here.",
        f"In the app make a version with the access scopes {RIGHTS}, and release it.",
        "Add read_all_orders if Shopify has granted it: without it only the last 60 days of orders are visible.",
        "Choose Install app, pick the shop, and accept.",
        "In the app's Settings copy the Client ID and the secret into the fields here.",
        "On the plans Basic and Starter Shopify hides buyers' names and addresses; you fill them in here.",
        "An app made in the shop's admin before 2026 works too: paste its access token instead.",
    )
    company_code_fields: ClassVar[tuple[str, ...]] = COMPANY_CODE_FIELDS
    vat_code_fields: ClassVar[tuple[str, ...]] = VAT_CODE_FIELDS

    def __init__(
        self,
        values: Mapping[str, str],
        surroundings: Surroundings | None = None,
        *,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`values` by the keys of `parameters`. Asks nothing yet. Raises NeedsOwner for an address that is none."""
        secret, token = (values.get(key, "").strip() for key in ("client_secret", "access_token"))
        self._client = StoreClient(
            _address(values), surroundings or Surroundings(), secrets=(secret, token), explain=explain, limits=limits
        )
        self._signed_in = SignedIn(
            self._client,
            client_id=values.get("client_id", "").strip(),
            client_secret=secret,
            access_token=token,
        )
        self._api = Api(self._client, self._signed_in)
        self._now = now

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        """The myshopify domain, however the shop was typed."""
        return store_key(shop_address(values.get("address", "")))

    @classmethod
    def place(cls, typed: str) -> tuple[str, str, int]:
        """The shop that is meant: two shops may be typed by one host, admin.shopify.com."""
        address = shop_address(typed)
        return address.scheme, address.host, address.port

    def test(self) -> StoreFacts:
        """Ask the shop who it is, within 20 s. Raises NeedsOwner and RetryLater."""
        self._signed_in.check()
        self._client.hurry(_TEST_SECONDS)
        return test_connection(self._api, self._now())

    def pages(self, selection: Selection) -> Iterator[Page]:
        """The selection's orders, each once, by id. Lazily. A window older than the app may see is refused."""
        self._signed_in.check()
        check_reach(self._api, selection.window.start, self._now())
        yield from Reading(self._api).pages(selection)

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """These orders; unknown ids, and those older than the app may see, are left out."""
        self._signed_in.check()
        wanted = sorted({int(text) for text in external_ids if text.isascii() and text.isdigit() and len(text) < 20})
        yield from Reading(self._api).by_ids([str(number) for number in wanted if number])

    @classmethod
    def read(cls, order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
        """An order of a page."""
        return read(order, context)

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def __repr__(self) -> str:
        return f"Shopify({self._client.base.url})"


def _address(values: Mapping[str, str]) -> StoreAddress:
    try:
        return shop_address(values.get("address", ""))
    except BrokenRule as error:
        message, fix = error.message, error.fix
    raise NeedsOwner(message, fix=fix)
