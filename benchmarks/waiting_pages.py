"""How quick the pages of waiting invoices are, and how many are checked again a second, when very many wait.

    python benchmarks/waiting_pages.py --invoices 10000 [--json]

Invoices for six causes are put into a journal by an ordinary import into a new SQLite database; then each page is asked
for twice through the application (the second time counts: templates are compiled by then), and what waits for one
cause is mended. Milliseconds and statements a page; seconds of the mending. Statements must not grow with the invoices.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Runs from a checkout; the scripted store of the tests is the shop.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PAGES = (
    "/", "/journals", "/journals/invoices", "/journals/invoices?after={half}", "/journals/1",
    "/journals/invoices?cause=stock_short&subject=MAIN+MUG-2", "/journals/invoices?q=Ona", "/journals/invoices/{half}",
    "/journals/ask?do=register&all=yes", "/journals/ask?do=delete&all=yes", "/journals/ask?do=move&all=yes",
)  # fmt: skip


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monet-bench-") as folder:
        measured = measure(Path(folder), arguments.invoices)
    if arguments.json:
        print(json.dumps(measured))
        return
    print(f"{measured['waiting']} invoices wait")
    for page in measured["pages"]:
        print(f"{page['milliseconds']:>7} ms {page['statements']:>4} statements  {page['address']}")
    print(f"{measured['mended']} mended in {measured['mend_seconds']} s")


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Build, ask for the pages, mend one cause."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    from monet_web.app import create_app
    from monet_web.config import Config
    from monet_web.connectors import CONNECTORS
    from monet_web.models.base import sealer
    from monet_web.models.users import Role
    from tests.databases import TEST_KEY, SqliteDatabases
    from tests.services.scripted import ScriptedStore
    from tests.web.integrating import browser, statements
    from tests.web.monday import CAUSES, waiting_month

    url = SqliteDatabases(folder).migrated()
    sealer.bind([TEST_KEY])
    CONNECTORS["scripted"] = ScriptedStore
    _know_orders_by_id(ScriptedStore)
    secret = secrets.token_hex(32)
    factory = sessionmaker(create_engine(url), expire_on_commit=False)
    session = factory()
    each = max(count // CAUSES, 1)
    waiting_month(session, factory, each=each)
    app = create_app(
        Config(
            database_url=url, is_embedded_database=True, redis_url=None, encryption_keys=(TEST_KEY,), home=folder,
            secret_key=secret, url="http://localhost",
        )
    )  # fmt: skip
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = browser(app, session, Role.ACCOUNTANT)
    pages = []
    for address in (page.format(half=each * CAUSES // 2) for page in PAGES):
        client.get(address)
        with statements(app) as asked:
            began = time.perf_counter()
            answer = client.get(address)
            took = time.perf_counter() - began
        assert answer.status_code == 200, (address, answer.status_code)
        pages.append({"address": address, "milliseconds": round(took * 1000), "statements": len(asked)})
    began = time.perf_counter()
    client.post(
        "/journals/mend/receive",
        data={"cause": "stock_short", "subject": "MAIN MUG-2", "item": "MUG-2", "warehouse": "MAIN", "quantity": each},
    )
    return {
        "waiting": each * CAUSES,
        "pages": pages,
        "mended": each,
        "mend_seconds": round(time.perf_counter() - began, 2),
    }


def _know_orders_by_id(store: Any) -> None:
    """The scripted store looks through all it ever said for each order, which is no part of what is measured."""
    places: dict[str, int] = {}

    def raw(cls: Any, order: Any) -> dict[str, int]:
        if order.external_id not in places:
            places[order.external_id] = len(cls.SAID)
            cls.SAID.append(order)
        return {"said": places[order.external_id]}

    store._raw = classmethod(raw)  # noqa: SLF001 - the scripted store is ours


if __name__ == "__main__":
    main()
