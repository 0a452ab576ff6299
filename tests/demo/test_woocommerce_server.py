"""The demo shop on a port: signing in over http and https, faults one can switch, orders that change between pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
import trustme
from werkzeug.test import Client, TestResponse

from monet_web.demo import serve as serving
from monet_web.demo.serve import banner, serve
from monet_web.demo.stores import store_of
from monet_web.demo.woocommerce import shop as demo_shop
from monet_web.demo.woocommerce.answers import Answer
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET, Key
from monet_web.demo.woocommerce.faults import Faults
from monet_web.demo.woocommerce.server import WooCommerceShop

NOW = 1_795_499_180


def signed(url: str, query: dict[str, str], *, at: int = NOW, nonce: str = "n1", algorithm: str = "HMAC-SHA256") -> str:
    """A signed URL, written from RFC 5849 and not from the demo's own code."""
    pairs = query | {
        "oauth_consumer_key": DEMO_KEY,
        "oauth_timestamp": str(at),
        "oauth_nonce": nonce,
        "oauth_signature_method": algorithm,
    }
    escaped = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs.items())
    text = "&".join(("GET", quote(url, safe="~"), quote("&".join(f"{n}={v}" for n, v in escaped), safe="~")))
    digest = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}[algorithm]
    mac = hmac.new(f"{DEMO_SECRET}&".encode(), text.encode(), digest).digest()
    return f"{url}?{urlencode(pairs | {'oauth_signature': base64.b64encode(mac).decode()})}"


def shop(faults: Faults = Faults()) -> WooCommerceShop:  # noqa: B008 - frozen
    return WooCommerceShop(faults=faults, now=lambda: NOW)


ORDERS = "http://shop.example/wp-json/wc/v3/orders"


def get(app: WooCommerceShop, url: str, **headers: str) -> TestResponse:
    return Client(app).get(url.removeprefix("http://shop.example"), headers={"Host": "shop.example", **headers})


def message(response: TestResponse) -> str:
    return str(json.loads(response.data)["message"])


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SHA1"])
def test_a_signature_opens_the_shop_over_http(algorithm: str) -> None:
    query = {"per_page": "1", "_fields": "id,number", "after": "2026-10-01T00:00:00Z", "status[0]": "completed"}
    response = get(shop(), signed(ORDERS, query, algorithm=algorithm))
    assert response.status_code == 200, response.text
    assert len(response.json or []) == 1


def test_a_signed_request_may_not_be_sent_twice() -> None:
    app = shop()
    url = signed(ORDERS, {"per_page": "1"})
    assert get(app, url).status_code == 200
    assert message(get(app, url)) == "Invalid nonce - nonce has already been used."
    assert get(app, signed(ORDERS, {"per_page": "1"}, nonce="n2")).status_code == 200


@pytest.mark.parametrize(("off", "is_accepted"), [(-901, False), (-900, True), (900, True), (901, False)])
def test_a_signature_is_good_for_fifteen_minutes_either_way(off: int, is_accepted: bool) -> None:
    response = get(shop(), signed(ORDERS, {}, at=NOW + off))
    assert (response.status_code == 200) is is_accepted
    assert is_accepted or message(response) == "Invalid timestamp."


def test_a_signature_over_http_is_wrong_where_the_shop_believes_in_https() -> None:
    response = get(shop(Faults(believes_https=True)), signed(ORDERS, {}))
    assert message(response) == "Invalid signature - provided signature does not match."
    good = get(
        shop(Faults(believes_https=True)), signed(ORDERS.replace("http:", "https:"), {}).replace("https:", "http:")
    )
    assert good.status_code == 200


def test_a_changed_parameter_breaks_the_signature() -> None:
    response = get(shop(), signed(ORDERS, {"per_page": "1"}).replace("per_page=1", "per_page=2"))
    assert message(response) == "Invalid signature - provided signature does not match."


def test_an_unknown_signing_method_is_named() -> None:
    url = signed(ORDERS, {}).replace("HMAC-SHA256", "PLAINTEXT")
    assert message(get(shop(), url)) == "Invalid signature - signature method is invalid."


