"""What *Test connection* asks a PrestaShop (A4): rights first, then what the form's lists need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monet_web.connectors.base import Choice, StoreFacts
from monet_web.connectors.failures import TimedOut
from monet_web.connectors.foreign import Misfit, Row, flag, text
from monet_web.connectors.prestashop import resources as ask_for
from monet_web.connectors.prestashop.api import Api
from monet_web.connectors.prestashop.buyers import COMPANY_CODE_FIELDS, OTHER_FIELDS, VAT_CODE_FIELDS
from monet_web.connectors.prestashop.configuration import CURRENCY, SHOP_NAME, ZONE, Configuration, in_language
from monet_web.connectors.prestashop.explain import lacks
from monet_web.connectors.prestashop.xml_rows import NotXml, document
from monet_web.domain.errors import NeedsOwner

_LOOKED_AT = 500  # of the newest orders, for the ways they are paid; three short fields each
_COUNTED = 10_000  # ids that are counted; a shop with more is not asked how many
_METHODS = frozenset({"put", "post", "delete", "patch"})


def test_connection(api: Api) -> StoreFacts:
    """Everything the shop tells of itself. Raises NeedsOwner or RetryLater when orders cannot be read."""
    name, may_write = _check_rights(api)
    newest = api.rows(ask_for.ORDERS, fields="[id,module,payment,id_shop]", sort="id_DESC", limit=_LOOKED_AT)
    settings = ask_for.SETTINGS[ask_for.CONFIGURATIONS]
    configurations = api.rows(ask_for.CONFIGURATIONS, [("filter[name]", f"[{'|'.join(settings)}]")])
    configuration = Configuration(configurations, shop_id=api.shop)
    _check_zone(configuration)
    states = api.rows(ask_for.STATES)
    asked = _Optional(api)
    currencies = asked.rows(ask_for.CURRENCIES, fields="[id,iso_code]")
    taxes = asked.rows(ask_for.TAXES)
    shops = [shop for shop in asked.rows(ask_for.SHOPS) if not flag(shop, "deleted")]
    count = asked.count(ask_for.ORDERS)
    return StoreFacts(
        name=_shop_name(api, shops) or name or configuration.get(SHOP_NAME) or api.signed_in.client.base.host,
        version=api.signed_in.version or "unknown",
        time_zone=configuration.get(ZONE),
        currency=_code_of(currencies, configuration.get(CURRENCY)),
        statuses=tuple(
            Choice(
                text(state, "id"), in_language(state, "name") or text(state, "id"), is_default=flag(state, "logable")
            )
            for state in states
            if not flag(state, "deleted")
        ),
        tax_rates=tuple(
            Choice(text(tax, "id"), in_language(tax, "name") or text(tax, "rate"))
            for tax in taxes
            if flag(tax, "active") and not flag(tax, "deleted")
        ),
        payment_methods=tuple(
            Choice(module, label or module)
            for module, label in {text(o, "module"): text(o, "payment") for o in reversed(newest)}.items()
            if module
        ),
        fields=tuple(Choice(key, key) for key in (*COMPANY_CODE_FIELDS, *VAT_CODE_FIELDS, *OTHER_FIELDS)),
        shops=tuple(Choice(text(shop, "id"), text(shop, "name")) for shop in shops),
        orders=count,
        learned=api.learned,
        notices=tuple(_notices(api, shops, may_write=may_write, is_late=asked.is_late)),
    )


def _check_rights(api: Api) -> tuple[str, bool]:
    """The shop's name and whether the key may write, from the list of what it may read; else each is tried."""
    answer = api.permitted()
    if answer.status in (401, 403, 404, 405, 503) or (200 <= answer.status < 300 and answer.is_html):
        raise api.signed_in.client.explained(answer)
    try:
        listed = document(answer.body).find("api")
    except NotXml:
        listed = None
    if listed is None:
        # In debug mode or behind a module the list may crash though all else works.
        for resource in _needed(api):
            api.rows(resource, fields="[id]", limit=1)
        return "", False
    readable = {entry.tag for entry in listed if entry.get("get") == "true"}
    missing = [resource for resource in _needed(api) if resource not in readable]
    if missing:
        raise lacks(api.signed_in.client.base.url, missing)
    writable = any(entry.get(method) == "true" for entry in listed for method in _METHODS)
    return (listed.get("shopName") or "").strip(), writable


def _needed(api: Api) -> list[str]:
    return [api.cart_rules if resource == ask_for.CART_RULES else resource for resource in ask_for.NEEDED]


class _Optional:
    """Asks what the orders can be read without, until the time is up."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.is_late = False

    def rows(self, resource: str, **how: Any) -> list[Row]:
        return self._found(resource, **how) or []

    def count(self, resource: str) -> int | None:
        """How many rows there are, None when that cannot be known by one question of bounded size."""
        found = self._found(resource, fields="[id]", limit=_COUNTED + 1)
        return len(found) if found is not None and len(found) <= _COUNTED else None

    def _found(self, resource: str, **how: Any) -> list[Row] | None:
        if self.is_late:
            return None
        try:
            return self._api.optional(resource, **how)
        except TimedOut:
            self.is_late = True
            return None


def _check_zone(configuration: Configuration) -> None:
    try:
        configuration.zone()
    except Misfit as misfit:
        said = str(misfit)
    else:
        return
    message, _, fix = said.partition(". ")
    raise NeedsOwner(f"{message}.", fix=fix)


def _code_of(currencies: list[Row], currency_id: str) -> str:
    return next((text(row, "iso_code") for row in currencies if text(row, "id") == currency_id), "")


def _shop_name(api: Api, shops: list[Row]) -> str:
    return next((text(shop, "name") for shop in shops if text(shop, "id") == api.shop), "")


def _notices(api: Api, shops: list[Row], *, may_write: bool, is_late: bool) -> Iterable[str]:
    if len(shops) > 1 and not api.shop:
        names = ", ".join(f"{text(shop, 'id')} {text(shop, 'name')}" for shop in shops)
        yield (
            f"This PrestaShop holds {len(shops)} shops ({names}). The orders read are those of the shop whose address "
            "was typed, and of shops that share their orders with it. For one shop alone type its number under "
            "“Shop”, for all of them “all”."
        )
    if api.signed_in.left_out:
        yield (
            f"The shop answers at {api.signed_in.client.base.url}, without the {api.signed_in.left_out} that was typed."
        )
    if may_write:
        yield "The key may also write. Nothing is ever written to the shop, so “View (GET)” is enough."
    if api.signed_in.client.base.scheme == "http":
        yield (
            "The address is not https: buyers' data and the key travel readable. Type the https address, if the shop "
            "has one."
        )
    if is_late:
        yield "The shop was slow, so some of the lists on this page may be incomplete. Testing again may fill them."
