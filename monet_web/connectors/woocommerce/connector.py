"""The WooCommerce connector: what it declares, and how the parts of this package work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from monet_web.connectors.address_guard import StoreAddress, parse
from monet_web.connectors.base import Connector, Json, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.connectors.http import Limits, StoreClient
from monet_web.connectors.woocommerce.api import PER_PAGE, Api
from monet_web.connectors.woocommerce.explain import NEW_KEY, explain
from monet_web.connectors.woocommerce.facts import test_connection
from monet_web.connectors.woocommerce.reader import COMPANY_CODE_FIELDS, VAT_CODE_FIELDS, read_order
from monet_web.connectors.woocommerce.reading import Reading, bundled
from monet_web.connectors.woocommerce.signing_in import SignedIn
from monet_web.domain.errors import BrokenRule, NeedsOwner
from monet_web.domain.orders import Order, Unreadable

_TEST_SECONDS = 18  # of the 20 that a test may take; the rest is for ending it
# Pages of WordPress itself, which people copy out of the browser behind the shop's address.
_WORDPRESS_ENDINGS = re.compile(r"/(wp-json|wp-admin|wp-login\.php|wp-content|index\.php)(/.*)?$", re.IGNORECASE)


class WooCommerce(Connector):
    """A WooCommerce shop through its REST API, version 3 (WooCommerce 3.9 to 11)."""

    kind: ClassVar[str] = "woocommerce"
    label: ClassVar[str] = "WooCommerce"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "address",
            "Shop's address",
            "As you see it in the browser on the shop's front page, for example https://www.example.com.",
            is_address=True,
        ),
        Parameter(
            "consumer_key",
            "Consumer key",
            f"{NEW_KEY} This is the part that begins with ck_.",
            secret=True,
        ),
        Parameter(
            "consumer_secret",
            "Consumer secret",
            "The part that begins with cs_. WooCommerce shows it only once, when the key is made.",
            secret=True,
        ),
    )
    setup_steps: ClassVar[tuple[str, ...]] = (
        "Sign in to the shop's WordPress as an administrator, and open WooCommerce → Settings → Advanced → REST API.",
        "Press “Add key”. As description type Monet; as user choose an administrator or a shop manager.",
        "As permissions choose “Read”: nothing is ever written to the shop.",
        "Press “Generate API key”. Copy the consumer key (ck_…) and the consumer secret (cs_…) here.",
        "Do that before you leave the page: the secret is shown only once.",
        "Under Settings → Permalinks anything but “Plain” must be chosen, because with it the keys do not work.",
    )
    number_sources: ClassVar[tuple[str, ...]] = ("order", "invoice")
    company_code_fields: ClassVar[tuple[str, ...]] = COMPANY_CODE_FIELDS
    vat_code_fields: ClassVar[tuple[str, ...]] = VAT_CODE_FIELDS

    def __init__(
        self, values: Mapping[str, str], surroundings: Surroundings | None = None, *, limits: Limits | None = None
    ) -> None:
        """`values` by the keys of `parameters`. Asks nothing yet. Raises NeedsOwner for an address that is none."""
        around = surroundings or Surroundings()
        self._key = values.get("consumer_key", "").strip()
        self._secret = values.get("consumer_secret", "").strip()
        self._client = StoreClient(
            _address(values), around, secrets=(self._key, self._secret), explain=explain, limits=limits
        )
        signed_in = SignedIn(self._client, self._key, self._secret, learned=around.learned.get("auth", ""))
        self._api = Api(signed_in, around.learned)

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        """Host, port unless it is the usual one, and path; http and https are the same shop, www. is another."""
        address = _parsed(values)
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"{host}{'' if address.has_default_port else f':{address.port}'}{address.path}"

    @property
    def learned(self) -> dict[str, str]:
        """What is known of this shop after the run, to be given back in `Surroundings.learned` next time."""
        return self._api.learned

    def test(self) -> StoreFacts:
        """Ask the shop who it is, within 20 s. Raises NeedsOwner and RetryLater."""
        self._check_keys()
        self._client.hurry(_TEST_SECONDS)
        return test_connection(self._api)

    def pages(self, selection: Selection) -> Iterator[Page]:
        """The selection's orders and those with a refund made in its window, each once, by id. Lazily."""
        self._check_keys()
        yield from Reading(self._api, selection).pages()

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """These orders, trashed ones (status `trash`) and ones of lost custom statuses too; unknown ids left out."""
        self._check_keys()
        wanted = sorted({int(text) for text in external_ids if text.isascii() and text.isdigit() and len(text) < 16})
        for start in range(0, len(wanted), PER_PAGE):
            ids = [str(number) for number in wanted[start : start + PER_PAGE]]
            found, broken = self._api.by_ids(ids)
            orders = [found[order_id] for order_id in ids if order_id in found]
            yield Page(orders=bundled(self._api, orders), expected=len(wanted), unreadable=tuple(broken))

    @classmethod
    def read(cls, order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:  # noqa: ARG003
        """One bundle of a page: `{"order": …, "refunds": […] | None}`. Nothing is shared, so `context` is empty."""
        return read_order(order)

    def close(self) -> None:
        """End the connections."""
        self._api.close()
        self._client.close()

    def __repr__(self) -> str:
        return f"WooCommerce({self._client.base.url})"

    def _check_keys(self) -> None:
        """What can be seen without asking: the shop itself cannot tell swapped keys from an unknown one."""
        if self._key.startswith("cs_") and self._secret.startswith("ck_"):
            raise NeedsOwner(
                "Consumer key and consumer secret are in each other's field.",
                fix="Put the part that begins with ck_ into “Consumer key”, the one with cs_ into “Consumer secret”.",
            )
        for field, value in (("consumer key", self._key), ("consumer secret", self._secret)):
            if not value:
                raise NeedsOwner(f"The {field} is empty.", fix=NEW_KEY)


def _parsed(values: Mapping[str, str]) -> StoreAddress:
    typed = values.get("address", "").strip().split("#", 1)[0].split("?", 1)[0]
    address = parse(typed)
    path = re.sub(r"/{2,}", "/", _WORDPRESS_ENDINGS.sub("", address.path)).rstrip("/")
    return StoreAddress(address.scheme, address.host, address.port, path)


def _address(values: Mapping[str, str]) -> StoreAddress:
    try:
        return _parsed(values)
    except BrokenRule as error:
        message, fix = error.message, error.fix
    raise NeedsOwner(message, fix=fix)