def test_a_link_leaks_the_keys_of_the_query() -> None:
    url = f"{ORDERS}?consumer_key={DEMO_KEY}&consumer_secret={DEMO_SECRET}"
    link = get(shop(), url, **{"X-Forwarded-Proto": "https"}).headers["Link"]
    assert f"consumer_key={DEMO_KEY}&consumer_secret={DEMO_SECRET}" in link


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return context, str(bundle)


def test_over_tls_basic_works(tls: tuple[ssl.SSLContext, str]) -> None:
    context, bundle = tls
    with serve(shop(), tls=context) as address:
        url = f"{address}/wp-json/wc/v3/orders?per_page=2&_fields=id"
        good = requests.get(url, auth=(DEMO_KEY, DEMO_SECRET), verify=bundle, timeout=5)
        assert (good.status_code, good.json()) == (200, [{"id": 329}, {"id": 328}])
        assert good.headers["Link"].startswith(f"<{address}/wp-json/wc/v3/orders?")


def test_over_http_basic_is_nobody_and_a_signature_is_the_key() -> None:
    app = WooCommerceShop()
    with serve(app) as address:
        url = f"{address}/wp-json/wc/v3/orders"
        assert requests.get(url, auth=(DEMO_KEY, DEMO_SECRET), timeout=5).status_code == 401
        signed_url = signed(url, {"per_page": "100", "page": "2"}, at=int(time.time()))
        assert len(requests.get(signed_url, timeout=5).json()) == 100


def serve_and_ask(app: WooCommerceShop, **more: Any) -> requests.Response:
    with serve(app) as address:
        url = signed(f"{address}/wp-json/wc/v3/orders", {"per_page": "100"})
        return requests.get(url, timeout=more.pop("timeout", 5), **more)


def test_a_truncated_body_breaks_off() -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        serve_and_ask(shop(Faults(truncated=True)))


def test_an_empty_body_is_a_200_with_nothing() -> None:
    response = serve_and_ask(shop(Faults(empty=True)))
    assert (response.status_code, response.content) == (200, b"")


def test_a_huge_body_is_as_large_as_asked() -> None:
    assert len(serve_and_ask(shop(Faults(huge=5_000_000))).content) == 5_000_000


def test_a_slow_answer_outlasts_a_short_patience_and_holds_up_nobody_else() -> None:
    app = shop()
    app.once(Faults(delay=1.0))
    with serve(app) as address:
        url = f"{address}/wp-json/wc/v3/orders"
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(url, timeout=0.2)
        started = time.perf_counter()
        assert requests.get(url, timeout=5).status_code == 401
        assert time.perf_counter() - started < 0.5


def test_too_many_requests_says_how_long_to_wait_then_the_shop_answers() -> None:
    app = shop()
    app.once(Faults(too_many_requests=7), times=2)
    statuses = [get(app, signed(ORDERS, {}, nonce=str(n))) for n in range(3)]
    assert [response.status_code for response in statuses] == [429, 429, 200]
    assert statuses[0].headers["Retry-After"] == "7"


def test_maintenance_may_come_without_a_retry_after() -> None:
    response = get(shop(Faults(maintenance=True, retry_after=None)), ORDERS)
    assert (response.status_code, response.headers.get("Retry-After")) == (503, None)


def test_a_hook_answers_in_the_shops_place() -> None:
    app = shop()
    app.hooks.append(lambda request: Answer(418, b"tea") if request.path.endswith("/taxes") else None)
    assert get(app, "/wp-json/wc/v3/taxes").status_code == 418
    assert get(app, "/wp-json/wc/v3/orders").status_code == 401


def test_the_shop_remembers_what_it_was_asked() -> None:
    app = shop()
    get(app, "/wp-json/wc/v3/orders?per_page=3")
    assert [(request.method, request.target) for request in app.requests] == [
        ("GET", "/wp-json/wc/v3/orders?per_page=3")
    ]


