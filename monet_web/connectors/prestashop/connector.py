"""The PrestaShop connector: what it declares, and how the parts of this package work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from monet_web.connectors.address_guard import StoreAddress, parse
from monet_web.connectors.base import Connector, Json, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.connectors.foreign import Misfit
from monet_web.connectors.http import Limits, StoreClient
from monet_web.connectors.prestashop.api import Api
from monet_web.connectors.prestashop.bundles import PER_PAGE, Bundles
from monet_web.connectors.prestashop.buyers import COMPANY_CODE_FIELDS, VAT_CODE_FIELDS
from monet_web.connectors.prestashop.explain import NEW_KEY, WEBSERVICE, explain
from monet_web.connectors.prestashop.facts import test_connection
from monet_web.connectors.prestashop.reader import read_order
from monet_web.connectors.prestashop.reading import Reading
from monet_web.connectors.prestashop.resources import CART_RULES, CART_RULES_OF_1_6, NEEDED, WANTED
from monet_web.connectors.prestashop.signing_in import SignedIn
from monet_web.domain.errors import BrokenRule, NeedsOwner
from monet_web.domain.orders import Order, Unreadable

_TEST_SECONDS = 18  # of the 20 that a test may take; the rest is for ending it
_ALL = "all"
# What people copy out of the browser behind the shop's address and what is never its folder: the API, and a page.
_ENDINGS = (
    re.compile(r"/(api|webservice|index\.php)(/.*)?$", re.IGNORECASE),
    re.compile(r"/[^/]+\.(html?|php)$", re.IGNORECASE),
)
# What may be a folder of the shop or not: the back office (whose folder has a name of its own after "admin"), and the
# language of the front page (/lt/). Only the shop can tell, so it is asked at the address as it was typed first.
_PERHAPS = (
    re.compile(r"/admin[\w-]*(/.*)?$", re.IGNORECASE),
    re.compile(r"/[a-z]{2}(-[a-z]{2})?$", re.IGNORECASE),
)
_TICKED = ", ".join(
    f"{name} (in 1.6: {CART_RULES_OF_1_6})" if name == CART_RULES else name for name in sorted((*NEEDED, *WANTED))
)


class PrestaShop(Connector):
    """A PrestaShop through the webservice of its keys (1.6, 1.7, 8, 9)."""

    kind: ClassVar[str] = "prestashop"
    label: ClassVar[str] = "PrestaShop"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "address",
            "Shop's address",
            "As you see it in the browser on the shop's front page, for example https://www.example.com.",
            is_address=True,
        ),
        Parameter(
            "key",
            "Webservice key",
            f"The 32 characters from {WEBSERVICE}.",
            secret=True,
        ),
        Parameter(
            "shop",
            "Shop",
            "Only when one PrestaShop holds several shops: the number of the shop, or “all”. Empty: the one whose "
            "address is above.",
            required=False,
        ),
    )
    setup_steps: ClassVar[tuple[str, ...]] = (
        "Sign in to the shop's back office as an administrator, and open Advanced Parameters → Webservice.",
        "Set “Enable PrestaShop's webservice” to Yes and save.",
        "Press “Add new webservice key”, then “Generate”. As description type Monet; leave it enabled.",
        f"Under permissions tick “View (GET)” for: {_TICKED}. Nothing else: nothing is ever written to the shop.",
        "Where one PrestaShop holds several shops, tick the shop under “Shop association” too.",
        "Save, and copy the key here.",
    )
    number_sources: ClassVar[tuple[str, ...]] = ("order", "invoice")
    company_code_fields: ClassVar[tuple[str, ...]] = COMPANY_CODE_FIELDS
    vat_code_fields: ClassVar[tuple[str, ...]] = VAT_CODE_FIELDS

    def __init__(
        self, values: Mapping[str, str], surroundings: Surroundings | None = None, *, limits: Limits | None = None
    ) -> None:
        """`values` by the keys of `parameters`. Asks nothing yet. Raises NeedsOwner for an address that is none."""
        around = surroundings or Surroundings()
        self._key = values.get("key", "").strip()
        try:
            address, shop, refused = _parsed(values), _shop(values), None
        except BrokenRule as error:
            address, shop, refused = None, "", NeedsOwner(error.message, fix=error.fix)
        if address is None:
            assert refused is not None  # noqa: S101 - one of the two is set above
            raise refused
        learned = around.learned
        paths = _paths(address.path)
        if learned.get("folder") in paths:
            paths = [learned["folder"]]
        address = replace(address, path=paths[0])
        self._client = StoreClient(address, around, secrets=(self._key,), explain=explain, limits=limits)
        signed_in = SignedIn(
            self._client, self._key, way=learned.get("way", ""), door=learned.get("door", ""), shorter=paths[1:]
        )
        self._api = Api(signed_in, learned, shop)

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        """Host, port unless it is the usual one, path, and the shop's number where one was typed.

        A language or a back office at the end stays, for there are shops in folders so named; `settled` takes it off.
        """
        address = _parsed(values)
        host = f"[{address.host}]" if ":" in address.host else address.host
        shop = _shop(values)
        port = "" if address.has_default_port else f":{address.port}"
        return f"{host}{port}{address.path}{f'#{shop}' if shop else ''}"

    @classmethod
    def settled(cls, values: Mapping[str, str], learned: Mapping[str, str]) -> dict[str, str]:
        """The address without a language or back office at its end, where the shop answered without it."""
        address = _parsed(values)
        folder = learned.get("folder")
        if folder is None or folder not in _paths(address.path)[1:]:
            return dict(values)
        return {**values, "address": replace(address, path=folder).url}

    @property
    def learned(self) -> dict[str, str]:
        """What is known of this shop after the run, to be given back in `Surroundings.learned` next time."""
        return self._api.learned

    def test(self) -> StoreFacts:
        """Ask the shop who it is, within 20 s. Raises NeedsOwner and RetryLater."""
        self._check_key()
        self._client.hurry(_TEST_SECONDS)
        with _misfits_named():
            return test_connection(self._api)

    def pages(self, selection: Selection) -> Iterator[Page]:
        """The selection's orders and those with a credit slip made in its window, each once, by id. Lazily."""
        self._check_key()
        with _misfits_named():
            yield from Reading(self._api, selection).pages()

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """These orders; unknown ids left out."""
        self._check_key()
        wanted = sorted({int(text) for text in external_ids if text.isascii() and text.isdigit() and len(text) < 16})
        bundles = Bundles(self._api)
        with _misfits_named():
            for start in range(0, len(wanted), PER_PAGE):
                yield bundles.page([str(number) for number in wanted[start : start + PER_PAGE]], len(wanted))

    @classmethod
    def read(cls, order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
        """One bundle of a page (reader.py says what it is made of), with the tables that its page shares."""
        return read_order(order, context)

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def __repr__(self) -> str:
        return f"PrestaShop({self._client.base.url})"

    def _check_key(self) -> None:
        if not self._key:
            raise NeedsOwner("The webservice key is empty.", fix=NEW_KEY)


@contextmanager
def _misfits_named() -> Iterator[None]:
    """What a shop writes into its ids and settings that cannot be there is a module's doing."""
    said = ""
    try:
        yield
    except Misfit as misfit:
        said = str(misfit)
    if said:
        raise NeedsOwner(
            f"The shop's answer cannot be used. {said}",
            fix="A module changes what the webservice gives; show this to whoever looks after the shop.",
        )


def _parsed(values: Mapping[str, str]) -> StoreAddress:
    typed = values.get("address", "").strip().split("#", 1)[0].split("?", 1)[0]
    address = parse(typed)
    path = re.sub(r"/{2,}", "/", address.path)
    for ending in _ENDINGS:
        path = ending.sub("", path.rstrip("/"))
    return replace(address, path=path.rstrip("/"))


def _paths(path: str) -> list[str]:
    """Where the shop may be: the path as it is, then without what may be no folder."""
    found = [path]
    for ending in _PERHAPS:
        found.append(ending.sub("", found[-1]).rstrip("/"))
    return list(dict.fromkeys(found))


def _shop(values: Mapping[str, str]) -> str:
    typed = values.get("shop", "").strip().casefold()
    if typed in ("", _ALL) or (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed)):
        return typed.lstrip("0")
    raise BrokenRule(
        f"“{typed[:40]}” is not a shop's number.",
        fix="Type the number that PrestaShop shows under Advanced Parameters → Multistore, “all”, or nothing.",
        field="shop",
    )
