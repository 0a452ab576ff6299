"""The settings of an integration (A5): defaults, what each wrong value is answered with, and text there and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.errors import BrokenRule
from monet_web.domain.settings import BY_KEY, PAYMENT_TREATMENTS, SETTINGS, Settings, as_text, parse


def test_defaults_are_those_of_a5() -> None:
    assert as_text(parse({})) == {
        "enabled": "yes",
        "frequency": "off",
        "daily_days": "3",
        "statuses": "",
        "select_by": "any",
        "not_before": "",
        "issued_by": "monet",
        "number_from": "order",
        "number_prefix": "",
        "credit_number_from": "invoice",
        "credit_number_prefix": "",
        "invoice_date": "paid",
        "accounting_type": "goods",
        "warehouse": "",
        "revenue_account": "",
        "charges_account": "",
        "register_automatically": "yes",
        "unknown_items": "journal",
        "common_item": "",
        "private_buyers": "common",
        "company_code_from": "",
        "vat_code_from": "",
        "refunds": "journal",
        "discounts": "in_price",
        "payment_methods": "",
        "rounding_limit": "",
        "vat_rate_check": "stop",
    }


def test_every_setting_is_declared_once_and_explained() -> None:
    assert [setting.key for setting in SETTINGS] == list(as_text(Settings()))
    assert len(BY_KEY) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.label, setting.key
        assert setting.help.endswith("."), setting.key
        assert len(setting.help) < 130, setting.key


def test_every_choice_that_is_offered_is_taken_and_kept() -> None:
    for setting in SETTINGS:
        for choice in setting.choices:
            values = {setting.key: choice, **({"common_item": "X"} if choice == "common" else {})}
            assert as_text(parse(values))[setting.key] == choice


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("enabled", " NO ", False),
        ("enabled", "taip", True),
        ("register_automatically", "0", False),
        ("frequency", "Daily", "daily"),
        ("discounts", "in-price", "in_price"),
        ("daily_days", "31", 31),
        ("daily_days", " 1 ", 1),
        ("statuses", "completed, processing,,completed", ("completed", "processing")),
        ("statuses", "", ()),
        ("not_before", " 2026-11-01 ", date(2026, 11, 1)),
        ("not_before", " ", None),
        ("number_prefix", " KL ", "KL"),
        ("rounding_limit", "0,03", Decimal("0.03")),
        ("rounding_limit", "0", Decimal(0)),
        ("rounding_limit", "1.00", Decimal(1)),
        ("rounding_limit", "", None),
        ("payment_methods", "cod: Cash on delivery, bacs:prepaid,", {"cod": "cash on delivery", "bacs": "prepaid"}),
        ("payment_methods", "x:gift_card", {"x": "gift card"}),
    ],
)
def test_text_becomes_a_value(key: str, text: str, value: object) -> None:
    assert getattr(parse({key: text}), key) == value


TREATMENTS = "prepaid, cash on delivery, cash with receipt, gift card, skip"


@pytest.mark.parametrize(
    ("key", "text", "answer"),
    [
        ("enabled", "maybe", "enabled=maybe: Type yes or no."),
        ("register_automatically", "", "register_automatically=: Type yes or no."),
        ("frequency", "often", "frequency=often: Type one of: off, minutes, hours, daily, weekly, months."),
        ("daily_days", "0", "daily_days=0: Type a whole number of days from 1 to 31."),
        ("daily_days", "32", "daily_days=32: Type a whole number of days from 1 to 31."),
        ("daily_days", "1.5", "daily_days=1.5: Type a whole number of days from 1 to 31."),
        ("select_by", "x", "select_by=x: Type one of: any, created, paid."),
        ("not_before", "1.11.2026", "not_before=1.11.2026: Type a date as 2026-11-01, or leave it empty."),
        ("not_before", "2026-02-30", "not_before=2026-02-30: Type a date as 2026-11-01, or leave it empty."),
        ("issued_by", "me", "issued_by=me: Type one of: monet, store."),
        ("number_from", "x", "number_from=x: Type one of: order, invoice, series."),
        ("number_prefix", "P" * 21, f"number_prefix={'P' * 21}: Type at most 20 characters."),
        ("invoice_date", "x", "invoice_date=x: Type one of: paid, order, import."),
        ("accounting_type", "x", "accounting_type=x: Type one of: goods, amounts."),
        ("warehouse", "W" * 41, f"warehouse={'W' * 41}: Type at most 40 characters."),
        ("revenue_account", "5" * 41, f"revenue_account={'5' * 41}: Type at most 40 characters."),
        ("charges_account", "5" * 41, f"charges_account={'5' * 41}: Type at most 40 characters."),
        ("unknown_items", "x", "unknown_items=x: Type one of: journal, create, common."),
        ("common_item", "C" * 121, f"common_item={'C' * 121}: Type at most 120 characters."),
        ("private_buyers", "x", "private_buyers=x: Type one of: common, each."),
        ("company_code_from", "f" * 201, f"company_code_from={'f' * 201}: Type at most 200 characters."),
        ("vat_code_from", "f" * 201, f"vat_code_from={'f' * 201}: Type at most 200 characters."),
        ("refunds", "x", "refunds=x: Type one of: off, journal, automatic."),
        ("credit_number_from", "own", "credit_number_from=own: Type one of: invoice, series."),
        ("credit_number_prefix", "K" * 21, f"credit_number_prefix={'K' * 21}: Type at most 20 characters."),
        ("discounts", "x", "discounts=x: Type one of: in_price, lines."),
        (
            "payment_methods",
            "cod",
            f"payment_methods=cod: Type pairs as cod:cash on delivery, bacs:prepaid; each one of: {TREATMENTS}.",
        ),
        (
            "payment_methods",
            "cod:later",
            f"payment_methods=cod:later: Type pairs as cod:cash on delivery, bacs:prepaid; each one of: {TREATMENTS}.",
        ),
        ("rounding_limit", "much", "rounding_limit=much: Type an amount as 0.03, or leave it empty."),
        ("rounding_limit", "-0.01", "rounding_limit=-0.01: Type an amount from 0 to 1.00."),
        ("rounding_limit", "1.01", "rounding_limit=1.01: Type an amount from 0 to 1.00."),
        ("rounding_limit", "NaN", "rounding_limit=NaN: Type an amount from 0 to 1.00."),
        ("vat_rate_check", "x", "vat_rate_check=x: Type one of: stop, notice, off."),
        ("colour", "red", "colour is not a setting."),
        ("unknown_items", "common", "unknown_items=common needs common_item: type the code of the item to use."),
    ],
)
def test_a_wrong_value_is_answered_with_what_to_type(key: str, text: str, answer: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        parse({key: text})
    assert caught.value.message == answer
    assert caught.value.fix == "`monet integrations show NAME` lists the settings with their present values."


def test_every_setting_that_can_be_wrong_is_tried_wrong() -> None:
    marks = test_a_wrong_value_is_answered_with_what_to_type.pytestmark  # type: ignore[attr-defined]
    assert {key for key, _, _ in marks[0].args[1]} >= set(BY_KEY) - {"statuses"}


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(BrokenRule, match=r"^enabled=x: Type yes or no\. daily_days=0: .* colour is not a setting\.$"):
        parse({"enabled": "x", "daily_days": "0", "colour": "red"})


@pytest.mark.parametrize(
    ("rows", "limit"), [(0, "0.01"), (1, "0.01"), (3, "0.03"), (5, "0.05"), (6, "0.05"), (400, "0.05")]
)
def test_the_limit_is_a_cent_a_row_and_at_most_five(rows: int, limit: str) -> None:
    assert Settings().limit_of(rows) == Decimal(limit)
    assert Settings(rounding_limit=Decimal("0.02")).limit_of(rows) == Decimal("0.02")


def test_a_series_of_credit_notes_begins_with_the_number_prefix_and_a_k_unless_typed() -> None:
    assert parse({"number_prefix": "KL-"}).credit_prefix == "KL-K"
    assert parse({"number_prefix": "KL-", "credit_number_prefix": "KR"}).credit_prefix == "KR"


WORDS = st.text("abcXYZ019_-žš ", max_size=12).map(str.strip)
METHODS = st.dictionaries(WORDS.filter(bool), st.sampled_from(PAYMENT_TREATMENTS), max_size=3)
SOME = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "frequency": st.sampled_from(BY_KEY["frequency"].choices),
        "daily_days": st.integers(1, 31),
        "statuses": st.lists(WORDS.filter(bool), unique=True, max_size=3).map(tuple),
        "not_before": st.none() | st.dates(),
        "number_prefix": WORDS,
        "register_automatically": st.booleans(),
        "unknown_items": st.sampled_from(("journal", "create")),
        "company_code_from": WORDS,
        "payment_methods": METHODS,
        "rounding_limit": st.none() | st.decimals(0, 1, places=4),
        "vat_rate_check": st.sampled_from(BY_KEY["vat_rate_check"].choices),
    },
)


@given(SOME.map(lambda values: Settings(**values)))  # type: ignore[arg-type]
def test_settings_written_as_text_are_read_back(settings: Settings) -> None:
    assert parse(as_text(settings)) == settings
