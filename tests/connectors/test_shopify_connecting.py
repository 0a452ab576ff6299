"""Connecting a Shopify shop: what may be typed, and every way it can be wrong, in a sentence with what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monet_web.connectors.base import Surroundings
from monet_web.connectors.shopify import Shopify
from monet_web.connectors.shopify.parts import Parts
from monet_web.connectors.shopify.queries import QUERIES
from monet_web.connectors.shopify.refund_queries import QUERIES as REFUND_QUERIES
from monet_web.demo.shopify.answering import schema
from monet_web.demo.shopify.app import ALL_SCOPES, DEMO_ID, DEMO_SECRET, DEMO_TOKEN, App
from monet_web.demo.shopify.faults import Faults
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from tests.connectors.shop import running, says
from tests.connectors.shopify_shop import Clock, names, opened


@pytest.mark.parametrize(
    "typed",
    [
        "myshop",
        " MyShop ",
        "myshop.myshopify.com",
        "myshop.myshopify.com/",
        "https://myshop.myshopify.com",
        "http://myshop.myshopify.com:80/admin/orders?status=open#top",
        "admin.shopify.com/store/myshop",
        "https://admin.shopify.com/store/myshop/settings/domains",
    ],
)
def test_a_shop_may_be_typed_in_any_of_these_ways(typed: str) -> None:
    assert Shopify.store_key({"address": typed}) == "myshop.myshopify.com"
    connector = Shopify({"address": typed, "client_id": DEMO_ID, "client_secret": DEMO_SECRET})
    assert connector._client.base.url == "https://myshop.myshopify.com"


def test_two_shops_typed_by_one_host_are_two_places_and_two_spellings_of_a_shop_are_one() -> None:
    """A key is sent only to the place that it was typed for."""
    one, two = Shopify.place("admin.shopify.com/store/one"), Shopify.place("admin.shopify.com/store/two")
    assert one != two
    assert (
        one == Shopify.place("one") == Shopify.place("http://one.myshopify.com") == ("https", "one.myshopify.com", 443)
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "The shop's name is empty."),
        ("https://www.example.com", "www.example.com is the address that buyers see. Shopify's keys work only at the"),
        ("https://admin.shopify.com", "admin.shopify.com is Shopify's own page and does not say which shop is meant."),
        ("dev.shopify.com/dashboard/1", "dev.shopify.com is where apps are made, not a shop."),
        ("myshopify.com", "myshopify.com is the address that buyers see."),
        ("a.b.myshopify.com", "“a.b” cannot be the name of a Shopify shop."),
        ("-shop", "The address names the host -shop, which no domain can be called."),
        ("my shop", "The address has a space or another character in it that no address has."),
        ("myshop.myshopify.com.evil.example", "myshop.myshopify.com.evil.example is the address that buyers see."),
        ("https://user:pass@myshop.myshopify.com", "The address has a user name or password in it"),
        ("10.0.0.1", "10.0.0.1 is the address that buyers see."),
    ],
)
def test_what_cannot_be_a_shop_is_refused_with_where_to_find_its_name(typed: str, sentence: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        Shopify.store_key({"address": typed})
    assert caught.value.message.startswith(sentence)
    assert "admin.shopify.com/store/example" in caught.value.fix
    with pytest.raises(NeedsOwner) as refused:
        Shopify({"address": typed})
    assert refused.value.message == caught.value.message


@pytest.mark.parametrize(
    ("values", "sentence", "fix"),
    [
        ({}, "There is no key: Client ID and secret are empty.", "dev.shopify.com"),
        ({"client_id": DEMO_ID}, "The secret of the app is empty.", "dev.shopify.com"),
        ({"client_secret": DEMO_SECRET}, "The Client ID is empty.", "dev.shopify.com"),
        ({"access_token": "shpat_ 12"}, "The access token has a space or another character in it", "Copy it again"),
        ({"client_id": "ąžuolas", "client_secret": DEMO_SECRET}, "The Client ID has a space or", "Copy it again"),
        ({"client_id": DEMO_ID, "client_secret": "a\u200bb"}, "The secret has a space or another", "Copy it again"),
        (
            {"access_token": DEMO_SECRET},
            "What stands in the field of the access token begins with shpss_",
            "Client sec",
        ),
        (
            {"client_id": DEMO_ID, "client_secret": DEMO_TOKEN},
            "What stands in the field of the secret begins with shpat_, which is an access token.",
            "“Access token”",
        ),
    ],
)
def test_keys_that_cannot_be_keys_are_refused_before_anything_is_asked(
    values: dict[str, str], sentence: str, fix: str
) -> None:
    shop = ShopifyShop(Store(total=3))
    with opened(shop, **{"client_id": "", "client_secret": "", **values}) as connector:  # type: ignore[arg-type]
        for question in (connector.test, lambda: list(connector.by_ids(["1"]))):
            with pytest.raises(NeedsOwner) as caught:
                question()
            assert caught.value.message.startswith(sentence)
            assert fix in caught.value.fix
    assert names(shop) == []


def refused(shop: ShopifyShop, **values: str) -> MonetError:
    """What *Test connection* says."""
    with opened(shop, clock=Clock(), **values) as connector, pytest.raises(MonetError) as caught:
        connector.test()
    assert caught.value.fix
    assert DEMO_SECRET not in str(caught.value.args) + caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("made", "values", "sentence", "fix"),
    [
        (App(), {"client_id": "0" * 32}, "Shopify knows no app with this Client ID (400).", "Copy the Client ID again"),
        (App(), {"client_secret": "shpss_0"}, "Shopify knows the Client ID, but the secret does not", "secret again"),
        (App(foreign=True), {}, "This app may not get a key for 127.0.0.1", "in the shop owner's own organisation"),
        (App(installed=False), {}, "The app is not installed on 127.0.0.1", "Install app"),
        (
            App(),
            {"client_id": "", "client_secret": "", "access_token": "shpat_0000"},
            "127.0.0.1:",
            "The app was removed from the shop, or the token was made anew.",
        ),
        (App(scopes=frozenset({"read_products"})), {}, "The app may not read the orders of 127.0.0.1", "read_orders"),
    ],
)
def test_a_wrong_key_says_which_and_how_to_mend_it(made: App, values: dict[str, str], sentence: str, fix: str) -> None:
    error = refused(ShopifyShop(Store(total=3), app=made), **values)
    assert isinstance(error, NeedsOwner)
    assert error.message.startswith(sentence)
    assert fix in error.fix


@pytest.mark.parametrize(
    ("faults", "kind", "sentence", "fix"),
    [
        (Faults(unknown_shop=True), NeedsOwner, "There is no Shopify shop at 127.0.0.1", "admin.shopify.com/store/"),
        (Faults(frozen=True), NeedsOwner, "waits for its bill to be paid (402)", "Settings → Billing"),
        (Faults(locked=True), NeedsOwner, "Shopify has locked 127.0.0.1", "support"),
        (Faults(forbidden=True), NeedsOwner, "lets the app in, but not to the orders (403)", "read_orders"),
        (Faults(too_many_requests=3600), RetryLater, "we ask too often (429)", "Try again later"),
        (Faults(failing=True), RetryLater, "failed with an error of its own (500)", "Try again later"),
        (Faults(maintenance=True), RetryLater, "(503)", "Try again later"),
    ],
)
@pytest.mark.parametrize("way", ["client", "token"])
def test_what_is_wrong_with_the_shop_is_said(
    faults: Faults, kind: type[MonetError], sentence: str, fix: str, way: str
) -> None:
    """At either door, the one for tokens and the one for questions."""
    values = {"client_id": "", "client_secret": "", "access_token": DEMO_TOKEN} if way == "token" else {}
    error = refused(ShopifyShop(Store(total=3), faults=faults), **values)
    assert isinstance(error, kind)
    assert sentence in error.message
    assert fix in error.fix


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"errors": [{"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}]}, "Field 'x'"),
        ({"errors": [{"message": "Internal", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, "“Internal”"),
        ({"errors": [{"message": "No", "extensions": {"code": "ACCESS_DENIED"}, "path": ["orders"]}]}, "orders of"),
        ({"errors": [{"message": "Too dear", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, "too dear"),
        ({"errors": "[API] something"}, "errors that cannot be read"),
        ({"errors": [7]}, "errors that cannot be read"),
        ({"data": None}, "an answer without data"),
        ({"data": {"shop": None}}, "no installed app"),
        ({"data": {"currentAppInstallation": {"accessScopes": 5}}}, "no list of rights"),
    ],
)
def test_errors_that_come_with_the_status_200_are_seen(body: Any, sentence: str) -> None:
    with running(lambda request: says(body)) as shop:
        connector = Shopify({"address": shop.address, "access_token": DEMO_TOKEN}, shop.surroundings())
        with pytest.raises(MonetError) as caught:
            connector.test()
        connector.close()
    assert sentence in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize("body", [{}, [], {"access_token": ""}, {"access_token": 5}, {"access_token": "a\nb"}])
def test_a_token_that_is_none_is_not_used(body: Any) -> None:
    with running(lambda request: says(body)) as shop:
        connector = Shopify(
            {"address": shop.address, "client_id": DEMO_ID, "client_secret": DEMO_SECRET}, shop.surroundings()
        )
        with pytest.raises(RetryLater, match="gave no access token"):
            connector.test()
        connector.close()
    assert [request.path for request in shop.asked] == ["/admin/oauth/access_token"]


def test_a_key_goes_to_no_host_but_the_shop_s() -> None:
    """Also where private addresses are allowed, only a myshopify.com name or the loopback gets one."""
    around = Surroundings(allow_private_addresses=True)
    for typed in ("http://192.168.1.5", "http://intranet.local", "https://evil.example"):
        with pytest.raises(NeedsOwner):
            Shopify({"address": typed, "access_token": DEMO_TOKEN}, around)


def test_the_steps_name_the_rights_that_are_asked_for() -> None:
    steps = " ".join(Shopify.setup_steps)
    for scope in sorted(ALL_SCOPES):
        assert scope in steps
    assert len(Shopify.setup_steps) >= 5


def test_every_question_is_one_that_shopify_s_schema_understands() -> None:
    from graphql import parse, validate

    for query in (*QUERIES, *REFUND_QUERIES):
        assert validate(schema(), parse(query.document)) == [], query.name


@pytest.mark.parametrize(
    ("error", "part"),
    [
        ({"path": ["orders", "nodes", 0, "customer"]}, "customer"),
        ({"path": ["orders", "nodes", 3, "lineItems", "nodes", 0, "product"]}, "products"),
        ({"path": ["order", "purchasingEntity"]}, "company"),
        ({"path": ["order", "billingAddress", "firstName"]}, "people"),
        ({"path": ["order", "shippingAddress"]}, "addresses"),
        ({"path": ["order", "fulfillments"]}, "shipments"),
        ({"message": "Access denied for customer field. Required access: `read_customers` access scope."}, "customer"),
        ({"message": "This app is not approved to use the phone field."}, "people"),
        ({"message": "This app is not approved to access the Customer object."}, "customer"),
        ({"message": "This app is not approved to access the Order object."}, None),
        ({"path": ["orders"]}, None),
        ({"path": 7, "message": None}, None),
    ],
)
def test_a_denial_names_its_part_by_path_or_by_words(error: dict[str, Any], part: str | None) -> None:
    parts = Parts()
    assert parts.give_up([error]) == (part is not None)
    assert parts.denied == ({part} if part else set())
    assert not parts.give_up([error])  # a second time there is nothing more to leave out
    assert json.dumps(parts.variables())
