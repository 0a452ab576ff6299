"""What people do in the demo shop: edits and what date_modified tells of them, refunds, a life of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monet_web.demo import rate_commands, vat_rates
from monet_web.demo.woocommerce.clock import read_utc
from monet_web.demo.woocommerce.documents import Document
from monet_web.demo.woocommerce.history import RealisticHistory
from monet_web.demo.woocommerce.life import Life, living_store
from monet_web.demo.woocommerce.profile import CURRENT, CURRENT_ON_POSTS, VERSION_3_9, VERSION_5_9, Profile
from monet_web.demo.woocommerce.store import Store

LATER = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
LATER_TEXT = "2026-12-01T10:00:00"
# Order 101: completed, one line of one piece, no refunds.
ORDER = 101


def store(profile: Profile = CURRENT) -> Store:
    return Store(RealisticHistory(seed=1, total=200), profile=profile)


def order(shop: Store, order_id: int = ORDER) -> Document:
    found = shop.order(order_id)
    assert found is not None
    return found


EDITS = [
    (CURRENT, True, True, True),
    (CURRENT_ON_POSTS, True, False, False),
    (VERSION_5_9, False, False, False),
    (VERSION_3_9, False, False, False),
]


@pytest.mark.parametrize(("profile", "refund", "meta", "lines"), EDITS, ids=["hpos", "posts", "5.9", "3.9"])
def test_what_date_modified_tells_depends_on_version_and_storage(
    profile: Profile, refund: bool, meta: bool, lines: bool
) -> None:
    def is_bumped(shop: Store) -> bool:
        return bool(order(shop)["date_modified_gmt"] == LATER_TEXT)

    shop = store(profile)
    shop.refund(ORDER, amount=Decimal("1.00"), at=LATER)
    assert is_bumped(shop) is refund
    shop = store(profile)
    shop.edit(ORDER, at=LATER, meta_data=[])
    assert is_bumped(shop) is meta
    shop = store(profile)
    shop.edit(ORDER, at=LATER, line_items=[])
    assert is_bumped(shop) is lines
    shop = store(profile)
    shop.edit(ORDER, at=LATER, status="processing")
    assert is_bumped(shop)
    shop = store(profile)
    shop.trash(ORDER, at=LATER)
    assert is_bumped(shop)


def test_no_version_tells_of_a_deleted_refund() -> None:
    shop = store()
    refund = shop.refund(ORDER, amount=Decimal("1.00"), at=LATER)
    shop.delete_refund(ORDER, refund)
    assert (order(shop)["refunds"], order(shop)["date_modified_gmt"]) == ([], LATER_TEXT)


def test_a_refund_of_money_alone_has_no_lines_and_no_vat() -> None:
    shop = store()
    refund = shop.refund(ORDER, amount=Decimal("10.00"), at=LATER)
    assert order(shop)["refunds"] == [{"id": refund, "reason": "", "total": "-10.00", "total_tax": "0.00"}]
    assert (order(shop)["status"], order(shop)["total"]) == ("completed", "49.31")
    assert shop.refunds(ORDER)[0]["line_items"] == []


def test_a_refund_of_all_that_is_left_turns_the_order_refunded() -> None:
    shop = store()
    shop.refund(ORDER, amount=Decimal("10.00"), at=LATER)
    shop.refund(ORDER, at=LATER)
    assert order(shop)["status"] == "refunded"
    assert [refund["total"] for refund in order(shop)["refunds"]] == ["-39.31", "-10.00"]


def test_more_than_is_left_is_refused() -> None:
    with pytest.raises(ValueError, match=r"50\.00 is more than the 49\.31 left"):
        store().refund(ORDER, amount=Decimal("50.00"))


def test_a_refund_of_pieces_points_to_the_line_and_carries_its_vat() -> None:
    shop = store()
    # Four pieces at 5 %: 37.71 and 1.89 of VAT.
    line = order(shop, 125)["line_items"][0]
    refund_id = shop.refund(125, quantities={line["id"]: 3}, reason="Grąžinta", at=LATER)
    refund = shop.refunds(125)[0]
    (refunded,) = refund["line_items"]
    assert (refund["id"], refund["amount"]) == (refund_id, "29.70")
    assert (refunded["quantity"], refunded["total"], refunded["total_tax"]) == (-3, "-28.28", "-1.42")
    assert refunded["meta_data"][0]["value"] == str(line["id"])
    assert refund["tax_lines"][0]["tax_total"] == "-1.42"


def test_an_id_is_never_given_twice() -> None:
    shop = store()
    given = [shop.add(), shop.refund(120), shop.add(), shop.add()]
    shop.delete(given[-1])
    given.append(shop.add())
    assert len(set(given)) == 5
    assert order(shop, given[0])["date_created_gmt"] >= order(shop, 329)["date_created_gmt"]


def test_reading_gives_copies() -> None:
    shop = store()
    order(shop)["billing"]["email"] = "changed@example.test"
    assert order(shop)["billing"]["email"] != "changed@example.test"


START = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)


def alive(hours: int, *, seed: int = 5, orders: int = 400) -> Store:
    shop, life = living_store(seed=seed, orders=orders, start=START)
    life.catch_up(START + timedelta(hours=hours))
    return shop


def every_order(shop: Store) -> list[Document]:
    ids = {shop.history.header(i).id for i in range(shop.history.count)} | set(shop.changed)
    return [order(shop, order_id) for order_id in sorted(ids)]


def test_the_newest_order_of_a_living_shop_is_minutes_old_and_none_is_of_the_future() -> None:
    shop, _ = living_store(seed=5, orders=400, start=START)
    orders = every_order(shop)
    assert max(o["date_created_gmt"] for o in orders) == "2027-03-10T08:56:00"
    for name in ("date_modified_gmt", "date_completed_gmt", "date_paid_gmt"):
        assert max(o[name] or "" for o in orders) <= "2027-03-10T09:00:00"


def test_a_living_shop_gets_orders_edits_refunds_and_cancellations() -> None:
    before, after = alive(0), alive(24)
    count = len(every_order(after)) - len(every_order(before))
    assert 150 < count < 350
    touched = [each.document for each in after.changed.values()]
    assert {"cancelled", "refunded"} & {document["status"] for document in touched}
    assert any(each.refunds for each in after.changed.values())
    assert all(document["date_modified_gmt"] <= "2027-03-11T09:00:00" for document in touched)
    assert all(document["date_created_gmt"] <= document["date_modified_gmt"] for document in touched)


def test_a_life_begun_at_the_same_moment_is_the_same_life_however_it_is_watched() -> None:
    shop, life = living_store(seed=5, orders=400, start=START)
    for minute in range(0, 12 * 60, 7):
        life.catch_up(START + timedelta(minutes=minute))
    life.catch_up(START + timedelta(hours=12))
    assert every_order(shop) == every_order(alive(12))


def test_another_seed_lives_another_life() -> None:
    assert every_order(alive(3, seed=6)) != every_order(alive(3))


def test_a_shop_with_no_orders_lives_too() -> None:
    shop = Store(RealisticHistory(seed=1, total=0), now=lambda: START)
    Life(shop, seed=1, start=START).catch_up(START + timedelta(hours=5))
    assert shop.changed


def test_a_still_shop_has_the_recorded_dates() -> None:
    assert order(store(), 329)["date_created_gmt"] == "2026-10-21T19:19:15"
    assert read_utc("2026-10-21T19:19:15") == store().newest_created


def test_the_given_up_rates_end_two_days_before_the_newest_order() -> None:
    # 22:30 UTC of the 23rd is the 24th in Vilnius.
    rates = vat_rates(datetime(2026, 11, 23, 22, 30, tzinfo=UTC))
    assert [(country, percent, str(last)) for country, percent, _, last in rates] == [
        ("LT", Decimal(9), "2026-11-22"),
        ("EE", Decimal(22), "2026-11-22"),
    ]
    assert rate_commands(START)[0] == "./monet vat-rates add LT 9 --from 2015-01-01 --to 2027-03-08"
