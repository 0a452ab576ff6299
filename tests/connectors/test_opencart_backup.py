"""The file that the shop's own backup page exports gives the orders that the bridge gives, and keeps nothing else."""

from __future__ import annotations

import gzip
import itertools
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Page
from monet_web.connectors.opencart import OpenCart
from monet_web.connectors.opencart.backup.dump import kept, rows
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Order
from tests.connectors.readers import load

FILE = Path(__file__).parent / "recorded" / "opencart" / "backup_oc3.sql.gz"
HEAD = "INSERT INTO `oc_order` (`order_id`, `comment`) VALUES "


def backup() -> list[bytes]:
    return gzip.decompress(FILE.read_bytes()).splitlines(keepends=True)


def pages(lines: Iterable[bytes], **values: str) -> list[Page]:
    connector = OpenCart({"address": "https://shop.example", **values})
    try:
        return list(connector.pages_of_file(kept(lines)))
    finally:
        connector.close()


def read(found: list[Page]) -> list[Order]:
    orders = [OpenCart.read(order, page.context) for page in found for order in page.orders]
    assert all(isinstance(order, Order) for order in orders)
    return [order for order in orders if isinstance(order, Order)]


def only(text: str) -> list[tuple[str, dict[str, str | None]]]:
    return list(rows(kept([text.encode()])))


def test_the_recorded_backup_gives_the_orders_that_the_bridge_gave() -> None:
    found = {order["order_id"]: order for page in pages(backup()) for order in page.orders}
    recorded = {order["order_id"]: order for order in load("opencart", "orders_oc3")["orders"]}
    assert list(found) == list(recorded)
    for number, order in recorded.items():
        ours = dict(found[number])
        elsewhere = ("products", "returns", "store_url")  # the recording names its own machine
        assert {key: ours[key] for key in order if key not in elsewhere} == {
            key: value for key, value in order.items() if key not in elsewhere
        }, number
        # The backup was made without the table of products: what the bridge adds of them today is not there.
        added = ("sku", "ean", "tax_class_id", "product_exists")
        assert [{k: v for k, v in line.items() if k not in added} for line in ours["products"]] == [
            {k: v for k, v in line.items() if k not in added} for line in order["products"]
        ], number
        assert not {"ip", "user_agent"} & ours.keys()


def test_the_orders_are_read_to_the_same_money() -> None:
    info = load("opencart", "info_oc3")
    bridge = [OpenCart.read(order, info) for order in load("opencart", "orders_oc3")["orders"]]
    for ours, theirs in zip(read(pages(backup())), bridge, strict=True):
        assert isinstance(theirs, Order)
        for part in ("external_id", "placed_at", "changed_at", "shipped_at", "currency", "total", "total_tax"):
            assert getattr(ours, part) == getattr(theirs, part), (ours.number, part)
        for part in (
            "status",
            "status_label",
            "is_sale",
            "buyer",
            "ship_to",
            "tax_totals",
            "payments",
            "shop_currency",
        ):
            assert getattr(ours, part) == getattr(theirs, part), (ours.number, part)
        assert [(one.kind, one.net) for one in ours.charges] == [(one.kind, one.net) for one in theirs.charges]
        assert [(one.name, one.net) for one in ours.lines] == [(one.name, one.net) for one in theirs.lines]


def whole_backup() -> list[bytes]:
    """With the tables that the steps name: products, rules of tax, settings."""
    products: dict[str, Any] = {
        line["product_id"]: line
        for order in load("opencart", "orders_oc3")["orders"]
        for line in order["products"]
        if line["product_exists"] == "1"
    }
    info = load("opencart", "info_oc3")
    text = ""
    for number, line in products.items():
        values = ", ".join(f"'{line[key]}'" for key in ("sku", "ean", "tax_class_id"))
        text += (
            f"INSERT INTO `oc_product` (`product_id`, `sku`, `ean`, `tax_class_id`) VALUES ('{number}', {values});\n"
        )
    for rule in info["tax_rules"]:
        values = f"'{rule['tax_class_id']}', '{rule['tax_rate_id']}'"
        text += f"INSERT INTO `oc_tax_rule` (`tax_class_id`, `tax_rate_id`) VALUES ({values});\n"
    for key, value in {**info["settings"], "config_mail_smtp_password": "labai slapta"}.items():
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        text += f"INSERT INTO `oc_setting` (`store_id`, `key`, `value`) VALUES ('0', '{key}', '{escaped}');\n"
    return [*backup(), *text.encode().splitlines(keepends=True)]


