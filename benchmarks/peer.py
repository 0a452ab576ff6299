"""The same orders by a Python ERP that does the same work, and by this program: both figures in one run.

    python benchmarks/peer.py [--orders 100] [--json]

The peer is Tryton with its WooCommerce module, installed by name from the package index into an environment of its
own in a temporary folder; the environment and everything it made are removed at the end. Both ask the same demo store
over HTTP, one after the other, and are timed from the first question to the last registered invoice: for the peer,
orders downloaded, sales confirmed and processed, invoices posted with number, VAT and account moves. What favours the
peer: its database is in memory, its items are there with their VAT, and it need not tell the store of each order (the
demo store can't be written to). `ratio` = orders a second of this program / of the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

PACKAGES = (
    "trytond", "trytond_sale", "trytond_account_invoice", "trytond_web_shop",
    "trytoncommunity-web-shop-woocommerce", "proteus",
)  # fmt: skip
MODULES = ["web_shop_woocommerce", "sale", "account_invoice", "web_shop"]
FIRST_PRODUCT = 100_000  # what the plain demo shop calls its first item


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peer", metavar="ADDRESS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        print(json.dumps(peer(arguments.peer, **json.loads(sys.stdin.read()))))
        return
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import import_orders

    import_orders.report(measure(arguments.orders), as_json=arguments.json)


def measure(orders: int) -> dict[str, Any]:
    """Install the peer, let both work."""
    import import_orders

    from monet_web.demo import items

    with tempfile.TemporaryDirectory(prefix="mp-", ignore_cleanup_errors=True) as folder:
        python = install(Path(folder))
        with import_orders.demo_store(orders) as address, import_orders.databases("sqlite") as made:
            ours = import_orders.child("product", address, next(made))
            theirs = run_peer(python, address, Path(folder), items(import_orders.SKUS))
    assert ours["registered"] == theirs["posted"] == orders, (ours, theirs)
    mine, other = orders / ours["seconds"], orders / theirs["seconds"]
    return {
        "orders": orders,
        "orders_per_second": round(mine, 1),
        "peer_orders_per_second": round(other, 2),
        "ratio": round(mine / other, 1),
        "peer": theirs["version"],
        "peer_seconds": {name: round(seconds, 1) for name, seconds in theirs["parts"].items()},
        "peer_peak_mb": theirs["peak_mb"],
        "peak_mb": ours["peak_mb"],
    }


def install(folder: Path) -> Path:
    """The Python of a new environment with the peer. Raises SystemExit with what pip said when it can't be had."""
    print("installing the peer into an environment of its own; this takes half a minute …", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *PACKAGES], capture_output=True, text=True)
    if done.returncode:
        # The community's module may lag a series behind the others, and then asks for theirs itself.
        print("the newest do not fit together; the module chooses its own versions", file=sys.stderr)
        done = subprocess.run([*pip, PACKAGES[4], PACKAGES[5]], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the peer can't be installed:\n{done.stderr[-2000:]}")
    return python


def run_peer(python: Path, address: str, folder: Path, skus: list[str]) -> dict[str, Any]:
    """The other side of this script, with the peer's Python."""
    # It keeps nothing outside the folder; PYTHONPATH would mix ours into its environment.
    environ = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    environ.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, "-W", "ignore", __file__, "--peer", address],
        input=json.dumps({"skus": skus, "key": "", "secret": ""} | keys()),
        env=environ, cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def keys() -> dict[str, str]:
    """The keys of the demo store."""
    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET

    return {"key": DEMO_KEY, "secret": DEMO_SECRET}


# --- the peer, in its own environment: nothing of this program can be imported here ------------------------------


