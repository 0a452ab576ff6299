"""Customers found, corrected, merged: keys lead to one customer, and no invoice ever changes by it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Buyer
from monet_web.models import AuditEntry, Customer, CustomerKey, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.customers import CustomerKeyKind
from monet_web.services.books.fields import WrongFields
from monet_web.services.customers import card, change, found, merge
from monet_web.services.customers.found import Wanted
from tests.builders import ONA, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, put

Factory = sessionmaker[Session]
ACTOR = "ruta@example.com"
FIRM = {"name": "UAB Šviesa", "company_code": "304123455", "vat_code": "LT100001738313", "country": "LT"}


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None


def a_customer(session: Session, name: str = "Ona Onaitė", *keys: tuple[CustomerKeyKind, str], **values: Any) -> int:
    with writing(session):
        customer = Customer(name=name, **values)
        session.add(customer)
        session.flush()
        session.add_all(CustomerKey(kind=kind, value=value, customer_id=customer.id) for kind, value in keys)
        return customer.id


def names(session: Session, text: str = "", kind: str = "") -> list[str]:
    with reading(session):
        return [one.name for one in found.page(session, Wanted(text, kind))[0]]


def keys(session: Session) -> dict[str, int]:
    with reading(session):
        return {one.value: one.customer_id for one in session.scalars(select(CustomerKey))}


def one(session: Session, customer_id: int) -> Customer:
    with reading(session):
        return session.get_one(Customer, customer_id, populate_existing=True)


def changed(session: Session, customer_id: int, *, is_company: bool = False, **typed: str) -> list[str]:
    return change.change(session, customer_id, typed, is_company=is_company, now=NOW, actor=ACTOR)


def merged(session: Session, kept: int, gone: int) -> Customer:
    return merge.merge(session, gone_id=gone, kept_id=kept, now=NOW, actor=ACTOR)


# --- found -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["šviesa", "ŠVIESA uab", "lt 1000 0173", "304123455", "INFO@sviesa", "Š"])
def test_a_customer_is_found_by_name_code_and_e_mail_without_case(session: Session, typed: str) -> None:
    a_customer(session, is_company=True, email="info@sviesa.lt", **FIRM)
    a_customer(session)
    assert names(session, typed) == ["UAB Šviesa"]
    with reading(session):
        assert [one.name for one in found.suggest(session, typed)] == ["UAB Šviesa"]


@pytest.mark.parametrize("typed", ["%", "_", "Onaitė Jonas", "  "])
def test_signs_of_patterns_mean_themselves_and_every_word_must_stand(session: Session, typed: str) -> None:
    a_customer(session)
    assert names(session, typed) == ([] if typed.strip() else ["Ona Onaitė"])


def test_companies_and_persons_apart_in_the_order_of_names(session: Session) -> None:
    for name in ("ŽALIA", "beta", "Alfa"):
        a_customer(session, name, is_company=name != "beta")
    assert names(session) == ["Alfa", "beta", "ŽALIA"]
    assert names(session, kind="companies") == ["Alfa", "ŽALIA"]
    assert names(session, kind="persons") == ["beta"]


def test_pages_go_on_behind_the_last_one_also_among_namesakes(session: Session) -> None:
    ids = [a_customer(session, "Jonas") for _ in range(5)]
    seen: list[int] = []
    after = None
    with reading(session):
        while True:
            rows, after = found.page(session, Wanted(), after=after, limit=2)
            seen += [row.id for row in rows]
            if after is None:
                break
    assert seen == ids
    with reading(session):
        assert [row.id for row in found.each(session, Wanted())] == ids


def test_the_one_that_is_meant_has_the_code_or_is_the_only_one_of_that_name(session: Session) -> None:
    firm = a_customer(session, is_company=True, **FIRM)
    other = a_customer(session, "UAB Šviesa ir co", is_company=True)
    with reading(session):
        assert found.meant(session, "LT 100001738313") == firm
        assert found.meant(session, "UAB Šviesa") == firm
        assert found.meant(session, "šviesa IR") == other
        with pytest.raises(BrokenRule, match="Several customers fit"):
            found.meant(session, "šviesa")
        with pytest.raises(BrokenRule, match="There is no customer"):
            found.meant(session, "nobody")


def test_a_customer_that_an_import_makes_is_found_too(session: Session, session_factory: Factory) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    put(ScriptedStore, an_order(buyer=Buyer(name="Ąžuolas", email="azuolas@example.com", address=ONA.address)))
    import_all(session_factory, integrate(session, private_buyers="each"))
    assert names(session, "ĄŽUOLAS AZUOLAS@") == ["Ąžuolas"]


# --- corrected ---------------------------------------------------------------------------------------------------


def test_a_corrected_card_says_what_changed_and_its_new_code_is_a_key(session: Session) -> None:
    firm = a_customer(session, "UAB Sviesa", (CustomerKeyKind.VAT, "LT1"), is_company=True, vat_code="LT1")
    fields = changed(session, firm, is_company=True, **FIRM, line="Gedimino pr. 1", city="Vilnius")
    assert fields == ["name", "company_code", "vat_code", "country", "line", "city"]
    assert names(session, "šviesa") == ["UAB Šviesa"]
    assert keys(session) == {"LT1": firm, "LT100001738313": firm, "LT:304123455": firm}
    with reading(session):
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer_changed"))
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["name"], entry.after["name"], entry.actor) == ("UAB Sviesa", "UAB Šviesa", ACTOR)
    assert changed(session, firm, is_company=True, **FIRM, line="Gedimino pr. 1", city="Vilnius") == []


def test_a_code_that_is_another_customers_is_refused_and_nothing_changes(session: Session) -> None:
    a_customer(session, "UAB A", (CustomerKeyKind.VAT, FIRM["vat_code"]), is_company=True)
    other = a_customer(session, "UAB B", is_company=True)
    with pytest.raises(WrongFields, match="It is UAB A's"):
        changed(session, other, is_company=True, **{**FIRM, "company_code": ""})
    assert one(session, other).name == "UAB B"


def test_a_person_that_becomes_a_company_is_found_by_e_mail_no_more(session: Session) -> None:
    ona = a_customer(session, "Ona", (CustomerKeyKind.EMAIL, "ona@example.com"), email="ona@example.com")
    changed(session, ona, is_company=True, name="MB Ona", email="ona@example.com")
    assert keys(session) == {}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "name"),
        ({"vat_code": "LT123"}, "vat_code"),
        ({"company_code": "304123456", "country": "lt"}, "company_code"),
        ({"country": "LTU"}, "country"),
        ({"email": "ona"}, "email"),
        ({"city": "x" * 121}, "city"),
    ],
)
def test_a_wrong_field_says_what_to_type(session: Session, typed: dict[str, str], field: str) -> None:
    firm = a_customer(session, "UAB A", is_company=True)
    with pytest.raises(WrongFields) as refused:
        changed(session, firm, is_company=True, **{"name": "UAB B", **typed})
    assert list(refused.value.fields) == [field]
    assert one(session, firm).name == "UAB A"


def test_a_wrong_code_that_an_order_brought_hinders_no_other_correction(session: Session) -> None:
    firm = a_customer(session, "UAB A", is_company=True, vat_code="LT123", country="LT")
    assert changed(session, firm, is_company=True, name="UAB B", vat_code="LT123", country="LT") == ["name"]


# --- merged ------------------------------------------------------------------------------------------------------


def bought(session: Session, session_factory: Factory) -> None:
    """Two registered invoices of two companies that are one, by VAT code and by company code."""
    with writing(session):
        an_item(session, "KN-01", on_hand=9)
    by_vat = Buyer(name="Ona", company="UAB Šviesa", vat_code=FIRM["vat_code"], address=ONA.address)
    by_code = Buyer(name="Ona", company="Sviesa, UAB", company_code="304123455", address=ONA.address)
    put(ScriptedStore, an_order(external_id="1", number="101", buyer=by_vat))
    put(ScriptedStore, an_order(external_id="2", number="102", buyer=by_code))
    import_all(session_factory, integrate(session, company_code_from="", vat_code_from=""))


def rows_of_invoices(session: Session) -> list[dict[str, Any]]:
    with reading(session):
        return [dict(row) for row in session.execute(select(Invoice.__table__).order_by(Invoice.id)).mappings()]


def test_keys_go_to_the_one_that_stays_and_not_a_field_of_an_invoice_changes(
    session: Session, session_factory: Factory
) -> None:
    bought(session, session_factory)
    with reading(session):
        kept, gone = session.scalars(select(Customer).order_by(Customer.id)).all()
    assert {kept.name, gone.name} == {"UAB Šviesa", "Sviesa, UAB"}
    before = rows_of_invoices(session)
    assert len(before) == 2
    merged(session, kept.id, gone.id)
    assert rows_of_invoices(session) == before
    assert set(keys(session).values()) == {kept.id}
    assert (one(session, kept.id).vat_code, one(session, kept.id).company_code) == (FIRM["vat_code"], "304123455")
    assert names(session) == ["UAB Šviesa"]
    with reading(session):
        shown = card.load(session, kept.id)
        assert shown is not None
        assert [document.order_number for document in shown.documents] == ["102", "101"]
        assert [each.name for each in shown.merged] == ["Sviesa, UAB"]
        assert [entry.action for entry in shown.history] == ["customer_merged", "customer_merged"]


def test_the_next_order_by_the_other_key_is_the_merged_customers(session: Session, session_factory: Factory) -> None:
    bought(session, session_factory)
    merged(session, 1, 2)
    by_code = Buyer(name="Ona", company="Sviesa, UAB", company_code="304123455", address=ONA.address)
    put(ScriptedStore, an_order(external_id="3", number="103", buyer=by_code))
    with reading(session):
        here = session.scalars(select(Integration)).one()
    import_all(session_factory, here)
    with reading(session):
        assert session.scalars(select(Invoice.customer_id).where(Invoice.order_number == "103")).one() == 1
        assert len(session.scalars(select(Customer)).all()) == 2


def test_those_merged_before_lead_to_where_it_leads_now(session: Session) -> None:
    first, second, third = (a_customer(session, name) for name in ("A", "B", "C"))
    merged(session, second, first)
    merged(session, third, second)
    assert one(session, first).merged_into_id == one(session, second).merged_into_id == third
    assert names(session) == ["C"]
    with pytest.raises(BrokenRule, match="not here any more"):
        merged(session, third, first)


def test_a_company_and_a_person_stay_two(session: Session) -> None:
    firm = a_customer(session, "MB Ona", is_company=True)
    ona = a_customer(session, "Ona", (CustomerKeyKind.EMAIL, "ona@example.com"))
    for kept, gone in ((firm, ona), (ona, firm)):
        with pytest.raises(BrokenRule, match="never found by an e-mail"):
            merged(session, kept, gone)
        with reading(session):
            assert merge.plan(session, gone_id=gone, kept_id=kept).refusal is not None
    assert keys(session) == {"ona@example.com": ona}


def test_a_plan_says_what_differs_and_what_is_taken_over(session: Session) -> None:
    kept = a_customer(session, "UAB A", is_company=True, email="a@example.com")
    gone = a_customer(
        session, "UAB B", (CustomerKeyKind.VAT, "LT1"), is_company=True, email="b@example.com", vat_code="LT1",
        address={"line": "Gedimino pr. 1", "city": "Vilnius"},
    )  # fmt: skip
    with reading(session):
        plan = merge.plan(session, gone_id=gone, kept_id=kept)
    assert plan.differs == (("name", "UAB A", "UAB B"), ("email", "a@example.com", "b@example.com"))
    assert plan.filled == {"vat_code": "LT1", "address": "Gedimino pr. 1, Vilnius"}
    assert [key.value for key in plan.keys] == ["LT1"]
    merged(session, kept, gone)
    assert (one(session, kept).vat_code, one(session, kept).address["city"]) == ("LT1", "Vilnius")
