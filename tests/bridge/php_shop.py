"""A shop's database and web server for the real bridge: MariaDB filled with recorded orders, and PHP before it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monet_web.demo.opencart.documents import recorded

PROGRAMS = ("php", "mariadbd", "mariadb-install-db", "my_print_defaults")
_DERIVED = frozenset({
    *("products", "totals", "vouchers", "history", "returns"),
    *("payment_iso_code_2", "shipping_iso_code_2", "order_status"),
})  # fmt: skip
_OF_PRODUCT = ("sku", "ean", "tax_class_id", "product_exists", "options")
_DECIMALS = {"currency_value": 8, "value": 4, "total": 4, "commission": 4, "price": 4, "tax": 4, "amount": 4, "rate": 4}
_WORDS = frozenset({"key", "value"})


def programs_or_skip() -> None:
    """Skips where PHP or MariaDB is missing; in CI that is a failure, because there it would go unnoticed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    sentence = (
        f"{', '.join(missing)} missing: apt-get install php-cli php-mysql mariadb-server-core mariadb-client-core"
    )
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass(frozen=True)
class Database:
    """A running MariaDB behind a socket of its own."""

    socket: Path

    def run(self, sql: str) -> None:
        """Statements, one after the other."""
        script = (
            "mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);"
            f"$db = new mysqli('localhost', 'root', '', '', 0, '{self.socket}'); $db->set_charset('utf8mb4');"
            "$db->multi_query(stream_get_contents(STDIN)); do { $db->store_result(); }"
            " while ($db->more_results() && $db->next_result());"
        )
        done = subprocess.run(
            ["php", "-d", "display_errors=stderr", "-r", script],
            input=sql.encode(),
            check=False,
            timeout=60,
            capture_output=True,
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")[:2000]


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """A MariaDB whose files are in `folder`, until the block ends."""
    data, at = folder / "data", Path("/tmp") / f"mw{os.getpid()}.sock"  # a socket's path may have 107 signs at most
    user = ["--user=root"] if os.geteuid() == 0 else []
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M"]
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", *user, *small]
    installed = subprocess.run(
        [*install, "--auth-root-authentication-method=normal"], capture_output=True, timeout=100, check=False
    )
    assert installed.returncode == 0, installed.stderr.decode()
    command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={at}", "--skip-networking", *user, *small]
    with (folder / "mariadb.log").open("wb") as log:
        server = subprocess.Popen([*command, f"--pid-file={folder / 'pid'}"], stdout=log, stderr=log)
    try:
        _wait(lambda: at.exists(), server, folder / "mariadb.log")
        yield Database(at)
    finally:
        server.terminate()
        server.wait(30)
        at.unlink(missing_ok=True)


@contextmanager
def served(root: Path, at: Database, *, router: Path | None = None) -> Iterator[str]:
    """PHP's own web server over a folder; gives its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{found.getsockname()[1]}"
    options = ["-d", f"mysqli.default_socket={at.socket}", "-S", host, "-t", str(root)]
    with (root.parent / f"{root.name}.log").open("wb") as log:
        server = subprocess.Popen(["php", *options, *([str(router)] if router else [])], stdout=log, stderr=log)
    try:
        _wait(lambda: _listens(host), server, root.parent / f"{root.name}.log")
        yield f"http://{host}"
    finally:
        server.terminate()
        server.wait(10)


def _listens(host: str) -> bool:
    name, port = host.split(":")
    with socket.socket() as tried:
        return tried.connect_ex((name, int(port))) == 0


def _wait(is_there: Any, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while not is_there():
        assert server.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        assert time.monotonic() < until, log.read_text("utf-8", "replace")[-2000:]
        time.sleep(0.05)


def config_php(name: str) -> str:
    """What the shop's own config.php defines, as far as the bridge needs it."""
    values = {
        "DB_DRIVER": "mysqli", "DB_HOSTNAME": "localhost", "DB_USERNAME": "root", "DB_PASSWORD": "",
        "DB_DATABASE": name, "DB_PREFIX": "oc_", "DB_PORT": "3306",
    }  # fmt: skip
    return "<?php\n" + "".join(f"define('{key}', '{value}');\n" for key, value in values.items())


# The tables, filled with what was recorded.


def shop_sql(
    name: str, version: str, *, key: str, users: Sequence[tuple[str, str, int]] = (), old: bool = False
) -> str:
    """A database `name` with the recorded shop of `version` and an API user "monet" with `key`.

    `users` are others: (name, key, status). `old`: they are called as OpenCart 2.1 to 2.3 call them.
    """
    info, orders = recorded(version, "info"), recorded(version, "orders")
    column = "name" if old else "username"
    api = [
        {"api_id": number, column: user, "key": secret, "status": status}
        for number, (user, secret, status) in enumerate((("monet", key, 1), *users), start=1)
    ]
    settings = [{"store_id": 0, "key": name_, "value": value} for name_, value in info["settings"].items()]
    settings.append({"store_id": 0, "key": "config_mail_smtp_password", "value": "slaptas"})
    tables: dict[str, list[dict[str, Any]]] = {
        "api": api,
        "setting": settings,
        "currency": info["currencies"],
        "order_status": info["order_statuses"],
        "tax_rate": info["tax_rates"],
        "tax_rule": info["tax_rules"],
        "custom_field": _part(info["custom_fields"], ("custom_field_id", "location", "type")),
        "custom_field_description": _part(info["custom_fields"], ("custom_field_id", "language_id", "name")),
        "country": _countries(orders),
        "order": [{key_: value for key_, value in order.items() if key_ not in _DERIVED} for order in orders],
        "order_product": [_without(line, _OF_PRODUCT) for order in orders for line in order["products"]],
        "product": _products(orders),
        "order_option": _options(orders),
        "order_total": [total for order in orders for total in order["totals"]],
        "order_history": [entry for order in orders for entry in order["history"]],
        "return": [one for order in orders for one in order["returns"]],
        "store": [{"store_id": 3, "name": "Antra &amp; Ko", "url": "http://antra.example/"}],
    }
    if version != "oc41":
        tables["order_voucher"] = [one for order in orders for one in order["vouchers"]]
    for order in tables["order"]:
        order.update(ip="192.0.2.7", user_agent="Naršyklė")
    tables["order"].append({**tables["order"][0], "order_id": "9999", "order_status_id": "0"})
    sql = f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4; USE `{name}`;\n"
    sql += "CREATE TABLE `oc_api_ip` (`api_ip_id` INT, `api_id` INT, `ip` VARCHAR(40));\n"
    return sql + "".join(_table(f"oc_{table}", rows) for table, rows in tables.items())


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    assert columns, name
    first = "PRIMARY KEY" if columns[0] == f"{name.removeprefix('oc_')}_id" and name not in _TWO_LANGUAGES else ""
    kinds = ", ".join(
        f"`{column}` {_type(column, [row.get(column) for row in rows])} {first if column == columns[0] else ''}"
        for column in columns
    )
    sql = f"CREATE TABLE `{name}` ({kinds}) DEFAULT CHARSET=utf8mb4;\n"
    names = ", ".join(f"`{column}`" for column in columns)
    for row in rows:
        sql += (
            f"INSERT INTO `{name}` ({names}) VALUES ({', '.join(_literal(row.get(column)) for column in columns)});\n"
        )
    return sql


_TWO_LANGUAGES = frozenset({"oc_order_status", "oc_custom_field"})


def _type(column: str, values: Sequence[Any]) -> str:
    if column in ("date_added", "date_modified"):
        return "DATETIME"
    if column in _DECIMALS and column not in _WORDS:
        return f"DECIMAL(15,{_DECIMALS[column]})"
    is_number = column.endswith("_id") or column in ("quantity", "status", "sort_order", "priority", "invoice_no")
    return "INT" if is_number and all(re.fullmatch(r"-?\d+", str(one or 0)) and one != "" for one in values) else "TEXT"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    return "'" + re.sub(r"(['\\])", r"\\\1", text) + "'"


def _without(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def _part(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows cut down to these columns, each once."""
    return [dict(one) for one in dict.fromkeys(tuple((name, row[name]) for name in names) for row in rows)]


def _countries(orders: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    codes = {order[f"{of}_country_id"]: order[f"{of}_iso_code_2"] for order in orders for of in ("payment", "shipping")}
    return [{"country_id": number, "iso_code_2": code} for number, code in codes.items() if number not in ("0", "")]


def _products(orders: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    there = {
        line["product_id"]: {key: line[key] for key in ("product_id", "sku", "ean", "tax_class_id")}
        for order in orders
        for line in order["products"]
        if line["product_exists"] == "1"
    }
    return list(there.values())


def _options(orders: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [
        {"order_id": order["order_id"], "order_product_id": line["order_product_id"], **option}
        for order in orders
        for line in order["products"]
        for option in line["options"]
    ]
    return [{"order_option_id": number, **row} for number, row in enumerate(found, start=1)]