def test_with_every_table_ticked_the_bridge_and_the_backup_make_one_and_the_same_order() -> None:
    """So that an order read from a backup is not "changed" when the bridge reads it later."""
    info = load("opencart", "info_oc3")
    bridge = [OpenCart.read(order, info) for order in load("opencart", "orders_oc3")["orders"]]
    assert read(pages(whole_backup())) == bridge


def test_passwords_and_other_tables_are_not_kept() -> None:
    lines = [
        *whole_backup(),
        b"INSERT INTO `oc_customer` (`email`, `password`) VALUES ('a@b.lt', '$2y$10$abcdefgh');\n",
        b"INSERT INTO `oc_user` (`username`, `password`) VALUES ('admin', 'hash'),\n",
        b"('other', 'hash2');\n",
        b"INSERT INTO `oc_setting` (`store_id`, `key`, `value`) VALUES ('0', 'config_ftp_password', 'ftp-secret');\n",
    ]
    text = b"".join(kept(lines)).decode()
    for secret in ("labai slapta", "$2y$10$", "hash", "hash2", "ftp-secret", "config_mail"):
        assert secret not in text
    assert "config_timezone" in text
    assert "`oc_order`" in text


@pytest.mark.parametrize(
    ("literal", "means"),
    [
        (r"'UAB \'Saulė\' \"ir\" Ko'", "UAB 'Saulė' \"ir\" Ko"),
        (r"'eilutė\nkita\r\n\tgalas \\n'", "eilutė\nkita\r\n\tgalas \\n"),
        (r"'a), (\'9\', \'x\'); --'", "a), ('9', 'x'); --"),
        ("'it''s'", "it's"),
        ("''", ""),
        ("NULL", None),
        ("12.50", "12.50"),
        (r"'\Z\0\%'", "\x1a\0%"),
    ],
)
def test_texts_are_unescaped_as_mysql_escapes_them(literal: str, means: str | None) -> None:
    assert only(f"{HEAD}('1', {literal});\n") == [("oc_order", {"order_id": "1", "comment": means})]


