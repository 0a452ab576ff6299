"""The demo Shopify refuses what Shopify refuses: by schema, by points, by token, by rights; and its days are whole."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from graphql import parse

from monet_web.connectors.shopify.queries import LISTING, ORDERS
from monet_web.demo.shopify import VALUES, shop
from monet_web.demo.shopify.answering import schema
from monet_web.demo.shopify.app import ALL_SCOPES, DEMO_TOKEN, App
from monet_web.demo.shopify.documents import ZERO, Document, amount_text, value
from monet_web.demo.shopify.faults import Faults
from monet_web.demo.shopify.kinds import KINDS
from monet_web.demo.shopify.price import STANDARD, requested
from monet_web.demo.shopify.search import Search
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import RECORDED_AT, SAMPLES, Store

D = Decimal
API = "/admin/api/2026-10/graphql.json"
PARTS = ("withCustomer", "withCompany", "withProducts", "withShipments", "withPeople", "withAddresses")


def post(
    store: ShopifyShop, path: str, body: bytes, token: str = DEMO_TOKEN, method: str = "POST"
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and decoded body of one request."""
    got: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        got.update(status=int(status.split()[0]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "HTTP_X_SHOPIFY_ACCESS_TOKEN": token,
    }  # fmt: skip
    data = b"".join(store(environ, start))  # type: ignore[arg-type]
    is_json = got["headers"]["Content-Type"].startswith("application/json")
    return got["status"], got["headers"], json.loads(data, parse_float=D) if is_json else data.decode()


def ask(store: ShopifyShop, question: str, token: str = DEMO_TOKEN, /, **variables: Any) -> Any:
    status, _, body = post(store, API, json.dumps({"query": question, "variables": variables}).encode(), token)
    assert status == 200
    return body


def code(body: Any) -> str:
    return str(body["errors"][0]["extensions"]["code"])


# By schema.


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ shop { nam } }", "Cannot query field 'nam' on type 'Shop'"),
        ("{ orders(first: 1) { nodes { lineItems(first: 1) { nodes { price } } } } }", "Cannot query field 'price'"),
        ("{ orders(first: 1, sortKey: NAME) { nodes { id } } }", "'NAME'"),
        ("{ order { id } }", "of type 'ID!' is required"),
        ("{ shop { name }", "Syntax Error"),
        ("query Q($a: Int) { shop { name } }", "Variable '$a' is never used"),
        ("mutation { orderClose(id: 1) { id } }", "mutation operation is not supported"),
    ],
)
def test_what_the_schema_refuses_is_refused(query: str, words: str) -> None:
    body = ask(ShopifyShop(Store(total=3)), query)
    assert "data" not in body or body["data"] is None
    assert words in body["errors"][0]["message"]


def test_a_field_that_is_asked_for_with_the_wrong_kind_of_variable_is_refused() -> None:
    body = ask(ShopifyShop(Store(total=3)), LISTING.document, first="many", sortKey="UPDATED_AT")
    assert "$first" in body["errors"][0]["message"]


@pytest.mark.parametrize("arguments", ["", "(first: 251)", '(first: 1, after: "nonsense")'])
def test_a_list_without_a_size_with_too_large_a_one_or_a_wrong_cursor_is_refused(arguments: str) -> None:
    assert code(ask(ShopifyShop(Store(total=3)), f"{{ orders{arguments} {{ nodes {{ id }} }} }}")) == "BAD_REQUEST"


# By points.


@pytest.mark.parametrize(("first", "lowest", "highest"), [(5, 174, 360), (25, 345, 717), (100, 516, 1074)])
def test_the_price_of_the_question_lies_where_real_prices_are_estimated(first: int, lowest: int, highest: int) -> None:
    price = requested(schema(), parse(ORDERS.document), {"first": first, "query": "", **dict.fromkeys(PARTS, True)})
    assert lowest <= price <= highest


def test_parts_that_are_left_out_cost_nothing() -> None:
    document = parse(ORDERS.document)
    whole = requested(schema(), document, {"first": 25, "query": "", **dict.fromkeys(PARTS, True)})
    less = requested(schema(), document, {"first": 25, "query": "", **dict.fromkeys(PARTS, False)})
    assert less < whole


