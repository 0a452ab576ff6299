"""A scratch file for one backup: its tables come one after another, its orders are wanted with all their rows.

100 MB do not fit into memory as rows, so they lie in a temporary SQLite file, which is gone when reading ends.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from monet_web.connectors.opencart.backup.dump import Row, own_name

# What a row is looked up by; of all others there are few, and they are read whole.
_KEYS = {"product": "product_id"}
_BY_ORDER = frozenset({
    *("order", "order_product", "order_option", "order_total", "order_history", "order_voucher", "return"),
})  # fmt: skip
# A buyer's traces that no invoice needs.
_LEFT_OUT = frozenset({"ip", "forwarded_ip", "user_agent", "accept_language"})
_AT_ONCE = 500


class Scratch:
    """The rows of a backup by table and order."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE rows (name TEXT, owner INTEGER, body TEXT)")

    def fill(self, found: Iterable[tuple[str, Row]]) -> None:
        """Takes everything in, a part at a time."""
        ready = ((name, _owner(name, row), _body(row)) for table, row in found if (name := own_name(table)))
        self._connection.execute("BEGIN")
        while part := list(islice(ready, _AT_ONCE)):
            self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", part)
        self._connection.execute("COMMIT")
        self._connection.execute("CREATE INDEX by_owner ON rows (name, owner)")

    def tables(self) -> set[str]:
        """The tables that have a row."""
        return {name for (name,) in self._connection.execute("SELECT DISTINCT name FROM rows")}

    def whole(self, name: str) -> list[Row]:
        """A small table."""
        return [
            json.loads(body) for (body,) in self._connection.execute("SELECT body FROM rows WHERE name = ?", [name])
        ]

    def orders(self, after: int, most: int) -> dict[int, Row]:
        """The next orders by id; of one that is there twice, the last."""
        ids = self._connection.execute(
            "SELECT DISTINCT owner FROM rows WHERE name = 'order' AND owner > ? ORDER BY owner LIMIT ?", [after, most]
        ).fetchall()
        if not ids:
            return {}
        found = self.between("order", ids[0][0], ids[-1][0])
        return {owner: rows[-1] for owner, rows in sorted(found.items())}

    def between(self, name: str, first: int, last: int) -> dict[int, list[Row]]:
        """The rows of a table by order, in the order of the file."""
        by_owner: dict[int, list[Row]] = {}
        query = "SELECT owner, body FROM rows WHERE name = ? AND owner BETWEEN ? AND ? ORDER BY owner, rowid"
        for owner, body in self._connection.execute(query, [name, first, last]):
            by_owner.setdefault(owner, []).append(json.loads(body))
        return by_owner

    def of(self, name: str, owners: Iterable[int]) -> dict[int, Row]:
        """One row of each of these owners."""
        found: dict[int, Row] = {}
        for owner in owners:
            row = self._connection.execute(
                "SELECT body FROM rows WHERE name = ? AND owner = ?", [name, owner]
            ).fetchone()
            if row is not None:
                found[owner] = json.loads(row[0])
        return found


@contextmanager
def scratch() -> Iterator[Scratch]:
    """An empty one, gone when the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="monet-backup-") as folder,
        # Pages of a run may be asked for from another thread than the first.
        closing(sqlite3.connect(Path(folder) / "rows", isolation_level=None, check_same_thread=False)) as opened,
    ):
        yield Scratch(opened)


def _owner(name: str, row: Row) -> int:
    text = row.get("order_id" if name in _BY_ORDER else _KEYS.get(name, "")) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _body(row: Row) -> str:
    return json.dumps({key: value for key, value in row.items() if key not in _LEFT_OUT}, ensure_ascii=False)
