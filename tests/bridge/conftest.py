"""One MariaDB for all tests of the bridge, with a database for each recorded shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monet_web.demo.opencart.documents import VERSIONS
from monet_web.demo.opencart.server import DEMO_KEY
from tests.bridge.php_shop import Database, database, programs_or_skip, shop_sql


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Databases oc3, oc40, oc41, and `old`, whose API users are called as OpenCart 2 calls them."""
    programs_or_skip()
    with database(tmp_path_factory.mktemp("mariadb")) as running:
        for version in VERSIONS:
            running.run(shop_sql(version, version, key=DEMO_KEY, users=[("off", DEMO_KEY, 0), ("empty", "", 1)]))
        running.run(shop_sql("old", "oc3", key=DEMO_KEY, old=True))
        yield running
