"""Integrations: added, changed, taken over, retired; secrets never shown and asked again when the address moves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner
from monet_web.domain.orders import Order, Unreadable
from monet_web.models import AuditEntry, Integration, Run, Store
from monet_web.models.base import reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunState
from monet_web.services.integrations import asking, connect, installed
from tests.builders import NOON, a_run, a_store_order

SECRET = "cs_very-secret-1"
VALUES = {"address": "https://kava.example", "key": "ck_1", "secret": SECRET}


class FakeShop(Connector):
    """Answers its test with `answer`; the address is the store."""

    kind = "fake"
    label = "Fake shop"
    parameters = (
        Parameter("address", "Address", "As in the browser.", is_address=True),
        Parameter("key", "Key", "Begins with ck_.", secret=True),
        Parameter("secret", "Secret", "Begins with cs_.", secret=True),
        Parameter("shop", "Shop", "Which one.", required=False, default="1"),
    )
    answer: MonetError | StoreFacts = StoreFacts("Kava", "1", "Europe/Vilnius", "EUR", learned={"auth": "basic"})
    asked_with: Mapping[str, str] = {}

    def __init__(self, values: Mapping[str, str], surroundings: Surroundings) -> None:
        FakeShop.asked_with = dict(values)

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        return f"{values['address'].partition('://')[2].rstrip('/').lower()}#{values['shop']}"

    def test(self) -> StoreFacts:
        if isinstance(self.answer, MonetError):
            raise self.answer
        return self.answer

    def pages(self, selection: Selection) -> Iterator[Page]:
        yield from ()

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        yield from ()

    @classmethod
    def read(cls, order: Mapping[str, Any], context: Mapping[str, Any]) -> Order | Unreadable:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def _fake_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "fake", FakeShop)
    monkeypatch.setattr(FakeShop, "answer", FakeShop.answer)


def add(session: Session, name: str = "Kava Ltd", **values: str) -> Integration:
    return connect.add_integration(
        session, name=name, platform="fake", values={**VALUES, **values}, now=NOON, actor="test"
    )


def change(session: Session, name: str = "Kava Ltd", *, same_store: bool = False, **values: str) -> Integration:
    return connect.set_values(session, name, values, same_store=same_store, now=NOON, actor="test")


def shown(session: Session, name: str = "Kava Ltd") -> installed.Shown:
    with reading(session):
        return installed.show(installed.find(session, name))


def test_parameters_and_settings_are_typed_alike_and_kept_apart(session: Session) -> None:
    added = add(session, frequency="daily", statuses="completed, processing")

    assert added.parameters == {"address": "https://kava.example", "shop": "1"}
    assert added.secrets == {"key": "ck_1", "secret": SECRET}
    assert added.settings == {"frequency": "daily", "statuses": "completed,processing", "number_prefix": "KL-"}
    assert added.state is IntegrationState.ON


def test_an_unknown_key_is_refused_with_the_nearest_one(session: Session) -> None:
    with pytest.raises(BrokenRule, match="no parameter or setting named freqency") as refused:
        add(session, freqency="daily")
    assert "Is it frequency?" in refused.value.fix
    assert "address, key, secret, shop" in refused.value.fix


def test_a_missing_required_parameter_is_named_with_its_help(session: Session) -> None:
    with pytest.raises(BrokenRule, match="needs secret too") as refused:
        add(session, secret=" ")
    assert "Begins with cs_" in refused.value.fix


def test_an_unknown_platform_names_those_there_are(session: Session) -> None:
    with pytest.raises(BrokenRule) as refused:
        connect.add_integration(session, name="X", platform="magneto", values={}, now=NOON, actor="test")
    assert "fake" in refused.value.fix


def test_a_name_is_unique_whatever_its_case(session: Session) -> None:
    add(session)
    with pytest.raises(BrokenRule, match="named Kava Ltd already"):
        add(session, "KAVA ltd", address="https://other.example")


@pytest.mark.parametrize("name", ["", "  ", "a,b", "x" * 121, "a\x00b"])
def test_a_name_that_a_mask_could_not_mean_is_refused(session: Session, name: str) -> None:
    with pytest.raises(BrokenRule):
        add(session, name)


def test_a_second_connection_to_one_store_is_refused_and_names_the_other(session: Session) -> None:
    add(session)
    with pytest.raises(BrokenRule, match="it is Kava Ltd"):
        add(session, "Second", address="http://KAVA.example/")


def test_a_prefix_is_offered_from_the_initials_and_never_one_in_use(session: Session) -> None:
    assert add(session).number_prefix == "KL-"
    assert add(session, "Kita Lentyna", address="https://b.example").number_prefix == "KL2-"
    assert add(session, "Šviesa", address="https://c.example").number_prefix == "SV-"


def test_a_typed_prefix_in_use_is_refused_but_an_empty_one_is_not(session: Session) -> None:
    add(session)
    with pytest.raises(BrokenRule, match="in use by Kava Ltd"):
        add(session, "B", address="https://b.example", number_prefix="kl-")
    assert add(session, "C", address="https://c.example", number_prefix="").number_prefix == ""
    assert add(session, "D", address="https://d.example", number_prefix="").number_prefix == ""
    with pytest.raises(BrokenRule, match="in use by Kava Ltd"):
        change(session, "C", number_prefix="KL-")


def test_a_series_of_credit_notes_begins_with_what_no_other_number_begins_with(session: Session) -> None:
    add(session, credit_number_from="series")
    add(session, "B", address="https://b.example", number_prefix="B-", credit_number_prefix="kl-")  # of no series
    for prefix, wrong in (
        ("KL-", "is in use by Kava Ltd"), ("kl-k", "is in use by Kava Ltd"), ("b-", "is that of the invoices"),
    ):  # fmt: skip
        with pytest.raises(BrokenRule, match=f"of credit notes {wrong}") as refused:
            change(session, "B", credit_number_from="series", credit_number_prefix=prefix)
        assert refused.value.field == "credit_number_prefix"
    with pytest.raises(BrokenRule, match="KL-K is in use by Kava Ltd"):
        change(session, "B", number_prefix="KL-K")
    changed = change(session, "B", credit_number_from="series", credit_number_prefix="KV-")
    assert changed.settings["credit_number_prefix"] == "KV-"
    assert add(session, "Karo Vaistai", address="https://c.example").number_prefix == "KV2-"
    assert change(session, "B", credit_number_from="series").settings == changed.settings


def test_the_stores_own_numbers_get_no_prefix(session: Session) -> None:
    assert add(session, issued_by="store").number_prefix == ""


def test_a_number_source_that_the_platform_has_not_is_refused(session: Session) -> None:
    with pytest.raises(BrokenRule, match="gives no invoice numbers") as refused:
        add(session, number_from="invoice")
    assert "order, series" in refused.value.fix


def test_no_secret_is_ever_shown_or_kept_in_the_audit_trail_or_in_the_open(session: Session) -> None:
    add(session)
    change(session, secret="cs_other")
    said = repr(shown(session))
    assert "cs_" not in said
    assert shown(session).secrets == {"key": True, "secret": True}
    with reading(session):
        trail = [(one.before, one.after) for one in session.scalars(select(AuditEntry))]
        sealed = session.execute(text("SELECT secrets FROM integrations")).scalar_one()
    assert len(trail) == 2
    assert "cs_" not in json.dumps(trail)
    assert "cs_" not in sealed


def test_an_empty_secret_keeps_the_old_one(session: Session) -> None:
    add(session)
    changed = change(session, secret="", frequency="hours")
    assert changed.secrets == {"key": "ck_1", "secret": SECRET}
    assert changed.settings["frequency"] == "hours"


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "http://kava.example", "https://kava.example:8443"],
    ids=["host", "scheme", "port"],
)
def test_another_scheme_host_or_port_asks_for_all_secrets_again(session: Session, address: str) -> None:
    add(session)
    with pytest.raises(BrokenRule, match="key must be typed again"):
        change(session, address=address, secret="cs_new")
    assert shown(session).parameters["address"] == "https://kava.example"
    changed = change(session, address=address, secret="cs_new", key="ck_new")
    assert changed.secrets == {"key": "ck_new", "secret": "cs_new"}


def test_another_path_or_setting_asks_for_no_secret(session: Session) -> None:
    add(session)
    assert change(session, address="https://kava.example/shop").secrets["secret"] == SECRET
    assert change(session, not_before="2026-11-01").settings["not_before"] == "2026-11-01"


def test_what_was_learned_of_one_address_is_not_believed_of_another(session: Session) -> None:
    add(session)
    asking.test_integration(session, "kava ltd", surroundings=Surroundings(), now=NOON, actor="test")
    assert shown(session).learned == {"auth": "basic"}
    change(session, address="https://new.example", key="a", secret="b")
    assert shown(session).learned == {}


def test_a_store_with_orders_is_not_exchanged_for_another_but_may_move(session: Session) -> None:
    added = add(session)
    with writing(session):
        a_store_order(session, added)
    moved: Any = {"address": "https://new.example", "key": "a", "secret": "b"}
    with pytest.raises(BrokenRule, match="another store"):
        change(session, **moved)
    assert change(session, same_store=True, **moved).store_id == added.store_id
    with reading(session):
        assert session.scalars(select(Store.store_key)).all() == ["new.example#1"]


def test_a_row_that_somebody_changed_meanwhile_is_not_overwritten(session: Session) -> None:
    version = add(session).row_version
    change(session, frequency="daily")
    with pytest.raises(BrokenRule, match="Somebody else"):
        connect.set_values(session, "Kava Ltd", {"frequency": "off"}, row_version=version, now=NOON, actor="test")


def test_switching_off_is_a_state_that_lists_can_ask_for(session: Session) -> None:
    add(session)
    assert change(session, enabled="no").state is IntegrationState.OFF
    assert change(session, enabled="yes").state is IntegrationState.ON


def test_one_that_never_ran_is_removed_and_its_name_is_free(session: Session) -> None:
    add(session)
    assert connect.retire(session, "Kava Ltd", now=NOON, actor="test") is False
    with reading(session):
        assert session.execute(select(func.count()).select_from(Store)).scalar_one() == 0
    add(session)


def test_one_that_ran_is_retired_without_secrets_and_its_store_taken_over(session: Session) -> None:
    first = add(session, number_prefix="OLD-")
    with writing(session):
        a_run(session, first, state=RunState.DONE)
    assert connect.retire(session, "Kava Ltd", now=NOON, actor="test") is True
    again = add(session, "Kava again")
    assert again.store_id == first.store_id
    assert again.number_prefix == "OLD-"
    with reading(session):
        retired = session.get_one(Integration, first.id, populate_existing=True)
    assert (retired.state, retired.secrets) == (IntegrationState.RETIRED, {})


def test_one_whose_run_is_at_work_is_not_removed(session: Session) -> None:
    added = add(session)
    with writing(session):
        a_run(session, added, state=RunState.RUNNING)
    with pytest.raises(BrokenRule, match="at work"):
        connect.retire(session, "Kava Ltd", now=NOON, actor="test")


def test_a_queued_run_of_a_removed_one_ends(session: Session) -> None:
    added = add(session)
    with writing(session):
        run = a_run(session, added, state=RunState.QUEUED)
    connect.retire(session, "Kava Ltd", now=NOON, actor="test")
    with reading(session):
        assert session.get_one(Run, run.id, populate_existing=True).state is RunState.STOPPED


def test_a_store_that_refuses_is_remembered_until_it_answers(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    add(session)
    monkeypatch.setattr(FakeShop, "answer", NeedsOwner("The store refused the key (401).", fix="Make a new one."))
    with pytest.raises(NeedsOwner):
        asking.test_integration(session, "Kava Ltd", surroundings=Surroundings(), now=NOON, actor="test")
    assert shown(session).refused_text == "The store refused the key (401). Make a new one."
    monkeypatch.setattr(FakeShop, "answer", StoreFacts("Kava", "1", "Europe/Vilnius", "EUR"))
    asking.test_integration(session, "Kava Ltd", surroundings=Surroundings(), now=NOON, actor="test")
    assert shown(session).refused_since is None
    assert FakeShop.asked_with["secret"] == SECRET


def test_a_name_that_does_not_exist_names_the_nearest_and_all(session: Session) -> None:
    add(session)
    with reading(session), pytest.raises(BrokenRule) as refused:
        installed.find(session, "Kava Ld")
    assert "Is it Kava Ltd?" in refused.value.fix


def test_two_who_add_one_store_at_once_get_one_integration(session_factory: sessionmaker[Session]) -> None:
    """Both looked before either wrote; the second is told in words."""
    first, second = session_factory(), session_factory()
    add(first)
    with pytest.raises(BrokenRule):
        add(second, "Other name")
    with reading(first):
        assert first.execute(select(func.count()).select_from(Integration)).scalar_one() == 1
