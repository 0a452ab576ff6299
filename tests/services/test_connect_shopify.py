"""Keys of a Shopify shop go to that shop alone, however its address is typed (A3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.services.integrations import connect

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.fixture
def kept(session: Session) -> Session:
    values = {"address": "admin.shopify.com/store/one", "client_id": "1", "client_secret": "shpss_1"}
    connect.add_integration(session, name="Kava", platform="shopify", values=values, now=NOW, actor="test")
    return session


def test_another_shop_of_the_same_admin_page_asks_for_the_secret_again(kept: Session) -> None:
    elsewhere = {"address": "admin.shopify.com/store/two"}
    with pytest.raises(BrokenRule, match=r"client_secret must be typed again\.") as caught:
        connect.set_values(kept, "Kava", elsewhere, now=NOW, actor="test", same_store=True)
    assert caught.value.field == "client_secret"


def test_another_spelling_of_the_same_shop_keeps_the_secret(kept: Session) -> None:
    connect.set_values(kept, "Kava", {"address": "https://one.myshopify.com/admin"}, now=NOW, actor="test")


def test_the_same_shop_is_not_connected_twice_by_another_spelling(kept: Session) -> None:
    values = {"address": "one", "access_token": "shpat_1"}
    with pytest.raises(BrokenRule, match="Kava"):
        connect.add_integration(kept, name="Again", platform="shopify", values=values, now=NOW, actor="test")