def test_a_broken_order_spoils_its_page_alone() -> None:
    app = shop(Faults(broken_orders=frozenset({320})))
    seen = {}
    for page in range(1, 5):
        query = {"per_page": "5", "page": str(page), "_fields": "id"}
        seen[page] = get(app, signed(ORDERS, query, nonce=str(page)), Accept="application/json").status_code
    assert sorted(seen.values()) == [200, 200, 200, 500]


def read_all(app: WooCommerceShop, **query: str) -> list[int]:
    """All ids, page by page of 50."""
    found: list[int] = []
    for page in range(1, 10):
        url = signed(ORDERS, {"per_page": "50", "page": str(page), "_fields": "id", **query}, nonce=str(page))
        rows = json.loads(get(app, url).data)
        if not rows:
            break
        found += [row["id"] for row in rows]
    return found


def test_a_new_order_between_pages_by_date_is_read_twice_over() -> None:
    app = shop()
    app.after_page(1, lambda store: store.add())
    found = read_all(app)
    assert (len(found), len(set(found))) == (201, 200)


def test_a_trashed_order_between_pages_makes_one_missed() -> None:
    for query in ({}, {"orderby": "id", "order": "asc"}):
        app = shop()
        every = set(read_all(shop(), **query))
        first = read_all(shop(), **query)[0]
        app.after_page(1, lambda store, gone=first: store.trash(gone))  # type: ignore[misc]
        missed = every - set(read_all(app, **query))
        assert len(missed) == 1
        assert first not in missed


def test_an_order_edited_between_pages_by_modification_makes_one_missed() -> None:
    query = {"orderby": "modified", "order": "asc"}
    first = read_all(shop(), **query)[0]
    app = shop()
    app.after_page(1, lambda store: store.edit(first, customer_note="edited"))
    found = read_all(app, **query)
    assert (len(found), len(set(found))) == (200, 199)


def test_head_answers_without_a_body() -> None:
    response = Client(shop(Faults(believes_https=True))).head("/wp-json/wc/v3/orders", auth=(DEMO_KEY, DEMO_SECRET))
    assert (response.status_code, response.data, response.headers["X-WP-Total"]) == (200, b"", "200")


def test_a_page_of_a_hundred_comes_in_well_under_five_milliseconds_once_warm() -> None:
    app = shop(Faults(believes_https=True))
    client = Client(app)
    best = 1.0
    for _ in range(20):
        started = time.perf_counter()
        client.get("/wp-json/wc/v3/orders?per_page=100", auth=(DEMO_KEY, DEMO_SECRET))
        best = min(best, time.perf_counter() - started)
    assert best < 0.005


def test_many_readers_at_once_read_the_same() -> None:
    app = WooCommerceShop(keys=[Key("ck_a", "cs_a")], faults=Faults(believes_https=True))
    found = []

    def read() -> None:
        response = Client(app).get("/wp-json/wc/v3/orders?per_page=100", auth=("ck_a", "cs_a"))
        found.append(response.data)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


def test_the_banner_tells_address_keys_and_the_commands_to_connect() -> None:
    text = banner(store_of("woocommerce"), 8123, rates=store_of("woocommerce").rate_commands(demo_shop(still=True)))
    assert (
        './monet integrations add "Demo shop" --platform woocommerce --set address=http://127.0.0.1:8123 '
        f"--set consumer_key={DEMO_KEY} --set consumer_secret={DEMO_SECRET} --set not_before=\n"
    ) in text
    assert "./monet vat-rates add LT 9 --from 2015-01-01 --to 2026-10-19" in text


def test_the_demo_keys_have_the_length_of_real_ones() -> None:
    assert (len(DEMO_KEY), len(DEMO_SECRET)) == (43, 43)


def test_a_taken_port_is_an_error_at_once() -> None:
    with serve(shop()) as address, pytest.raises((OSError, SystemExit)):
        serving.run({int(address.rsplit(":", 1)[1]): store_of("woocommerce")})