def test_many_rows_of_one_statement_on_lines_of_their_own_are_read_too() -> None:
    lines = ["-- phpMyAdmin\n", f"{HEAD.rstrip()}\n", "(1, 'a'),\n", "(2, 'b'), (3, 'c');\n", "COMMIT;\n", "(4, 'd')\n"]
    found = list(rows(kept(line.encode() for line in lines)))
    assert [row["order_id"] for _, row in found] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{HEAD}('1', 'cut o", "Line 1 of the backup is cut off or no SQL"),
        (f"{HEAD}('1', 'a')  x", "Line 1 of the backup is cut off or no SQL"),
        (f"{HEAD}('1');", "Line 1 of the backup has 1 values for 2 columns"),
        (f"{HEAD}('1', 0xDEAD);", "Line 1 of the backup is cut off or no SQL"),
        ("INSERT INTO `oc_order` VALUES ('1');", "Line 1 of the backup does not name its columns"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_read(line: str, said: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        only(line)
    assert said in caught.value.message
    assert caught.value.message.endswith("so none of its orders were read.")
    assert caught.value.fix


def test_a_file_that_is_not_utf_8_is_told() -> None:
    with pytest.raises(BrokenRule, match="is not UTF-8"):
        list(rows(kept([HEAD.encode() + b"('1', '\xff\xfe');"])))


@pytest.mark.parametrize("lines", [[], [b"\x1f\x8b\x08"], [b"<html>"], [b"INSERT INTO `wp_posts` (`ID`) VALUES (1);"]])
def test_what_is_no_backup_of_an_opencart_is_told(lines: list[bytes]) -> None:
    with pytest.raises(BrokenRule, match="holds no orders of an OpenCart"):
        list(kept(lines))


@pytest.mark.parametrize("table", ["order_product", "order_total"])
def test_a_table_that_was_not_ticked_is_named(table: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        pages(line for line in backup() if f"INTO `oc_{table}`".encode() not in line)
    assert caught.value.message == f"The backup has no rows of the table {table}."


def test_an_order_whose_totals_were_cut_off_is_unreadable_and_the_others_come() -> None:
    lines = [line for line in backup() if not re.match(rb"INSERT INTO `oc_order_total` .* VALUES \('\d+', '6',", line)]
    (found,) = pages(lines)
    assert [one.external_id for one in found.unreadable] == ["6"]
    assert "without its totals" in found.unreadable[0].reason
    assert len(found.orders) == 82


def test_a_file_that_is_cut_off_books_nothing_at_all() -> None:
    whole = b"".join(backup())
    for part in (0.3, 0.6, 0.95):
        with pytest.raises(BrokenRule):
            pages(whole[: int(len(whole) * part)].splitlines(keepends=True))


def test_unfinished_checkouts_and_other_shops_are_left_out() -> None:
    lines = [
        re.sub(rb"^(INSERT INTO `oc_order` .*? VALUES \('4', '0', 'SF-2026-', )'0'", rb"\1'3'", line)
        for line in backup()
    ]
    assert [order["order_id"] for page in pages(lines, shop="3") for order in page.orders] == ["4"]
    assert len([order for page in pages(lines, shop="0") for order in page.orders]) == 82


def test_the_zone_of_a_backup_without_settings_is_the_typed_one() -> None:
    vilnius, london = read(pages(backup())), read(pages(backup(), time_zone="Europe/London"))
    assert (london[0].placed_at - vilnius[0].placed_at).total_seconds() == 2 * 3600


def large(copies: int) -> Iterator[bytes]:
    """The recorded backup many times over, table by table, each copy with ids of its own."""
    by_table: dict[bytes, list[bytes]] = {}
    for line in backup():
        if line.startswith(b"INSERT INTO `oc_order"):
            by_table.setdefault(line.split(b"`")[1], []).append(line)
        else:
            yield line
    for table, lines in by_table.items():
        if table == b"oc_order_status":
            yield from lines
            continue
        place = 0 if table == b"oc_order" else 1
        for copy, line in itertools.product(range(copies), lines):
            head, values, rest = line.partition(b" VALUES (")
            parts = rest.split(b"', '", 2)
            parts[place] = b"%s%d" % (b"'" if place == 0 else b"", int(parts[place].strip(b"'")) + copy * 100)
            yield head + values + b"', '".join(parts)


MEASURED = """
import resource
from monet_web.connectors.opencart import OpenCart
from monet_web.connectors.opencart.backup.dump import kept
from tests.connectors.test_opencart_backup import large

def read(copies):
    size = count = 0
    def measured():
        nonlocal size
        for line in large(copies):
            size += len(line)
            yield line
    connector = OpenCart({"address": "https://shop.example"})
    for page in connector.pages_of_file(kept(measured())):
        count += len(page.orders)
    return size, count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(*read(20), *read(310))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_megabytes_are_read_in_constant_memory() -> None:
    """The most memory that the process ever had, in kB, after 6 MB and after 100."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", MEASURED], cwd=root, capture_output=True, check=True, text=True)
    _, _, before, size, count, after = map(int, done.stdout.split())
    assert size > 100_000_000
    assert count == 310 * 83
    assert after - before < 20_000


def test_only_platforms_that_declare_a_file_have_one() -> None:
    for kind, connector in CONNECTORS.items():
        if connector.orders_file is None:
            with pytest.raises(BrokenRule, match="has no file of orders"):
                connector.kept_of_file([b""])
        else:
            assert kind == "opencart"
            assert connector.orders_file.steps


def test_lines_are_taken_one_at_a_time() -> None:
    asked: list[int] = []

    def lines() -> Iterator[bytes]:
        for number, line in enumerate(backup()):
            asked.append(number)
            yield line

    found = kept(lines())
    next(found)
    assert len(asked) < 10


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6), st.integers(0, 80), st.binary(max_size=8))
def test_no_file_makes_reading_raise_anything_but_its_own_sentence(lines: list[bytes], at: int, dirt: bytes) -> None:
    good = f"{HEAD}('1', 'Ačiū \\'UAB\\''), (2, NULL);\n".encode()
    for some in ([*lines], [good[:at] + dirt + good[at:], *lines], [good, *lines]):
        with suppress(BrokenRule):
            list(rows(kept(some)))
