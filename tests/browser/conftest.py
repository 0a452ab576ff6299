"""A journey of several tests stays a journey: in the order it is written."""

from __future__ import annotations

from itertools import groupby

import pytest


@pytest.hookimpl(trylast=True)  # after pytest-randomly has mixed the tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of a module marked `in_order` back as they are written, where the module's tests begin."""

    def journey(item: pytest.Item) -> str:
        return item.location[0] if item.get_closest_marker("in_order") else ""

    ordered: list[pytest.Item] = []
    for module, group in groupby(items, key=journey):
        tests = list(group)
        ordered += sorted(tests, key=lambda item: item.location[1] or 0) if module else tests
    items[:] = ordered
