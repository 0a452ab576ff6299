"""The demo PrestaShop answers as the real one did when it was recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from monet_web.demo import prestashop
from monet_web.demo.prestashop.faults import Faults
from monet_web.demo.prestashop.server import DEMO_KEY, PrestaShopServer
from monet_web.demo.prestashop.store import Store

RECORDED = Path(__file__).parent.parent / "connectors" / "recorded" / "prestashop"
OTHER_KEY = "K" * 32


@pytest.fixture
def server() -> PrestaShopServer:
    return prestashop.shop(still=True, orders=120)


def asked(server: PrestaShopServer, url: str, *, key: str | None = DEMO_KEY, method: str = "GET") -> TestResponse:
    path, _, query = url.strip().partition("?")
    auth = (key, "") if key is not None else None
    return Client(server).open(f"/api/{path}", method=method, query_string=query, auth=auth)


def rows(server: PrestaShopServer, url: str) -> list[dict[str, Any]]:
    answer: Any = asked(server, url).json
    found: list[dict[str, Any]] = next(iter(answer.values())) if isinstance(answer, dict) else answer
    return found


# Name of the recording, the key, what is wrong with the shop, the method.
ERRORS: tuple[tuple[str, str | None, Faults, str], ...] = (
    ("no_key", None, Faults(), "GET"),
    ("wrong_key", "short", Faults(), "GET"),
    ("wrong_key_32", OTHER_KEY, Faults(), "GET"),
    ("wrong_key_32_xml", OTHER_KEY, Faults(), "GET"),
    ("empty_key", "", Faults(), "GET"),
    ("disabled_key", DEMO_KEY, Faults(key_off=True), "GET"),
    ("forbidden_resource", DEMO_KEY, Faults(not_permitted=frozenset({"customers"})), "GET"),
    ("forbidden_method", DEMO_KEY, Faults(), "DELETE"),
    ("unknown_resource", DEMO_KEY, Faults(), "GET"),
    ("bad_filter", DEMO_KEY, Faults(), "GET"),
    ("bad_display", DEMO_KEY, Faults(), "GET"),
    ("bad_sort", DEMO_KEY, Faults(), "GET"),
    ("bad_limit", DEMO_KEY, Faults(), "GET"),
    ("webservice_disabled", DEMO_KEY, Faults(webservice_off=True), "GET"),
    ("order_missing", DEMO_KEY, Faults(), "GET"),
)


@pytest.mark.parametrize(("name", "key", "faults", "method"), ERRORS)
def test_a_refusal_is_the_recorded_one(
    server: PrestaShopServer, name: str, key: str | None, faults: Faults, method: str
) -> None:
    server.faults = faults
    folder = RECORDED / "errors"
    url = (folder / f"{name}.url").read_text("utf-8").rpartition("/api/")[2]
    head = (folder / f"{name}.headers").read_text("utf-8").splitlines()
    said = {name.lower(): text.strip().lower() for name, _, text in (line.partition(":") for line in head[1:])}
    answer = asked(server, url, key=key, method=method)
    assert answer.status_code == int(head[0].split()[1])
    assert answer.headers["Content-Type"].replace("; ", ";").lower() == said["content-type"].replace("; ", ";")
    assert answer.headers.get("WWW-Authenticate", "").lower() == said.get("www-authenticate", "")
    assert answer.headers.get("PSWS-Version") == said.get("psws-version")
    assert answer.data == (folder / f"{name}.body").read_bytes()


def test_a_date_without_date_1_is_an_unknown_filter(server: PrestaShopServer) -> None:
    said = json.loads((RECORDED / "errors" / "orders_no_date_param.body").read_text("utf-8"))
    answer = asked(server, "orders?output_format=JSON&display=[id]&filter[date_add]=[2026-10-01,2026-10-05]")
    assert answer.status_code == 400
    assert answer.json is not None
    assert [error["code"] for error in answer.json["errors"]] == [error["code"] for error in said["errors"]]


def test_the_recorded_orders_come_as_they_were_recorded(server: PrestaShopServer) -> None:
    said = json.loads((RECORDED / "orders_page1.json").read_text("utf-8"))["orders"]
    found = rows(server, "orders?output_format=JSON&display=full&sort=[id_ASC]&limit=0,100")
    assert found == sorted(said, key=lambda row: row["id"])
    details = json.loads((RECORDED / "order_details_page1.json").read_text("utf-8"))["order_details"]
    ids = "|".join(str(row["id"]) for row in said)
    found = rows(server, f"order_details?output_format=JSON&display=full&filter[id_order]=[{ids}]&sort=[id_ASC]")
    assert found == sorted(details, key=lambda row: row["id"])


def test_the_xml_of_an_order_says_what_its_json_says(server: PrestaShopServer) -> None:
    said = (RECORDED / "xml" / "orders_full_range_xml.body").read_text("utf-8")
    ours = asked(server, "orders?display=full&filter[id]=[53]").text
    for text in (
        "<order>\n\t<id><![CDATA[53]]></id>",
        "<![CDATA[QDUDGKIWI]]></reference>\n<associations>",
        "<order_row>",
    ):
        assert text in said
        assert text in ours
    assert asked(server, "orders?filter[id]=[999999]").data == (RECORDED / "xml" / "orders_empty_xml.body").read_bytes()


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("filter[date_add]=[2026-10-03 00:00:00,2026-10-03 23:59:59]", [59, 60, 61, 62]),
        ("filter[date_add]=[2026-10-03,2026-10-03]", []),  # a plain date is its midnight
        ("filter[date_add]=[2026-10-03,2026-10-04]", [59, 60, 61, 62]),
        ("filter[date_add]=[2026-10-05,2026-10-03]", [59, 60, 61, 62, 63, 64]),  # reversed ends are swapped
        ("filter[date_add]=[abc,def]", []),  # garbage finds nothing and says nothing
        ("filter[id]=%3C[8]", [6, 7]),
        ("filter[id]=>[112]&filter[id_shop]=[1]&limit=2", [113, 114]),
        ("filter[reference]=%25[AB]%25", [24]),
        ("filter[current_state]=![5]&limit=2", [6, 7]),
        ("limit=abc", []),
        ("limit=0", []),
        ("limit=2&foo=bar", [6, 7]),
    ],
)
def test_filters_have_the_real_ones_meaning_and_traps(server: PrestaShopServer, question: str, ids: list[int]) -> None:
    found = rows(server, f"orders?output_format=JSON&display=[id]&date=1&sort=[id_ASC]&{question}")
    assert [row["id"] for row in found if row["id"] < 200] == ids


def test_without_sort_there_is_no_order(server: PrestaShopServer) -> None:
    found = [row["id"] for row in rows(server, "orders?output_format=JSON&display=[id]")]
    assert found != sorted(found)


def test_a_single_order_loses_its_empty_fields_and_with_display_it_comes_as_a_list(server: PrestaShopServer) -> None:
    single = asked(server, "orders/20?output_format=JSON").json
    assert single is not None
    assert not {"gift", "note", "gift_message", "recyclable", "mobile_theme"} & set(single["order"])
    assert rows(server, "orders/20?output_format=JSON&display=full")[0]["gift"] == 0


def test_a_text_that_is_not_utf_8_leaves_the_json_empty_and_stands_in_the_xml(server: PrestaShopServer) -> None:
    bundle = server.store.bundle(20)
    assert bundle is not None
    bundle.rows["order_details"][0]["product_name"] = b"Arbata \xfe\xff".decode("utf-8", "surrogateescape")
    server.store.put(bundle)
    url = "order_details?display=full&filter[id_order]=[20]"
    assert (
        asked(server, f"{url}&output_format=JSON").status_code,
        asked(server, f"{url}&output_format=JSON").data,
    ) == (
        200,
        b"",
    )
    assert b"Arbata \xfe\xff" in asked(server, url).data


# Any number of orders.


def ids_and_totals(store: Store) -> list[tuple[int, str, str]]:
    found = []
    for header in store.headers():
        bundle = store.bundle(header.id)
        assert bundle is not None
        found.append((header.id, bundle.order["total_paid_tax_incl"], bundle.order["date_add"]))
    return found


def test_the_same_seed_makes_the_same_orders_and_another_makes_others() -> None:
    one, same, other = (prestashop.shop(still=True, orders=300, seed=seed).store for seed in (1, 1, 2))
    assert ids_and_totals(one) == ids_and_totals(same)
    assert ids_and_totals(one)[:100] == ids_and_totals(other)[:100]
    assert ids_and_totals(one)[100:] != ids_and_totals(other)[100:]


def test_no_row_of_any_order_shares_its_id_with_another_s() -> None:
    store = prestashop.shop(still=True, orders=400).store
    bundles = [bundle for header in store.headers() if (bundle := store.bundle(header.id))]
    assert len(bundles) == 400
    for table in ("order_details", "order_cart_rules", "order_slip", "order_invoices", "order_payments"):
        ids = [row["id"] for bundle in bundles for row in bundle.rows[table]]
        assert len(ids) == len(set(ids))
    # Five of the recorded carts are two orders, and so are five of every made hundred.
    assert len({bundle.order["reference"] for bundle in bundles}) == 380


def test_a_living_shop_ends_today_and_is_the_same_after_a_restart() -> None:
    start = datetime.now(UTC) - timedelta(hours=6)
    one, again = (prestashop.shop(orders=150, seed=3, start=start).store for _ in range(2))
    newest = max(header.created for header in one.headers())
    assert datetime.now(UTC).timestamp() - newest < 3600
    ours, theirs = ids_and_totals(one), ids_and_totals(again)
    assert ours[:170] == theirs[:170]
    assert len(ours) > 170
    assert any(h.changed > h.created for h in list(one.headers())[-60:])
