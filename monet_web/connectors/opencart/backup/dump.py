"""Rows of a `.sql` file, one after another: INSERT statements alone, never more than a line of them in memory.

OpenCart's own backup writes a statement a line; phpMyAdmin's, which name their columns too, end each line with a whole
row. Nothing is run: the file is only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from monet_web.domain.errors import BrokenRule

Row = dict[str, str | None]

# Of a file only these are kept: no customers' passwords, no settings but those that reading an order needs.
TABLES = frozenset({
    *("order", "order_product", "order_option", "order_total", "order_history", "order_voucher", "return", "product"),
    *("order_status", "currency", "country", "tax_rate", "tax_rule", "custom_field", "custom_field_description"),
    "setting",
})  # fmt: skip
SETTINGS = frozenset({
    "config_timezone", "config_currency", "config_complete_status", "config_processing_status",
})  # fmt: skip

_BEGINS = re.compile(rb"\s*INSERT\s+(?:IGNORE\s+)?INTO\s+`([^`]{1,120})`", re.IGNORECASE)
_HEAD = re.compile(r"\s*INSERT\s+(?:IGNORE\s+)?INTO\s+`([^`]+)`\s*(?:\(([^)]*)\))?\s*VALUES?", re.IGNORECASE)
_OPEN = re.compile(r"[\s,]*\(\s*")
_VALUE = re.compile(
    r"(?:'([^'\\]*(?:(?:\\.|'')[^'\\]*)*)'|(NULL)|([-+]?[\d.]+(?:e[-+]?\d+)?))\s*([,)])\s*", re.IGNORECASE | re.DOTALL
)
_END = re.compile(r"[\s,;]*\Z")
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_MEANS = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a"}


def kept(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that orders need, of settings only the few. Raises BrokenRule for a file that is none of these."""
    keeps, found = False, False
    for line in lines:
        begins = _BEGINS.match(line)
        if begins is None:
            keeps = keeps and line.lstrip()[:1] in (b"(", b",", b";", b"")  # more rows of the same statement
        elif (name := own_name(begins[1].decode("utf-8", "replace"))) == "setting":
            keeps = False
            if any(key.encode() in line for key in SETTINGS):
                yield from _few_settings(line)
        else:
            keeps = bool(name)
            found = found or keeps
        if keeps:
            yield line
    if not found:
        raise BrokenRule(
            "This file holds no orders of an OpenCart.",
            fix="Choose the .sql file that the shop's admin exports under System → Maintenance → Backup, not packed.",
        )


def own_name(table: str) -> str:
    """A table's name without the shop's prefix, "" for one that is not among TABLES."""
    return max((name for name in TABLES if table == name or table.endswith(f"_{name}")), key=len, default="")


def rows(lines: Iterable[bytes]) -> Iterator[tuple[str, Row]]:
    """(table, row) of lines that were `kept`. Raises BrokenRule naming the line that cannot be read."""
    table, columns = "", list[str]()
    for number, line in enumerate(lines, start=1):
        text = _decoded(line, number)
        head = _HEAD.match(text)
        if head is not None:
            table, columns = head[1], re.findall(r"`([^`]+)`", head[2] or "")
            if not columns:
                raise _broken(number, "does not name its columns", "Export it with the shop's own backup page.")
        elif not table:
            continue
        for values in _tuples(text, head.end() if head else 0, number):
            if len(values) != len(columns):
                raise _broken(number, f"has {len(values)} values for {len(columns)} columns")
            yield table, dict(zip(columns, values, strict=True))


def _tuples(text: str, at: int, number: int) -> Iterator[list[str | None]]:
    while True:
        opened = _OPEN.match(text, at)
        if opened is None:
            if _END.match(text, at):
                return
            raise _broken(number, "is cut off or no SQL")
        at = opened.end()
        values: list[str | None] = []
        while True:
            value = _VALUE.match(text, at)
            if value is None:
                raise _broken(number, "is cut off or no SQL")
            values.append(_unescaped(value[1]) if value[1] is not None else value[3])
            at = value.end()
            if value[4] == ")":
                break
        yield values


def _unescaped(text: str) -> str:
    if "\\" not in text and "''" not in text:
        return text
    return _ESCAPED.sub(lambda found: _MEANS.get(found[1], found[1]) if found[1] else "'", text)


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    raise _broken(number, f"is not UTF-8 (byte {at})", "Export it anew, and open it in no editor before.")


def _few_settings(line: bytes) -> Iterator[bytes]:
    """Statements of their own for the few settings: the others of the line may be passwords."""
    try:
        found = [row for _, row in rows([line]) if row.get("key") in SETTINGS and row.get("store_id") == "0"]
    except BrokenRule:
        return  # settings have defaults; an order has none, and there the same is an error
    for row in found:
        key, value = row["key"], (row.get("value") or "").replace("\\", "\\\\").replace("'", "\\'")
        # No database is given this: `rows` reads it again.
        yield f"INSERT INTO `setting` (`key`, `value`) VALUES ('{key}', '{value}');\n".encode()  # noqa: S608


def _broken(number: int, what: str, fix: str = "Export the backup anew and upload it whole.") -> BrokenRule:
    return BrokenRule(f"Line {number} of the backup {what}, so none of its orders were read.", fix=fix)
