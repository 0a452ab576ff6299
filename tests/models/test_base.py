"""Numbers, times and secrets come back from both databases as they went in; a transaction begins and ends as told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, MetaData, Table, delete, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import NeedsOwner
from monet_web.models import AuditEntry, Item, Warehouse
from monet_web.models.base import (
    ExactText,
    Id,
    Moment,
    Money,
    Quantity,
    Sealed,
    reading,
    sealer,
    take_ids,
    writing,
)
from tests.builders import NOON, an_integration
from tests.databases import OTHER_KEY, TEST_KEY, postgresql_only, sqlite_only

probe = Table(
    "probe",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("money", Money),
    Column("quantity", Quantity),
    Column("exact", ExactText),
    Column("at", Moment),
    Column("secret", Sealed),
)


@pytest.fixture
def probed(engine: Engine, session: Session) -> Session:
    probe.create(engine)
    return session


def kept(session: Session, column: str, *values: object) -> list[object]:
    with writing(session):
        session.execute(insert(probe), [{column: value} for value in values])
    with reading(session):
        return list(session.execute(select(probe.c[column]).order_by(probe.c.id)).scalars())


def raw(session: Session, column: str) -> list[object]:
    with reading(session):
        return list(session.execute(text(f"SELECT {column} FROM probe ORDER BY id")).scalars())


# --- numbers


def test_money_comes_back_as_it_went_in(probed: Session) -> None:
    values = [Decimal("0.10"), Decimal("-3.00"), Decimal("12345678901234.5678"), Decimal(0), None]
    assert kept(probed, "money", *values) == values


def test_money_is_kept_as_ten_thousandths(probed: Session) -> None:
    kept(probed, "money", Decimal("12.34"), Decimal("-0.0001"))
    assert raw(probed, "money") == [123400, -1]


def test_the_database_sums_money_exactly(probed: Session) -> None:
    kept(probed, "money", Decimal("0.1"), Decimal("0.2"))
    with reading(probed):
        total = probed.execute(select(func.sum(probe.c.money, type_=Money))).scalar_one()
    assert total == Decimal("0.3")
    assert str(total) == "0.3000"


def test_the_database_sums_quantities_exactly(probed: Session) -> None:
    kept(probed, "quantity", *[Decimal("0.000001")] * 3, Decimal("0.1"), Decimal("0.2"))
    with reading(probed):
        assert probed.execute(select(func.sum(probe.c.quantity, type_=Quantity))).scalar_one() == Decimal("0.300003")


def test_a_quantity_comes_back_as_it_went_in(probed: Session) -> None:
    values = [Decimal("0.333333"), Decimal("-2"), Decimal("9000000000000.000001"), None]
    assert kept(probed, "quantity", *values) == values


@pytest.mark.parametrize(("column", "value"), [("money", "0.00001"), ("money", "1.23456"), ("quantity", "0.1234567")])
def test_too_many_decimals_are_refused_and_never_rounded(probed: Session, column: str, value: str) -> None:
    with pytest.raises(StatementError, match=f"{value} has more than . decimals"):
        kept(probed, column, Decimal(value))


def test_needless_zeros_are_no_decimals(probed: Session) -> None:
    assert kept(probed, "money", Decimal("1.23000000")) == [Decimal("1.23")]


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=4))
def test_every_amount_of_four_decimals_survives_the_column(amount: Decimal) -> None:
    dialect = sqlite.dialect()
    bound = Money().process_bind_param(amount, dialect)
    assert isinstance(bound, int)
    assert Money().process_result_value(bound, dialect) == amount


def test_exact_text_keeps_every_digit(probed: Session) -> None:
    values = [Decimal("0.123456789012345678901234567890"), Decimal("21"), Decimal("-0.5"), Decimal("1E+3"), None]
    assert kept(probed, "exact", *values) == values
    assert raw(probed, "exact") == ["0.123456789012345678901234567890", "21", "-0.5", "1000", None]


# --- times


def test_a_moment_comes_back_in_utc(probed: Session) -> None:
    vilnius = timezone(timedelta(hours=2))
    [moment] = kept(probed, "at", datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=vilnius))
    assert isinstance(moment, datetime)
    assert moment == datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)


def test_moments_are_compared_in_the_database_as_moments(probed: Session) -> None:
    later = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=-5)))  # 06:00 UTC
    earlier = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    kept(probed, "at", later, earlier)
    with reading(probed):
        found = probed.execute(select(probe.c.at).where(probe.c.at < datetime(2026, 11, 23, 5, 30, tzinfo=UTC)))
        assert found.scalars().all() == [earlier]


def test_a_naive_time_is_refused(probed: Session) -> None:
    with pytest.raises(StatementError, match="a naive time can't be kept"):
        kept(probed, "at", datetime(2026, 11, 23, 12, 0))  # noqa: DTZ001


# --- secrets


def test_a_secret_is_ciphertext_in_the_table_and_equal_ones_look_different(probed: Session) -> None:
    secret = {"consumer_secret": "cs_topsecret"}
    assert kept(probed, "secret", secret, secret, None) == [secret, secret, None]
    first, second, none = raw(probed, "secret")
    assert "topsecret" not in str(first)
    assert first != second
    assert none is None


def test_the_secrets_of_an_integration_are_in_no_column_and_no_repr(session: Session) -> None:
    with writing(session):
        integration = an_integration(session, "KL", secrets={"consumer_secret": "cs_topsecret"})
    with reading(session):
        assert "topsecret" not in str(session.execute(text("SELECT * FROM integrations")).one())
        assert "topsecret" not in repr(integration)
    session.expire_all()
    with reading(session):
        assert integration.secrets == {"consumer_secret": "cs_topsecret"}


def test_an_earlier_key_still_opens_after_a_new_one_seals(probed: Session) -> None:
    kept(probed, "secret", {"key": "old"})
    sealer.bind([OTHER_KEY, TEST_KEY])
    assert kept(probed, "secret", {"key": "new"}) == [{"key": "old"}, {"key": "new"}]
    sealed_before, _ = raw(probed, "secret")
    renewed = sealer.renew(str(sealed_before))
    sealer.bind([OTHER_KEY])
    assert sealer.open(renewed) == '{"key": "old"}'


def test_a_secret_under_a_lost_key_says_what_to_do(probed: Session) -> None:
    kept(probed, "secret", {"key": "old"})
    sealer.bind([OTHER_KEY])
    with (
        pytest.raises(NeedsOwner, match="sealed with a key that is not among the present ones") as caught,
        reading(probed),
    ):
        probed.execute(select(probe.c.secret)).all()
    assert "MONET_ENCRYPTION_KEYS" in caught.value.fix
    assert caught.value.__cause__ is None


# --- transactions


def a_warehouse(code: str) -> Warehouse:
    return Warehouse(code=code, name=code)


def test_reading_refuses_to_write(session: Session) -> None:
    with pytest.raises(DBAPIError), reading(session):
        session.execute(insert(Warehouse).values(code="SECOND", name="Second"))
    with reading(session):
        assert session.scalars(select(Warehouse.code)).all() == ["MAIN"]


def test_what_was_read_stays_usable_and_writing_works_after_reading(session: Session) -> None:
    with reading(session):
        main = session.scalars(select(Warehouse)).one()
    assert main.name == "Main"
    with writing(session):
        session.add(a_warehouse("SECOND"))
    with reading(session):
        assert session.scalars(select(Warehouse.code).order_by(Warehouse.code)).all() == ["MAIN", "SECOND"]


def test_writing_keeps_everything_or_nothing(session: Session) -> None:

    def fail() -> None:
        with writing(session):
            session.add(a_warehouse("SECOND"))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with reading(session):
        assert session.scalars(select(Warehouse.code)).all() == ["MAIN"]


@pytest.mark.parametrize("outer", [reading, writing])
@pytest.mark.parametrize("inner", [reading, writing])
def test_a_transaction_inside_another_is_refused(
    session: Session, outer: Callable[..., object], inner: Callable[..., object]
) -> None:
    with outer(session):  # type: ignore[attr-defined]
        session.execute(select(1))
        with pytest.raises(RuntimeError, match="can't be nested"), inner(session):  # type: ignore[attr-defined]
            pass


def test_a_reader_does_not_wait_for_a_writer(session: Session, session_factory: sessionmaker[Session]) -> None:
    with session_factory() as other, writing(session):
        session.add(a_warehouse("SECOND"))
        session.flush()
        with reading(other):
            assert other.scalars(select(Warehouse.code)).all() == ["MAIN"]


@sqlite_only
def test_a_second_writer_waits_before_it_reads(session: Session, session_factory: sessionmaker[Session]) -> None:
    seen: list[str] = []

    def write() -> None:
        with session_factory() as other, writing(other):
            seen.extend(other.scalars(select(Warehouse.code).order_by(Warehouse.code)))

    second = threading.Thread(target=write)
    with writing(session):
        session.add(a_warehouse("SECOND"))
        session.flush()
        second.start()
        second.join(0.2)
        assert seen == []
    second.join()
    assert seen == ["MAIN", "SECOND"]


def test_four_writers_lose_no_update(session: Session, session_factory: sessionmaker[Session]) -> None:
    with writing(session):
        session.add(Item(code="N", code_key="n", name="0"))
    failures: list[BaseException] = []

    def count() -> None:
        try:
            with session_factory() as mine:
                for _ in range(25):
                    with writing(mine):
                        locked = select(Item).where(Item.code == "N").with_for_update()
                        item = mine.scalars(locked.execution_options(populate_existing=True)).one()
                        item.name = str(int(item.name) + 1)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    in_threads(4, count)
    assert failures == []
    session.expire_all()
    with reading(session):
        assert session.scalars(select(Item.name)).one() == "100"


def in_threads(number: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- ids


def an_entry(entry_id: int) -> AuditEntry:
    return AuditEntry(id=entry_id, at=NOON, actor="", action="", subject_kind="", subject_id=1)


def test_ids_are_taken_ascending_and_used_once_under_concurrency(
    session: Session, session_factory: sessionmaker[Session]
) -> None:
    taken: list[int] = []

    def take() -> None:
        with session_factory() as mine:
            for _ in range(10):
                with writing(mine):
                    ids = take_ids(mine, "audit", 3)
                    mine.add_all([an_entry(each) for each in ids])
                assert ids == sorted(ids)
                taken.extend(ids)

    in_threads(4, take)
    assert len(taken) == 120
    assert len(set(taken)) == 120
    with reading(session):
        assert session.scalars(select(func.count()).select_from(AuditEntry)).one() == 120


def test_the_id_of_a_deleted_row_is_never_given_again(session: Session) -> None:
    with writing(session):
        first = take_ids(session, "audit", 2)
        session.add_all([an_entry(each) for each in first])
    with writing(session):
        session.execute(delete(AuditEntry))
    with writing(session):
        second = take_ids(session, "audit", 2)
    assert min(second) > max(first)


@sqlite_only
def test_the_first_ids_of_an_empty_table_begin_at_one(session: Session) -> None:
    with writing(session):
        assert take_ids(session, "audit", 2) == [1, 2]


@postgresql_only
def test_ids_taken_in_a_transaction_that_failed_stay_taken(session: Session) -> None:
    first: list[int] = []

    def fail() -> None:
        with writing(session):
            first.extend(take_ids(session, "audit", 2))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with writing(session):
        assert min(take_ids(session, "audit", 2)) > max(first)


def test_no_ids_cost_no_statement(session: Session) -> None:
    assert take_ids(session, "audit", 0) == []
    assert not session.in_transaction()