def peer(address: str, skus: list[str], key: str, secret: str) -> dict[str, Any]:
    """Set the peer up, then time what it does with the store's orders."""
    import resource
    from importlib.metadata import version

    from trytond.pool import Pool
    from trytond.tests.test_tryton import DB_NAME
    from trytond.tests.tools import activate_modules
    from trytond.transaction import Transaction

    activate_modules(MODULES)
    shop_id, company_id, user_id = furnished(address, skus, key, secret)
    pool = Pool(DB_NAME)
    shop_class, sale_class = pool.get("web.shop"), pool.get("sale.sale")
    invoice_class = pool.get("account.invoice")
    shop_class.woocommerce_orders_params = lambda _self, page: {
        "status": "any", "page": page, "per_page": 100, "orderby": "id", "order": "asc",
    }  # fmt: skip
    shop_class.update_woocommerce_status = lambda _self, _sales, _status: None
    steps = {
        "downloaded and confirmed": lambda: shop_class.woocommerce_download_orders(shop_class.browse([shop_id])),
        "processed": lambda: sale_class.process(sale_class.search([("state", "=", "confirmed")])),
        "posted": lambda: invoice_class.post(invoice_class.search([("state", "=", "draft")])),
    }
    parts: dict[str, float] = {}
    began = time.perf_counter()
    for name, step in steps.items():
        committed(user_id, company_id, step)
        parts[name] = time.perf_counter() - began - sum(parts.values())
    seconds = time.perf_counter() - began
    with Transaction().start(DB_NAME, user_id, context={"company": company_id}):
        posted = invoice_class.search([("state", "=", "posted"), ("number", "!=", None)])
        assert all(one.tax_amount for one in posted), "an invoice without VAT"
        count = len(posted)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"Tryton {version('trytond')} with its WooCommerce module {version('trytoncommunity-web-shop-woocommerce')}"
    return {"seconds": seconds, "posted": count, "parts": parts, "version": name, "peak_mb": round(peak, 1)}


def committed(user_id: int, company_id: int, step: Any) -> None:
    """One step in a transaction of its own, begun anew with the locks that it asks for, as the peer's server does."""
    from trytond.tests.test_tryton import DB_NAME
    from trytond.transaction import Transaction, TransactionError

    wanted: dict[str, Any] = {}
    while True:
        with Transaction().start(DB_NAME, user_id, context={"company": company_id}, **wanted) as transaction:
            try:
                step()
            except TransactionError as error:
                transaction.rollback()
                error.fix(wanted)
                continue
            transaction.commit()
            return


def furnished(address: str, skus: list[str], key: str, secret: str) -> tuple[int, int, int]:
    """Company, chart, fiscal year, VAT, items and the shop; ids of shop, company and user."""
    from proteus import Model
    from proteus.config import get_config
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company
    from trytond.modules.currency.tests.tools import get_currency
    from trytond.pool import Pool
    from trytond.tests.test_tryton import DB_NAME
    from trytond.transaction import Transaction

    create_company(currency=get_currency("EUR"))
    company = get_company()
    today = datetime.now(UTC).date()
    years = create_fiscalyear(company, today=(today.replace(year=today.year - 2), today))
    set_fiscalyear_invoice_sequences(years).click("create_period")
    create_chart(company)
    accounts = get_accounts(company)
    vat = create_tax(Decimal("0.21"))
    vat.save()
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_revenue, category.account_expense = accounts["revenue"], accounts["expense"]
    category.customer_taxes.append(vat)
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    template_class = Model.get("product.template")

    def item(name: str, kind: str) -> Any:
        template = template_class(name=name, default_uom=unit, type=kind, salable=True, list_price=Decimal(10))
        template.account_category = category
        (product,) = template.products
        product.cost_price = Decimal(5)
        template.save()
        return template.products[0]

    products = [item(sku, "goods") for sku in skus]
    delivery = item("Delivery", "service")
    shop = Model.get("web.shop")(name="Demo", company=company, currency=company.currency, type="woocommerce")
    shop.woocommerce_url, shop.woocommerce_consumer_key, shop.woocommerce_consumer_secret = address, key, secret
    shop.shipping_product = delivery
    (warehouse,) = Model.get("stock.location").find([("type", "=", "warehouse")])
    shop.warehouses.append(warehouse)
    shop.save()
    user = get_config().user
    with Transaction().start(DB_NAME, user) as transaction:
        known = Pool(DB_NAME).get("web.shop.woocommerce_id")
        known.create([
            {"record": f"product.product,{product.id}", "shop": shop.id, "woocommerce_id": FIRST_PRODUCT + number}
            for number, product in enumerate(products)
        ])  # fmt: skip
        transaction.commit()
    return shop.id, company.id, user


if __name__ == "__main__":
    main()