def test_points_run_out_and_come_back_with_time() -> None:
    now = [1000.0]
    store = ShopifyShop(Store(total=60), app=App(plan=STANDARD), clock=lambda: now[0])
    given: dict[str, Any] = {"first": 25, "query": "status:any", **dict.fromkeys(PARTS, True)}
    body = ask(store, ORDERS.document, **given)
    cost = body["extensions"]["cost"]
    assert cost["actualQueryCost"] < cost["requestedQueryCost"]
    assert cost["throttleStatus"] == {
        "maximumAvailable": 2000, "currentlyAvailable": 2000 - cost["actualQueryCost"], "restoreRate": 100,
    }  # fmt: skip
    store.bucket.take(cost["throttleStatus"]["currentlyAvailable"])
    refused = ask(store, ORDERS.document, **given)
    assert code(refused) == "THROTTLED"
    assert "data" not in refused
    assert refused["extensions"]["cost"]["actualQueryCost"] is None
    now[0] += float(cost["requestedQueryCost"]) / 100 + 1
    assert "errors" not in ask(store, ORDERS.document, **given)


def test_a_question_above_a_thousand_points_is_refused_whatever_the_plan() -> None:
    lines = "lineItems(first: 250) { nodes { id taxLines(first: 10) { title } product { id } variant { id } } }"
    refunds = "refunds(first: 250) { refundLineItems(first: 250) { nodes { quantity lineItem { id } } } }"
    query = f"{{ orders(first: 250) {{ nodes {{ {lines} {refunds} }} }} }}"
    assert code(ask(ShopifyShop(Store(total=3)), query)) == "MAX_COST_EXCEEDED"


# By token, by rights, by version, by path.


def test_a_token_is_given_for_the_right_keys_and_ends_after_its_time() -> None:
    now = [0.0]
    store = ShopifyShop(Store(total=3), app=App(lasts=60), clock=lambda: now[0])
    form = f"grant_type=client_credentials&client_id={VALUES['client_id']}&client_secret={VALUES['client_secret']}"
    status, _, body = post(store, "/admin/oauth/access_token", form.encode())
    assert (status, body["expires_in"], body["scope"]) == (200, 60, ",".join(sorted(ALL_SCOPES)))
    assert ask(store, "{ shop { name } }", body["access_token"])["data"]
    now[0] = 61
    asked = json.dumps({"query": "{ shop { name } }"}).encode()
    status, _, refused = post(store, API, asked, body["access_token"])
    assert (status, refused) == (
        401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"},
    )  # fmt: skip
    assert post(store, "/admin/oauth/access_token", form.replace("client_cred", "pass").encode())[0] == 400


def test_a_right_that_is_missing_denies_its_part_beside_the_rest() -> None:
    store = ShopifyShop(Store(total=3), app=App(scopes=frozenset({"read_orders", "read_all_orders"})))
    body = ask(store, "{ orders(first: 1) { nodes { name customer { id } } } }")
    assert body["data"]["orders"]["nodes"] == [{"name": "#1001", "customer": None}]
    assert (code(body), body["errors"][0]["path"]) == ("ACCESS_DENIED", ["orders", "nodes", 0, "customer"])
    assert code(ask(ShopifyShop(Store(total=3), app=App(scopes=frozenset())), "{ ordersCount { count } }"))


def test_without_the_right_to_all_orders_those_older_than_sixty_days_are_simply_not_there() -> None:
    late = RECORDED_AT + timedelta(days=59)
    app = App(scopes=ALL_SCOPES - {"read_all_orders"})
    few = ShopifyShop(Store(total=60), app=app, now=lambda: late)
    all_of_them = ShopifyShop(Store(total=60), now=lambda: late)
    count = "{ ordersCount { count } }"
    assert ask(all_of_them, count)["data"]["ordersCount"]["count"] == 60
    assert 0 < ask(few, count)["data"]["ordersCount"]["count"] < 60
    first = 'query { order(id: "gid://shopify/Order/5000000000001") { name } }'
    assert (ask(few, first)["data"], ask(all_of_them, first)["data"]["order"]["name"]) == ({"order": None}, "#1001")


