"""The demo OpenCart's server answers as the bridge of the recorded shops did, and stock OpenCart behind it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from monet_web.demo.opencart import VALUES, rates_to_add, shop
from monet_web.demo.opencart.documents import VERSIONS
from monet_web.demo.opencart.faults import Faults
from monet_web.demo.opencart.server import OpenCartShop
from monet_web.demo.opencart.store import Store

RECORDED = Path(__file__).parents[1] / "connectors" / "recorded" / "opencart"
AT = 1795500239  # when the bridge was recorded
HEADER = re.compile(r"^X-Monet-(User|Time|Sign): (.*)$", re.MULTILINE)

# The recorded shop's key is not known here, so its signatures cannot be checked: what is replayed without one is the
# refusal itself, what is replayed with one is signed anew.


def asked(name: str) -> tuple[str, dict[str, str], int, str]:
    """Of a recorded exchange: path and query, signing headers, status, body."""
    text = (RECORDED / "bridge" / f"{name}.txt").read_text("utf-8")
    question, _, answer = text.partition("\nHTTP ")
    target = urlsplit(question.split()[1])
    head, _, body = answer.partition("\n\n")
    return f"{target.path}?{target.query}", dict(HEADER.findall(question)), int(head.split()[0]), body.strip()


def signed(demo: OpenCartShop, target: str, *, time: int = AT, key: str = VALUES["api_key"]) -> Response:
    text = f"GET\n{target.partition('?')[2]}\n{time}"
    sign = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Monet-User": "monet", "X-Monet-Time": str(time), "X-Monet-Sign": sign}
    return Client(demo).get(target, headers=headers)


def demo(**faults: Any) -> OpenCartShop:
    return OpenCartShop(Store(total=83), faults=Faults(**faults), now=lambda: AT)


@pytest.mark.parametrize("name", ["bad_from", "empty", "old", "wrong_key"])
def test_recorded_questions_get_the_recorded_answers(name: str) -> None:
    target, headers, status, body = asked(name)
    key = VALUES["api_key"] if name != "wrong_key" else "blogas"
    answer = signed(demo(), target, time=int(headers["Time"]), key=key)
    assert (answer.status_code, answer.get_data(as_text=True)) == (status, body)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_unsigned_question_gets_the_recorded_refusal() -> None:
    target, _, status, body = asked("unsigned")
    answer = Client(demo()).get(target)
    assert (answer.status_code, answer.get_data(as_text=True)) == (status, body)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_orders_are_served_as_they_were_recorded(version: str) -> None:
    served = OpenCartShop(Store(version=version, total=83), now=lambda: AT)
    answer = signed(served, "/monet_bridge.php?action=orders&limit=500&count=1").get_json()
    recorded = json.loads((RECORDED / f"orders_{version}.json").read_text("utf-8"))
    assert answer == {"orders": recorded["orders"], "next": None, "total": 83, "server_time": AT}
    info = signed(served, "/monet_bridge.php?action=info").get_json()
    before = json.loads((RECORDED / f"info_{version}.json").read_text("utf-8"))
    assert {key: info[key] for key in before.keys() - {"bridge", "counts"}} == {
        key: before[key] for key in before.keys() - {"bridge", "counts"}
    }
    assert info["counts"]["orders"] == "83"


@pytest.mark.parametrize(
    ("name", "version", "route"),
    [
        ("oc3_login_wrong_key", "oc3", "api/login"),
        ("oc40_login_wrong_key", "oc40", "api/account/login"),
        ("oc41_direct_route", "oc41", "api/cart"),
    ],
)
def test_the_stock_api_answers_as_it_did(name: str, version: str, route: str) -> None:
    text = (RECORDED / "stock" / f"{name}.txt").read_text("utf-8")
    head, _, body = text.partition("\nHTTP ")[2].partition("\n\n")
    answer = Client(OpenCartShop(Store(version=version, total=1))).get(f"/index.php?route={route}")
    assert (answer.status_code, answer.get_data(as_text=True)) == (int(head.split()[0]), body.strip())


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("action=orders&field=total", 400, "field"),
        ("action=orders&to=tomorrow", 400, "to"),
        ("action=orders&after=1%20or%201", 400, "after"),
        ("action=delete", 404, "action"),
        ("", 404, "action"),
    ],
)
def test_wrong_questions_are_refused_by_their_place(query: str, status: int, code: str) -> None:
    answer = signed(demo(), f"/monet_bridge.php?{query}")
    assert (answer.status_code, answer.get_json()["error"]) == (status, code)


def test_only_get_is_served_and_a_signature_is_for_one_query() -> None:
    assert Client(demo()).post("/monet_bridge.php?action=info").status_code == 405
    one = "/monet_bridge.php?action=orders&ids=1"
    served = demo()
    signed(served, one)
    request = served.requests[-1]
    headers = {"X-Monet-User": request.user, "X-Monet-Time": request.time, "X-Monet-Sign": request.sign}
    assert Client(served).get(one, headers=headers).status_code == 200
    assert Client(served).get(f"{one}&unfinished=1", headers=headers).get_json()["error"] == "key"


def test_pages_by_the_last_id_hold_every_order_once() -> None:
    served = demo()
    after: str | None = ""
    found: list[str] = []
    while after is not None:
        answer = signed(served, f"/monet_bridge.php?action=orders&limit=10&after={after}").get_json()
        found += [order["order_id"] for order in answer["orders"]]
        after = answer["next"]
    assert found == [order["order_id"] for order in served.store.finished()]


def test_a_window_holds_what_was_added_or_changed_in_it() -> None:
    def ids(field: str) -> set[str]:
        target = f"/monet_bridge.php?action=orders&field={field}&from=2026-10-01&to=2026-10-02&brief=1"
        return {order["order_id"] for order in signed(demo(), target).get_json()["orders"]}

    added, changed = ids("date_added"), ids("date_modified")
    assert added
    assert changed - added
    assert ids("any") == added | changed


def test_a_closed_door_is_a_page_of_the_shop() -> None:
    served = demo(doors=frozenset({"oc3"}))
    answer = signed(served, "/monet_bridge.php?action=info")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert signed(served, "/index.php?route=extension/monet&action=info").status_code == 200


def test_the_command_for_the_rate_that_was_given_up_names_lithuania_alone() -> None:
    (command,) = rates_to_add(shop(orders=83, still=True))
    assert command == "./monet vat-rates add LT 9 --from 2015-01-01 --to 2026-10-12"
