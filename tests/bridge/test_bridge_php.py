"""The real bridge under the system's PHP before a real MariaDB: it gives back the recorded orders, and only reads."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from monet_web.connectors.base import Selection, Surroundings
from monet_web.connectors.opencart import OpenCart, downloads
from monet_web.connectors.opencart.signing import Signature
from monet_web.demo.opencart import VALUES
from monet_web.demo.opencart.documents import VERSIONS, recorded
from monet_web.demo.opencart.server import DEMO_KEY, OpenCartShop
from monet_web.demo.opencart.store import Store
from monet_web.demo.serve import serve
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.orders import Order
from monet_web.domain.windows import Window
from tests.bridge.php_shop import Database, config_php, programs_or_skip, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SOURCES = Path(downloads.__file__).parent / "bridge"
EVERYTHING = Selection(Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)))

# What stands around an extension, as far as it needs it: index.php of OpenCart 3 and of OpenCart 4.
THREE = """<?php
define('VERSION', '3.0.4.1');
require __DIR__ . '/config.php';
define('DIR_APPLICATION', __DIR__ . '/catalog/');
define('DIR_SYSTEM', __DIR__ . '/system/');
abstract class Controller {}
ob_start();
echo 'theme';
if ($_GET['route'] !== 'extension/monet') { http_response_code(404); exit('<html>not found</html>'); }
require DIR_APPLICATION . 'controller/extension/monet.php';
(new ControllerExtensionMonet())->index();
"""
FOUR = """<?php
namespace Opencart\\System\\Engine { class Controller {} }
namespace {
define('VERSION', '4.1.0.3');
require __DIR__ . '/config.php';
define('DIR_OPENCART', __DIR__ . '/');
define('DIR_EXTENSION', __DIR__ . '/extension/');
ob_start();
if ($_GET['route'] !== 'extension/monet/monet') { http_response_code(404); exit('<html>not found</html>'); }
require DIR_EXTENSION . 'monet/catalog/controller/monet.php';
(new \\Opencart\\Catalog\\Controller\\Extension\\Monet\\Monet())->index();
}
"""


@contextmanager
def shop(root: Path, running: Database, name: str, *, version: str = "3.0.4.1") -> Iterator[str]:
    """The bridge as a file beside index.php and config.php of the shop in database `name`."""
    root.mkdir()
    (root / "config.php").write_text(config_php(name))
    (root / "index.php").write_text(f"<?php\n// Version\ndefine('VERSION', '{version}');\n")
    (root / "monet_bridge.php").write_bytes(downloads.bridge())
    with served(root, running) as address:
        yield address


@pytest.fixture(scope="module", params=VERSIONS)
def real(request: pytest.FixtureRequest, shops: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with shop(tmp_path_factory.mktemp("shops") / request.param, shops, request.param) as address:
        yield request.param, address


@pytest.fixture(scope="module")
def address(shops: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shop(tmp_path_factory.mktemp("shops") / "oc3", shops, "oc3") as found:
        yield found


def ask(address: str, query: str, *, user: str = "monet", key: str = DEMO_KEY, late: int = 0, time: str = "") -> Any:
    now = int(datetime.now(UTC).timestamp()) - late
    question = requests.Request("GET", f"{address}/monet_bridge.php?{query}", auth=Signature(user, key, now)).prepare()
    question.headers.update({"X-Monet-Time": time} if time else {})
    with requests.Session() as session:
        return session.send(question, timeout=30)


def connected(address: str, **values: str) -> OpenCart:
    around = Surroundings(allowed_addresses=(address.split("://")[1],))
    return OpenCart({"address": address, **VALUES, **values}, around)


def comparable(answer: Any) -> tuple[int, Any]:
    body = answer.json()
    return answer.status_code, {key: value for key, value in body.items() if key != "server_time"}


def test_every_recorded_order_comes_back_as_it_was_recorded(real: tuple[str, str]) -> None:
    version, address = real
    answer = ask(address, "action=orders&limit=500&count=1")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert body["orders"] == recorded(version, "orders")
    assert (body["next"], body["total"]) == (None, 83)


def test_info_is_what_the_recorded_shop_said(real: tuple[str, str]) -> None:
    version, address = real
    body, before = ask(address, "action=info").json(), recorded(version, "info")
    unlike = {"bridge", "opencart", "server_time", "utc_offset", "counts", "settings"}
    assert {key: body[key] for key in before.keys() - unlike} == {key: before[key] for key in before.keys() - unlike}
    assert body["settings"] == before["settings"]  # and nothing else of the shop's secrets
    assert body["counts"]["orders"] == "84"
    assert body["counts"]["unfinished"] == "1"
    assert body["stores"] == [{"store_id": "3", "name": "Antra &amp; Ko", "url": "http://antra.example/"}]
    assert sum(int(one["orders"]) for one in body["payments"]) == 83


def test_the_connector_reads_the_same_from_php_as_from_the_demo(real: tuple[str, str]) -> None:
    version, address = real

    def read(at: str) -> list[Any]:
        with serve(OpenCartShop(Store(version=version, total=83))) as demo:
            made = connected(at or demo)
            try:
                found = [made.read(one, page.context) for page in made.pages(EVERYTHING) for one in page.orders]
            finally:
                made.close()
        return found

    found = read(address)
    assert len(found) == 83
    assert all(isinstance(one, Order) for one in found)
    assert found == read("")


@pytest.mark.parametrize(
    "query",
    [
        "action=orders&limit=7&after=",
        "action=orders&limit=7&after=40&count=1",
        "action=orders&limit=0",
        "action=orders&limit=10&brief=1",
        "action=orders&from=2026-10-01&to=2026-10-03",
        "action=orders&field=date_added&from=2026-10-01&to=2026-10-03&count=1",
        "action=orders&field=date_modified&from=2026-10-01+15%3A00%3A00&brief=1",
        "action=orders&to=2026-09-17+04%3A05%3A09&brief=1",
        "action=orders&ids=4%2C5%2C77777",
        "action=orders&ids=1)+or+(1",
        "action=orders&store_id=3",
        "action=orders&store_id=0&limit=2",
        "action=orders&from=2030-01-01",
        "action=orders&field=total",
        "action=orders&from=2026%27+or+1",
        "action=orders&to=2026-1-1",
        "action=orders&after=1+or+1",
        "action=orders&after=2026-10-01+00%3A00%3A00%7C5",
        "action=orders&from[]=x&limit=1",
        "action=delete",
        "",
    ],
)
def test_the_demo_answers_as_php_does(address: str, query: str) -> None:
    with serve(OpenCartShop(Store(total=83))) as demo:
        assert comparable(ask(address, query)) == comparable(ask(demo, query))


def test_who_is_not_known_is_told_nothing(address: str) -> None:
    refusals = [
        ask(address, "action=info", key="wrong"),
        ask(address, "action=info", user="nobody"),
        ask(address, "action=info", user="off"),
        ask(address, "action=info", user="empty", key=""),
        ask(address, "action=info", user="' OR 1=1 -- "),
        ask(address, "action=info", time="1"),
    ]
    for answer in refusals:
        assert (answer.status_code, answer.json()["error"]) == (401, "key")
    unsigned = requests.get(f"{address}/monet_bridge.php?action=info", timeout=30)
    assert unsigned.json() == {"error": "unsigned", "message": "The request is not signed"}
    assert requests.post(f"{address}/monet_bridge.php?action=info", timeout=30).status_code == 405


def test_an_old_signature_is_told_the_time(address: str) -> None:
    for late in (301, -301):
        answer = ask(address, "action=info", late=late + (late > 0) * 2 - (late < 0) * 2)
        assert (answer.status_code, answer.json()["error"]) == (401, "clock")
        assert abs(answer.json()["server_time"] - datetime.now(UTC).timestamp()) < 5
    assert ask(address, "action=info", late=290).status_code == 200


def test_the_api_user_s_list_of_addresses_is_obeyed(address: str, shops: Database) -> None:
    shops.run("INSERT INTO oc3.oc_api_ip VALUES (1, 1, '192.0.2.9');")
    try:
        refused = ask(address, "action=info")
        assert (refused.status_code, refused.json()["error"]) == (403, "ip")
        assert "Address 127.0.0.1 is not" in refused.json()["message"]
        shops.run("INSERT INTO oc3.oc_api_ip VALUES (2, 1, ' 127.0.0.1 ');")
        assert ask(address, "action=info").status_code == 200
    finally:
        shops.run("DELETE FROM oc3.oc_api_ip;")


def test_unfinished_checkouts_come_only_when_asked_for_and_personal_traces_never(address: str) -> None:
    answer = ask(address, "action=orders&ids=1,9999&unfinished=1")
    assert [order["order_id"] for order in answer.json()["orders"]] == ["1", "9999"]
    assert "192.0.2.7" not in answer.text
    assert "Naršyklė" not in answer.text
    assert [order["order_id"] for order in ask(address, "action=orders&ids=1,9999").json()["orders"]] == ["1"]


def test_a_broken_database_is_told_without_its_secrets(tmp_path: Path, shops: Database) -> None:
    with shop(tmp_path / "gone", shops, "no_such_database") as address:
        answer = ask(address, "action=info")
    assert (answer.status_code, answer.json()["error"]) == (500, "database")
    assert "no_such_database" not in answer.text
    shops.run("CREATE DATABASE half;")
    with shop(tmp_path / "half", shops, "half") as address:
        answer = ask(address, "action=info")
    assert (answer.status_code, answer.json()["error"]) == (500, "query")
    assert "half" not in answer.text


def test_opencart_2_calls_its_api_users_by_another_column(tmp_path: Path, shops: Database) -> None:
    with shop(tmp_path / "old", shops, "old", version="2.3.0.2") as address:
        made = connected(address)
        assert made.test().version == "2.3.0.2"
        made.close()


def test_it_only_reads() -> None:
    source = downloads.bridge().decode()
    statements = re.findall(r'"\s*([A-Z]{3,}) ', source)
    assert set(statements) <= {"SELECT", "SHOW", "WHERE", "AND"}
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|REPLACE|ALTER|DROP|TRUNCATE|CREATE|INTO OUTFILE)\b", source)
    assert not re.search(r"\b(eval|exec|system|shell_exec|passthru|unserialize|file_put_contents|fopen)\s*\(", source)


def test_php_accepts_every_file_and_the_bridge_is_written_for_5_6() -> None:
    programs_or_skip()
    for file in SOURCES.rglob("*.php"):
        checked = subprocess.run(["php", "-l", file], capture_output=True, check=False)
        assert checked.returncode == 0, checked.stdout.decode()
    # What came with PHP 7 and 8 would stop an old shop, and `php -l` of a new PHP does not say so.
    newer = {
        r"\?\?": "??",
        r"function \w+\([^)]*\)\s*:": "return types",
        r"\?->": "?->",
        r"\bfn\s*\(": "fn",
        r"<=>": "<=>",
    }
    source = downloads.bridge().decode()
    assert [name for pattern, name in newer.items() if re.search(pattern, source)] == []
    assert not re.search(r"function \w+\((?:int|string|array|bool|float)\b", source)


# The packages, unpacked as the shop's installer does.


def test_the_package_of_opencart_3_answers_by_its_route(tmp_path: Path, shops: Database) -> None:
    root = tmp_path / "three"
    root.mkdir()
    with zipfile.ZipFile(io.BytesIO(downloads.package_of_three())) as archive:
        archive.extractall(tmp_path / "unpacked")
    shutil.copytree(tmp_path / "unpacked" / "upload", root, dirs_exist_ok=True)
    (root / "config.php").write_text(config_php("oc3"))
    (root / "index.php").write_text(THREE)
    with served(root, shops) as address:
        check_package(address, "oc3", "oc3")


def test_the_package_of_opencart_4_answers_by_its_route(tmp_path: Path, shops: Database) -> None:
    root = tmp_path / "four"
    (root / "extension").mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(downloads.package_of_four())) as archive:
        # OpenCart makes a folder only where the zip has an entry of its own for it, one level at a time.
        for name in archive.namelist():
            at = root / "extension" / "monet" / name
            if at.parent == root / "extension" / "monet":
                at.parent.mkdir(exist_ok=True)
            if name.endswith("/"):
                at.mkdir()
            else:
                at.write_bytes(archive.read(name))
    (root / "config.php").write_text(config_php("oc41"))
    (root / "index.php").write_text(FOUR)
    with served(root, shops) as address:
        check_package(address, "oc41", "oc4")


def check_package(address: str, version: str, door: str) -> None:
    made = connected(address)
    try:
        facts = made.test()
        assert facts.learned["door"] == door
        assert facts.version.startswith(version[2])
        rows = [one for page in made.pages(EVERYTHING) for one in page.orders]
    finally:
        made.close()
    assert json.loads(json.dumps(rows, default=float)) == recorded(version, "orders")
    wrong = connected(address, api_key="wrong")
    with pytest.raises(NeedsOwner, match="does not know this API user"):
        wrong.test()
    wrong.close()