def test_an_old_version_falls_forward_to_the_oldest_supported_one() -> None:
    body = json.dumps({"query": "{ shop { name } }"}).encode()
    store = ShopifyShop(Store(total=3))
    for asked, answered in (("2026-10", "2026-10"), ("2026-04", "2026-04"), ("2019-07", "2026-01")):
        status, headers, _ = post(store, f"/admin/api/{asked}/graphql.json", body)
        assert (status, headers["X-Shopify-API-Version"]) == (200, answered)


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        (API, "GET", b"", 404),
        ("/admin/api/2026-10/orders.json", "GET", b"", 404),
        ("/", "GET", b"", 404),
        (API, "POST", b"no json", 400),
    ],
)
def test_what_is_not_asked_at_a_door_finds_nothing(path: str, method: str, body: bytes, status: int) -> None:
    assert post(ShopifyShop(Store(total=3)), path, body, method=method)[0] == status


def test_faults_can_be_lent_to_the_next_requests() -> None:
    store = ShopifyShop(Store(total=3))
    store.once(Faults(too_many_requests=7))
    body = json.dumps({"query": "{ shop { name } }"}).encode()
    status, headers, _ = post(store, API, body)
    assert (status, headers["Retry-After"]) == (429, "7.0")
    assert post(store, API, body)[0] == 200


# Searching.


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id:5000000000003", [3]),
        ("id:5000000000003 OR id:5000000000007", [3, 7]),
        ("id:>=5000000000009", [9, 10]),
        ("processed_at:>='2026-11-18T00:00:00Z' processed_at:<'2026-11-19T07:30:00Z'", [8]),
        ("processed_at:>'2026-11-19T07:30:00Z'", [9]),  # > lets the bound itself through
        ("updated_at:<='2026-11-11T08:00:00Z'", [1, 10]),
        ("financial_status:voided", [8]),
        ("test:true", [7]),
        ("status:cancelled", [8]),
        ("name:1004", [4]),
        ("", list(range(1, 11))),
        ("colour:red", list(range(1, 11))),
    ],
)
def test_terms_are_and_ed_and_or_ed(query: str, found: list[int]) -> None:
    store = Store(total=10)
    headers = [header for number in store.ids() if (header := store.header(number))]
    search = Search(query)
    assert [header.id - 5_000_000_000_000 for header in search(headers)] == found
    assert bool(search.warnings) == query.startswith("colour")


