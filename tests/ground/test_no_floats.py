"""No float touches money: where floats may be at all is a closed list, and JSON is read into Decimals (D13).

What remains, a float that meets a Decimal after all, fails any test it happens in: `tests/conftest.py` traps it.
"""

from __future__ import annotations

import ast
import decimal
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from monet_web.config import CHECKOUT

PACKAGE = CHECKOUT / "monet_web"
ROOMS = ("domain", "services", "connectors", "models")

SECONDS = "seconds: how long to wait, for how long to be patient"
# Files in which floats are, and what they are there. No amount, rate, quantity or price passes through them as one.
FLOATS: dict[str, str] = {
    "domain/errors.py": SECONDS,
    "services/books/vies.py": SECONDS,
    "services/books/workbooks.py": "cells of XLSX are floats there; each becomes text before anybody reads it",
    "services/documents/accept.py": SECONDS,
    "services/documents/confirm.py": SECONDS,
    "services/documents/ignore.py": SECONDS,
    "services/documents/mend.py": SECONDS,
    "services/documents/mend_now.py": SECONDS,
    "services/documents/refund_note.py": SECONDS,
    "services/documents/reissue.py": SECONDS,
    "services/documents/register.py": SECONDS,
    "services/importing/claimed.py": SECONDS,
    "services/importing/claims.py": SECONDS,
    "services/integrations/integration_form.py": SECONDS,
    "services/opening/failures.py": SECONDS,
    "services/running/conflicts.py": SECONDS,
    "services/running/progress.py": "how much of a run is done, and the seconds left",
    "services/running/run_import.py": SECONDS,
    "services/running/undo.py": SECONDS,
    "connectors/answers.py": SECONDS,
    "connectors/http.py": SECONDS,
    "connectors/oauth1.py": "the clock of a signature",
    "connectors/opencart/signing.py": "the clock of a signature",
    "connectors/overlap.py": SECONDS,
    "connectors/pace.py": SECONDS,
    "connectors/shopify/api.py": SECONDS,
    "connectors/shopify/cost.py": "points that a question costs, and seconds",
    "connectors/shopify/signing_in.py": SECONDS,
    "connectors/transport.py": SECONDS,
    "connectors/woocommerce/explain.py": SECONDS,
    "connectors/woocommerce/fields.py": "a float in an answer that was not decoded by us is refused or shown as text",
    "connectors/woocommerce/reader.py": "a float in a custom field is kept as text",
}
# Files that decode JSON of our own, which holds no money as a number.
OWN_JSON: dict[str, str] = {
    "models/base.py": "sealed secrets: texts",
    "connectors/opencart/backup/orders.py": "custom fields of an order: shown as text",
    "connectors/opencart/backup/scratch.py": "rows of a database's copy: texts",
}


class Floats(ast.NodeVisitor):
    """Lines with a float: a literal, the name `float`, `math` or `statistics`, a division of whole numbers."""

    def __init__(self) -> None:
        self.lines: list[int] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, float | complex):
            self.lines.append(node.lineno)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "float":
            self.lines.append(node.lineno)

    def visit_Import(self, node: ast.Import) -> None:
        if {"math", "statistics", "random"} & {alias.name for alias in node.names}:
            self.lines.append(node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module in ("math", "statistics", "random"):
            self.lines.append(node.lineno)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Div) and is_whole(node.left) and is_whole(node.right):
            self.lines.append(node.lineno)
        self.generic_visit(node)


def is_whole(node: ast.expr) -> bool:
    """Surely an int: such a division gives a float. What mypy knows to be one can't meet a Decimal unseen."""
    match node:
        case ast.Constant(value=int()):
            return True
        case ast.Call(func=ast.Name(id="len" | "int" | "round")):
            return True
        case ast.BinOp(left=left, right=right):
            return is_whole(left) and is_whole(right)
        case _:
            return False


def floats_in(source: str) -> list[int]:
    found = Floats()
    found.visit(ast.parse(source))
    return found.lines


def loose_json_in(source: str) -> list[int]:
    """Lines that decode JSON without `parse_float=Decimal`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("loads", "load")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("json", "orjson")
        and not any(
            word.arg == "parse_float" and isinstance(word.value, ast.Name) and word.value.id == "Decimal"
            for word in node.keywords
        )
    ]


def sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            yield path.relative_to(PACKAGE).as_posix(), Path(path).read_text("utf-8")


def test_floats_are_only_where_no_money_is() -> None:
    found = {name: lines for name, source in sources() if (lines := floats_in(source))}
    assert {name: lines for name, lines in found.items() if name not in FLOATS} == {}


def test_the_list_of_floats_names_nothing_that_has_none() -> None:
    names = {name for name, source in sources() if floats_in(source)}
    assert FLOATS.keys() - names == set()


def test_json_is_read_into_decimals() -> None:
    found = {name: lines for name, source in sources() if (lines := loose_json_in(source))}
    assert {name: lines for name, lines in found.items() if name not in OWN_JSON} == {}


@pytest.mark.parametrize(
    "source",
    ["x = 0.1", "def f(x: float): ...", "x = len(a) / 2", "x = (1 + 2) / int(y)", "import math", "from math import pi"],
)
def test_a_float_is_seen(source: str) -> None:
    assert floats_in(source) == [1]


@pytest.mark.parametrize("source", ["x = Decimal(1) / 3", "x = amount / rate", "x = 7 // 2", "x = Decimal('0.1')"])
def test_what_is_exact_is_no_float(source: str) -> None:
    assert floats_in(source) == []


def test_json_with_floats_is_seen() -> None:
    assert loose_json_in("import json\njson.loads(text)") == [2]
    assert loose_json_in("json.loads(text, parse_float=Decimal)") == []


@pytest.mark.parametrize("meet", [lambda: Decimal(0.1), lambda: Decimal("0.1") < 0.2])  # noqa: RUF032 - refused so
def test_a_float_that_meets_a_decimal_fails_the_test(meet: object) -> None:
    assert callable(meet)
    with pytest.raises(decimal.FloatOperation):
        meet()


def test_in_another_thread_too() -> None:
    raised: list[type[BaseException]] = []

    def work() -> None:
        try:
            Decimal(0.1)  # noqa: RUF032 - refused so
        except decimal.FloatOperation as error:
            raised.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert raised == [decimal.FloatOperation]
