"""Fixtures of tests of services."""

from __future__ import annotations

import pytest

from monet_web.connectors import CONNECTORS
from tests.services.scripted import ScriptedStore


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    """An empty store of the kind `scripted`, registered as a connector for the time of a test."""
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS = {}
    ScriptedStore.SAID = []
    ScriptedStore.HIDDEN = set()
    ScriptedStore.PAGE = 100
    ScriptedStore.before_page = None
    return ScriptedStore