def test_a_cursor_stays_right_while_orders_come_and_go() -> None:
    store = ShopifyShop(Store(total=30))
    query = (
        "query ($after: String) { orders(first: 10, after: $after, sortKey: UPDATED_AT) "
        "{ nodes { legacyResourceId updatedAt } pageInfo { hasNextPage endCursor } } }"
    )
    first = ask(store, query, after=None)["data"]["orders"]
    seen = [int(node["legacyResourceId"]) for node in first["nodes"]]
    store.store.remove(seen[0])
    store.store.edit(seen[1], at=datetime(2027, 1, 1, tzinfo=UTC), note="later")
    cursor, more = first["pageInfo"]["endCursor"], True
    while more:
        page = ask(store, query, after=cursor)["data"]["orders"]
        seen += [int(node["legacyResourceId"]) for node in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert set(store.store.ids()) <= set(seen)
    assert Counter(seen).most_common(1)[0] == (seen[1], 2)  # what changed meanwhile comes again, at its new place


# The sales.


def test_the_same_seed_makes_the_same_shop_and_another_makes_another() -> None:
    def orders(seed: int) -> list[Document | None]:
        store = Store(seed=seed, total=90)
        return [store.order(number) for number in store.ids()]

    assert orders(4) == orders(4)
    assert orders(4) != orders(5)
    assert orders(4)[:SAMPLES] == orders(5)[:SAMPLES]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_sale_adds_up_to_its_total_and_its_tax(seed: int) -> None:
    store = Store(seed=seed, total=150)
    kinds = set()
    for number in store.ids():
        order = store.order(number)
        assert order is not None
        parts = [value(line["originalTotalSet"]) for line in order["lineItems"]]
        parts += [value(line["discountedPriceSet"]) for line in order["shippingLines"]]
        off = [value(one["allocatedAmountSet"]) for line in order["lineItems"] for one in line["discountAllocations"]]
        taxes = [
            line["priceSet"] for part in (*order["lineItems"], *order["shippingLines"]) for line in part["taxLines"]
        ]
        tax = sum(map(value, taxes), ZERO)
        as_line = any(line["title"] == "Tip" for line in order["lineItems"])
        total = sum(parts, ZERO) - sum(off, ZERO) + (ZERO if order["taxesIncluded"] else tax)
        total += ZERO if as_line else value(order["totalTipReceivedSet"])
        total += value(order["originalTotalDutiesSet"]) + value(order["originalTotalAdditionalFeesSet"])
        total += value(order["totalCashRoundingAdjustment"]["paymentSet"])
        assert (total, tax) == (value(order["totalPriceSet"]), value(order["totalTaxSet"])), order["name"]
        assert sum((value(one["priceSet"]) for one in order["taxLines"]), ZERO) == tax
        kinds.add((order["displayFinancialStatus"], order["presentmentCurrencyCode"], order["taxesIncluded"]))
    assert len(kinds) >= 8


def test_each_kind_of_sale_comes_once_behind_the_samples() -> None:
    assert len(KINDS) >= 30
    store = Store(seed=1, total=SAMPLES + len(KINDS))
    made = [order for number in store.ids()[SAMPLES:] if (order := store.order(number))]
    assert {order["presentmentCurrencyCode"] for order in made} == {"EUR", "NOK", "USD"}
    assert any(tax["channelLiable"] for order in made for line in order["lineItems"] for tax in line["taxLines"])
    assert any(line["isGiftCard"] for order in made for line in order["lineItems"])
    assert any(one["gateway"] == "gift_card" for order in made for one in order["transactions"])
    assert any(order["edited"] for order in made)
    restocked = {
        one["restockType"] for order in made for refund in order["refunds"] for one in refund["refundLineItems"]
    }
    assert restocked == {"RETURN", "NO_RESTOCK", "CANCEL"}


def test_money_is_written_as_shopify_writes_it() -> None:
    assert [amount_text(D(text)) for text in ("12", "12.50", "0.00", "-3.10", "49.95")] == [
        *("12.0", "12.5", "0.0", "-3.1", "49.95")
    ]


def test_nothing_in_a_still_shop_is_later_than_its_recording() -> None:
    store = Store(total=200)
    for number in store.ids():
        header = store.header(number)
        assert header is not None
        assert header.processed <= header.updated <= RECORDED_AT


def test_a_living_shop_s_newest_order_is_minutes_old_and_a_restart_finds_the_same_orders() -> None:
    start = datetime.now(UTC) - timedelta(hours=9)
    one, two = shop(orders=60, start=start), shop(orders=60, start=start)
    ids = one.store.ids()
    assert len(ids) > 60
    assert [one.store.order(number) for number in ids] == [two.store.order(number) for number in ids]
    newest = one.store.header(ids[59])
    assert newest is not None
    assert timedelta(minutes=3) < start - newest.processed < timedelta(minutes=6)
    changed = [header for number in ids if (header := one.store.header(number)) and header.updated > start]
    assert len(changed) > len(ids) - 60  # besides new orders, old ones were paid, shipped or refunded


def test_more_pieces_than_are_left_cannot_be_given_back() -> None:
    store = Store(total=3)
    number = store.ids()[0]
    store.refund(number, at=RECORDED_AT, pieces={0: 2})
    with pytest.raises(ValueError, match="1 of 0 pieces left"):
        store.refund(number, at=RECORDED_AT, pieces={0: 1})
    order = store.order(number)
    assert order is not None
    assert len(order["refunds"]) == 1
